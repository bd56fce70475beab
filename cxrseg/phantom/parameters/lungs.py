"""What the lungs weigh: air, airways and vessels, and lung that the picture hardly shows."""

from typing import Any

from cxrseg.phantom.parameters.distributions import NEVER, Always, Count, Either, Maybe, Normal, Uniform
from cxrseg.phantom.parameters.distributions import Settings as S

LUNGS: dict[str, dict[str, Any]] = {
    "air": {
        # Contrast between lung and soft tissue: breath, body size, tube voltage.
        "contrast": S(Uniform(0.62, 0.80), Uniform(0.31, 0.86)),
        # Softness of the edge at the ribs; wide with movement, obesity and poor scans.
        "wall_softness": S(Uniform(0.003, 0.005), Either(0.7, Uniform(0.004, 0.014), Uniform(0.010, 0.035))),
        # Over what distance the lung reaches its full depth from the wall, and from the mediastinum.
        "rounding": S(Uniform(0.14, 0.26), Uniform(0.08, 0.35)),
        "medial_rounding": S(Uniform(0.08, 0.16), Uniform(0.02, 0.15)),
        "medial_share": S(Uniform(0.50, 0.70), Uniform(0.30, 0.90)),
        "depth": S(Uniform(0.85, 0.95), Uniform(0.6, 1.0)),
        # Bases darker (large lungs) or lighter (breasts, muscle) than apices.
        "basal_gain": S(Uniform(-0.08, 0.12), Uniform(-0.3, 0.4)),
        # 0: depth as a rounded body; 1: as a flat slab (strongly equalised displays).
        "flatness": S(Uniform(0.25, 0.5), Uniform(0, 0.7)),
        "medial_softness": S(Uniform(0.005, 0.008), Uniform(0.005, 0.02)),
        # Lung that lies behind the heart and behind the domes shines through.
        "behind_heart": S(Uniform(0.12, 0.30), Uniform(0, 0.5)),
        "heart_softness": S(Uniform(0.005, 0.009), Uniform(0.006, 0.02)),
        "dome_softness": S(Uniform(0.003, 0.006), Uniform(0.003, 0.015)),
        "behind_dome": S(Uniform(0.05, 0.20), Uniform(0, 0.4)),
        "recess": S(Uniform(0.03, 0.07), Uniform(0.03, 0.12)),
        # How much of the air an opacity of amount 1 displaces.
        "opacity_strength": S(Always(1.0), Uniform(0.5, 1.0)),
        # Interstitial grain inside the lungs, fine and coarser.
        "fine_grain": S(Uniform(0.006, 0.014), Uniform(0, 0.07)),
        "coarse_grain": S(Uniform(0.006, 0.014), Uniform(0, 0.07)),
        # Share of the air that the aortic arch displaces where it stands out: lung lies before and behind it.
        "arch_opacity": S(Uniform(0.5, 0.9), Uniform(0.15, 0.9)),
    },
    # Lung that annotators outline though the picture hardly shows it; none of it in the realistic setting.
    "veils": {
        "base": S(NEVER, Maybe(0.05, Uniform(0.2, 0.6))),
        "base_v": Uniform(0.80, 1.02),
        "base_slope": Uniform(-0.2, 0.3),
        "base_softness": Uniform(0.02, 0.12),
        "apex": S(NEVER, Maybe(0.15, Uniform(0.2, 0.9))),
        "apex_v": Uniform(0.02, 0.25),
        "apex_softness": Uniform(0.02, 0.10),
        "wall": S(NEVER, Maybe(0.10, Uniform(0.2, 0.9))),
        "wall_reach": Uniform(0, 0.10),
        "wall_softness": Uniform(0.01, 0.05),
        "medial": S(NEVER, Maybe(0.15, Uniform(0.2, 0.9))),
        "medial_reach": Uniform(0, 0.12),
        "medial_softness": Uniform(0.01, 0.05),
    },
    "airways": {
        # A column of air near the middle; wide in adults, faint in burnt-out pictures.
        "trachea": S(Uniform(0.12, 0.20), Maybe(0.85, Uniform(0.03, 0.30))),
        "trachea_half_width": S(Uniform(0.024, 0.032), Uniform(0.02, 0.04)),
        "trachea_u": S(Normal(0, 0.008), Normal(0, 0.015)),
        "carina": S(Uniform(0.29, 0.34), Uniform(0.28, 0.38)),
        "bronchi_slope": S(Uniform(0.6, 0.9), Uniform(0.5, 1.0)),
        # Hilar shadows and the vessels that leave them.
        "hila": S(Uniform(0.10, 0.22), Maybe(0.8, Uniform(0, 0.5))),
        "hilum_width": S(Uniform(0.04, 0.06), Uniform(0.03, 0.07)),
        "hilum_height": S(Uniform(0.07, 0.10), Uniform(0.05, 0.10)),
        "trunks": S(Count(16, 22), Count(6, 15)),
        "vessels": S(Uniform(0.13, 0.20), Uniform(0.03, 0.37)),
        "vessel_width": S(Uniform(0.020, 0.028), Uniform(0.015, 0.045)),
        "vessel_blur": S(Uniform(0.005, 0.008), Uniform(0.006, 0.015)),
    },
}
