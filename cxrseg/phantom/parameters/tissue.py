"""Soft tissue outside the lungs: trunk, fat, breasts, mediastinum, abdomen, head."""

from typing import Any

from cxrseg.phantom.parameters.distributions import (
    NEVER,
    Always,
    Chance,
    Choice,
    Count,
    Either,
    Gamma,
    Maybe,
    Normal,
    Uniform,
)
from cxrseg.phantom.parameters.distributions import Settings as S

TISSUE: dict[str, dict[str, Any]] = {
    "trunk": {
        # Tissue outside the ribs: from lean to obese.
        "chest_wall": S(Normal(0.10, 0.03, 0.05, 0.2), Gamma(3, 0.035)),
        "side_difference": S(Always(0.02), Always(0.05)),
        # Outline: neck, the height and slope of the shoulders, how far arms and armpits stand out.
        "neck": S(Uniform(0.19, 0.23), Uniform(0.16, 0.27)),
        "shoulder_v": S(Uniform(-0.13, -0.08), Uniform(-0.12, 0.06)),
        "shoulder_height": S(Uniform(0.16, 0.26), Uniform(0.1, 0.3)),
        "shoulder_flare": S(Uniform(0.30, 0.45), Uniform(0.15, 0.6)),
        "axilla": S(Uniform(0.3, 0.6), Uniform(0.2, 0.9)),
        "waist": S(Uniform(0.97, 1.05), Uniform(0.92, 1.10)),
        "hips": S(Uniform(0.97, 1.08), Uniform(0.9, 1.2)),
        # Attenuation that is even over the body, and that grows with its depth.
        "evenness": S(Uniform(0.28, 0.40), Uniform(0.25, 0.60)),
        "thickness": S(Uniform(0.50, 0.62), Uniform(0.2, 0.9)),
        "roundness": S(Uniform(0.35, 0.5), Uniform(0.25, 0.60)),
        # Arms beside the body leave a dark, lung-like gap.
        "arms": S(Maybe(0.5, Uniform(0.4, 0.6)), Maybe(0.65, Uniform(0.3, 0.8))),
        "arm_gap": S(Uniform(0.0, 0.06), Uniform(0, 0.10)),
        "arm_width": S(Uniform(0.07, 0.10), Uniform(0.05, 0.11)),
        "arm_spread": S(Uniform(0.05, 0.25), Uniform(-0.10, 0.35)),
        # Dark tissue outside the lungs, as after hard windows: else all that is dark is taken for lung.
        "shoulder_fade": S(Uniform(0.05, 0.25), Maybe(0.75, Either(0.65, Uniform(0, 0.45), Uniform(0.3, 0.85)))),
        "fade_v": S(Uniform(-0.06, 0.02), Uniform(-0.05, 0.08)),
        "fade_softness": S(Uniform(0.04, 0.08), Uniform(0.02, 0.08)),
        "fade_softness_x": S(Uniform(0.03, 0.06), Uniform(0.02, 0.06)),
        "fade_x": Uniform(0.6, 1.1),
        # Tissue at the rim of the body burnt out, or a fold of skin.
        "rim": S(Maybe(0.3, Uniform(0.05, 0.2)), Maybe(0.3, Uniform(0.1, 0.6))),
        "rim_x": Uniform(0.02, 0.12),
        "rim_softness": Uniform(0.02, 0.08),
    },
    "fat": {
        # Darker than muscle by a tenth; after hard windows, nearly as dark as lung.
        "fat": S(Maybe(0.5, Uniform(0.05, 0.15)), Maybe(0.5, Uniform(0.1, 0.7))),
        # Above the collar bones, or in the armpits.
        "fat_above": Chance(0.55),
        "fat_x": Uniform(0.2, 0.6),
        "fat_v": Uniform(-0.25, -0.02),
        "fat_width": Uniform(0.08, 0.25),
        "fat_height": Uniform(0.05, 0.14),
        "axilla_x": Uniform(0.05, 0.25),
        "axilla_v": Uniform(0, 0.9),
        "axilla_width": Uniform(0.04, 0.12),
        "axilla_height": Uniform(0.1, 0.4),
        "fat_softness": S(Uniform(0.2, 0.4), Uniform(0.05, 0.30)),
    },
    "breasts": {
        # The lower fold crosses the lung like a second diaphragm.
        "breasts": S(Maybe(0.4, Uniform(0.04, 0.12)), Maybe(0.4, Uniform(0.03, 0.22))),
        "breast_x": S(Uniform(0.30, 0.38), Uniform(0.25, 0.42)),
        "breast_v": S(Uniform(0.66, 0.80), Uniform(0.55, 0.85)),
        "breast_width": S(Uniform(0.19, 0.25), Uniform(0.15, 0.28)),
        "breast_height": S(Uniform(0.15, 0.22), Uniform(0.12, 0.25)),
        # Dense and round: implants; a border that looks like a diaphragm.
        "implants": S(NEVER, Maybe(0.01, Uniform(0.1, 0.3))),
        "implant_radius": Uniform(0.13, 0.25),
    },
    "mediastinum": {
        # What mediastinum and heart add to the soft tissue around them.
        "great_vessels": S(Uniform(0.16, 0.24), Uniform(0, 0.45)),
        "band_share": S(Uniform(0.95, 1.0), Uniform(0.8, 1.0)),
        # Above the arch the vessels of the neck fan out, but do not fill the gap between the apices.
        "band_limit": S(Uniform(0.11, 0.14), Uniform(0.11, 0.3)),
        "band_softness": S(Uniform(0.012, 0.02), Uniform(0.01, 0.05)),
        "heart": S(Uniform(0.16, 0.28), Uniform(0.02, 0.45)),
        "heart_depth": Uniform(0.10, 0.16),
        "heart_softness": S(Uniform(0.006, 0.010), Uniform(0.006, 0.02)),
        "heart_rest": S(Uniform(0.01, 0.03), Uniform(0.005, 0.1)),
    },
    "abdomen": {
        # What liver and spleen add; the spleen's side, with stomach and bowel, is lighter.
        "liver": S(Uniform(0.14, 0.24), Uniform(0, 0.45)),
        "spleen": S(Uniform(0.82, 0.98), Uniform(0.7, 1.0)),
        "dome_softness": S(Uniform(0.003, 0.006), Uniform(0.003, 0.015)),
        "cage_softness": S(Uniform(0.02, 0.04), Uniform(0.02, 0.20)),
        # A bright line along the dome: scar, plate of collapsed lung, or the edge of over-sharpening.
        "dome_line": S(NEVER, Maybe(0.25, Uniform(0.02, 0.3))),
        "dome_line_width": Uniform(0.006, 0.015),
        # Fading with depth, all over or along the flanks.
        "deep_fade": S(Uniform(0, 0.12), Maybe(0.7, Uniform(0, 0.65))),
        "fade_depth": Uniform(0.1, 0.5),
        "flank_fade": Chance(0.5),
        # Bowel: mottled dark loops.
        "bowel": S(Maybe(0.4, Uniform(0.03, 0.10)), Maybe(0.6, Uniform(0, 0.5))),
        "bowel_grain": S(Choice((14, 20)), Choice((6, 8, 10, 14, 20))),
        "bowel_level": S(Uniform(0.3, 0.7), Uniform(-0.3, 0.7)),
        "bowel_softness": S(Uniform(0.2, 0.4), Uniform(0.1, 0.4)),
        "bowel_depth": Uniform(0.05, 0.2),
        # The stripe of fat along the flank.
        "flank": S(Maybe(0.2, Uniform(0.03, 0.10)), Maybe(0.3, Uniform(0.07, 0.55))),
        "flank_x": Uniform(0.75, 1.15),
        "flank_slope": Uniform(-0.2, 0.2),
        "flank_width": Uniform(0.03, 0.10),
        # The gas bubble of the stomach under the left dome: the most lung-like thing outside the lungs.
        "stomach": S(Maybe(0.55, Uniform(0.12, 0.35)), Maybe(0.3, Uniform(0.15, 0.65))),
        "stomach_u": S(Uniform(0.18, 0.30), Uniform(0.12, 0.38)),
        "stomach_width": S(Uniform(0.07, 0.13), Uniform(0.08, 0.22)),
        "stomach_height": S(Uniform(0.06, 0.12), Uniform(0.08, 0.25)),
        "fluid_level": S(Chance(0.1), Chance(0.3)),
        "stomach_wall": S(Uniform(0.012, 0.02), Uniform(0.008, 0.03)),
        # Gas in the bowel: round, dark, sharp.
        "bubbles": S(Maybe(0.3, Count(1, 3)), Maybe(0.6, Count(1, 4))),
        "bubble_radius": S(Always((0.02, 0.06)), Always((0.03, 0.20))),
        "gas": S(Uniform(0.1, 0.25), Uniform(0.1, 0.75)),
    },
    "head": {
        # Chin and head over the apices, in tired and in small patients.
        "chin": S(Maybe(0.5, Uniform(0.2, 0.4)), Maybe(0.4, Uniform(0.1, 0.6))),
        "chin_u": S(Normal(0, 0.02), Normal(0, 0.03)),
        "chin_v": S(Uniform(-0.42, -0.25), Uniform(-0.50, -0.12)),
        "chin_width": Uniform(0.15, 0.30),
        "chin_height": S(Uniform(0.12, 0.2), Uniform(0.10, 0.25)),
        # Children are held with their arms up.
        "raised_arms": S(NEVER, Maybe(0.12, Uniform(0.1, 0.5))),
        "raised_x": Uniform(0.45, 0.90),
        "raised_slope": Uniform(-0.5, 0.5),
        "raised_width": Uniform(0.06, 0.14),
    },
}
