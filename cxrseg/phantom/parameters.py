"""The distributions of the phantom, by part, in its two settings, with their reasons.

`realistic` is what a book may show: an upright adult, well exposed, marker at the edge. `randomised` is
what a network learns from: far more varied (domain randomisation, Billot et al., SynthSeg, Medical
Image Analysis 86, 102789, 2023), so that a real radiograph is one more variation. A part's parameter with
one distribution has it in both; how bubbles, words, wires and devices are strewn is left to the code that
draws them. Lengths are in body units (1 is the height from apex to costophrenic angle, across: the width of
the frame) unless they are called shares of the picture; attenuation is in units of the soft tissue of a
chest; softness is the scale of a logistic edge.
"""

from types import SimpleNamespace
from typing import Any

from numpy.random import Generator

from cxrseg.phantom.distributions import (
    Always,
    Chance,
    Choice,
    Count,
    Either,
    Factor,
    Gamma,
    Maybe,
    Normal,
    Settings,
    Uniform,
)

S = Settings
NEVER = Always(0)

PARTS: dict[str, dict[str, Any]] = {
    # --- geometry -----------------------------------------------------------------------------------------
    "pose": {
        # Shares of the picture; from a small chest in a wide field to a crop tighter than the lungs.
        "height": S(Normal(0.77, 0.14, 0.46, 1.02), Normal(0.68, 0.14, 0.34, 1.08)),
        # Width of the frame over its height; real masks are from 0.6 to 1.4 times as high as wide.
        "aspect": S(Normal(1.12, 0.16, 0.72, 1.50), Normal(1.08, 0.19, 0.60, 1.60)),
        # Where the apices lie, share of the picture, and the midline off its middle.
        "top": S(Normal(0.11, 0.075, 0.010, 0.32), Normal(0.11, 0.07, -0.12, 0.36)),
        "shift": S(Normal(0, 0.015, -0.05, 0.05), Normal(0, 0.04)),
        # Degrees, and a slant: patients in bed and children lie askew.
        "tilt": S(Normal(0, 1.5), Either(0.85, Normal(0, 2.5), Normal(0, 10))),
        "shear": S(Normal(0, 0.015), Normal(0, 0.03)),
        # The whole of the lungs is in the picture.
        "whole": S(Always(True), Always(False)),
        # No chest is a formula: a smooth warp of everything.
        "warp": S(Gamma(2, 0.004), Gamma(2, 0.007)),
        # A sideways wave of the spine, and where it begins.
        "scoliosis": S(Normal(0, 0.008), Normal(0, 0.02)),
        "scoliosis_from": Uniform(-0.3, 0.3),
    },
    "lungs": {
        # Half of the inner width of the rib cage; with `aspect` it sets how broad a chest is.
        "half_width": S(Normal(0.535, 0.03, 0.45, 0.62), Normal(0.535, 0.04, 0.42, 0.66)),
        # Shoulders of the rib cage: how wide it already is near the apex.
        "squareness": S(Uniform(0.92, 1.08), Uniform(0.90, 1.10)),
        "taper": S(Uniform(0.80, 1.20), Uniform(0.70, 1.30)),
        # Barrel (emphysema) to bell (infants).
        "bell": S(Normal(0, 0.03), Normal(0, 0.06)),
        # Small departures of the wall from its mean curve.
        "wall_wobble": S(Always(0.004), Always(0.009)),
        # Width of the mediastinum, from a drop heart to a widened supine one.
        "mediastinum": S(Normal(1.0, 0.13, 0.7, 1.4), Normal(1.0, 0.2, 0.55, 1.7)),
        # Small departures of the medial border, and how far the aortic arch stands out.
        "medial_wobble": S(Always(0.004), Always(0.006)),
        "aortic_knob": S(Normal(0.035, 0.015, 0, 0.08), Normal(0.03, 0.02, -0.01, 0.09)),
        # A turned patient shifts the mediastinum against the cage.
        "rotation": S(Normal(0, 0.022), Either(0.85, Normal(0, 0.025), Normal(0, 0.055))),
        # The left border from pulmonary trunk to cardiac apex, beyond what the heart itself takes.
        "left_slope": S(Maybe(0.5, Uniform(0, 0.12)), Maybe(0.75, Uniform(0, 0.22))),
        "slope_from": Uniform(0.25, 0.40),
        "slope_length": Uniform(0.4, 0.6),
        "slope_power": Uniform(0.8, 2.0),
        # Diaphragm: depth of a breath, the left dome a little lower, and rarely one raised (in "side").
        "dome_top": S(Normal(0.83, 0.035, 0.72, 0.92), Normal(0.84, 0.04, 0.70, 0.95)),
        "left_dome_lower": S(Normal(0.035, 0.018, -0.03, 0.07), Normal(0.04, 0.03, -0.05, 0.12)),
        "dome_ripple": S(Always(0.006), Always(0.012)),
        # Heart: size, place of its middle, half axes; cardiomegaly is common in supine pictures.
        "heart_scale": S(Normal(0.85, 0.14, 0.6, 1.3), Either(0.8, Normal(0.83, 0.15, 0.5, 1.4), Uniform(1.0, 1.55))),
        "heart_u": S(Normal(0.115, 0.02), Normal(0.115, 0.03)),
        "heart_lift": S(Normal(0.105, 0.02), Normal(0.105, 0.03)),
        "heart_long": Uniform(0.21, 0.28),
        "heart_short": Uniform(0.16, 0.23),
        # Degrees below the horizontal: lying in broad, hanging in slender people.
        "heart_tilt": S(Normal(32, 8), Normal(32, 12)),
        # Fat in the angle between heart and diaphragm: how far out, in half axes of the heart.
        "fat_pad": S(Maybe(0.4, Uniform(0.5, 0.8)), Maybe(0.5, Uniform(0.5, 0.9))),
        # How far heart and mediastinum round into each other.
        "crease": Uniform(0.012, 0.05),
        # Where annotators draw the outline: at the inner edge of the ribs, but inside the soft edges of diaphragm
        # and mediastinum. Both were set by the mean displacement of outlines on the 300 real masks.
        "base_inset": S(Always(0.009), Normal(0.009, 0.003, 0, 0.018)),
        "medial_inset": S(Always(0.009), Normal(0.009, 0.003, 0, 0.018)),
        "apex_inset": S(Always(0.018), Normal(0.018, 0.005, 0, 0.035)),
    },
    # Drawn twice: the two halves of a chest are alike, not the same.
    "side": {
        # Relative width; where the apex and the summit of the dome lie.
        "breadth": S(Normal(1, 0.03), Normal(1, 0.05)),
        "apex": S(Normal(0.178, 0.02, 0.12, 0.24), Normal(0.178, 0.03, 0.10, 0.27)),
        "dome_centre": S(Uniform(0.42, 0.58), Uniform(0.40, 0.62)),
        # How far the diaphragm falls from its summit to the wall and to the heart; flat in emphysema.
        "lateral_fall": S(
            Normal(0.19, 0.045, 0.07, 0.32), Either(0.85, Normal(0.18, 0.06, 0.03, 0.38), Uniform(0.22, 0.42))
        ),
        "medial_fall": S(Normal(0.05, 0.025, -0.01, 0.12), Normal(0.05, 0.035, -0.03, 0.16)),
        "lateral_power": S(Uniform(1.8, 2.6), Uniform(1.6, 2.8)),
        "medial_power": Uniform(1.5, 2.5),
        # A raised half: paresis, or a large liver; upwards is negative.
        "raised": S(Maybe(0.03, Uniform(-0.12, -0.04)), Maybe(0.07, Uniform(-0.25, -0.05))),
    },
    # --- what the lungs weigh ------------------------------------------------------------------------------
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
    # --- bones ---------------------------------------------------------------------------------------------
    "ribs": {
        # Beyond the inner border of the cage: the thickness of a rib seen edge-on, and of its muscles.
        "overhang": S(Uniform(0.015, 0.03), Uniform(0.01, 0.07)),
        "inner_end": S(Uniform(0.05, 0.065), Uniform(0.04, 0.08)),
        # Ribs drown in the abdomen: how much of them is lost there.
        "lost_below": S(Uniform(0.75, 0.95), Either(0.75, Uniform(0.7, 1), Uniform(0, 0.9))),
        "lost_medially": S(Uniform(0.6, 0.85), Uniform(0, 0.9)),
        # Posterior ribs: shadow, slope at the spine, bend towards the wall, spacing, width over spacing.
        # Eight to eleven show above the diaphragm.
        "posterior": S(Uniform(0.07, 0.125), Maybe(0.93, Uniform(0.012, 0.20))),
        "posterior_slope": S(Uniform(-0.13, -0.04), Uniform(-0.16, 0.05)),
        "posterior_curve": S(Uniform(0.20, 0.30), Uniform(0.08, 0.40)),
        "posterior_power": S(Uniform(2.0, 2.6), Uniform(1.6, 2.8)),
        "upper_curl": S(Uniform(0.8, 1.6), Uniform(0, 1.6)),
        "posterior_spacing": S(Uniform(0.088, 0.104), Uniform(0.075, 0.115)),
        "posterior_duty": S(Uniform(0.40, 0.50), Uniform(0.35, 0.60)),
        # Anterior ribs: fainter, falling towards the midline.
        "anterior": S(Uniform(0.03, 0.07), Maybe(0.8, Uniform(0, 0.14))),
        "anterior_slope": S(Uniform(0.30, 0.48), Uniform(0.1, 0.6)),
        "anterior_curve": S(Uniform(-0.05, 0.10), Uniform(-0.1, 0.2)),
        "anterior_spacing": S(Uniform(0.095, 0.12), Uniform(0.085, 0.13)),
        "anterior_duty": S(Uniform(0.38, 0.48), Uniform(0.3, 0.5)),
        # Where, across the lung, bone turns to cartilage that casts no shadow.
        "cartilage": S(Uniform(0.40, 0.52), Uniform(0.3, 0.6)),
        # Tube or band, and how blurred and regular.
        "cortex": S(Uniform(0.25, 0.5), Uniform(0, 0.7)),
        "lower_edge": S(Uniform(0.2, 0.5), Uniform(-0.3, 0.6)),
        "rib_softness": S(Uniform(0.16, 0.28), Uniform(0.16, 0.60)),
        "rib_wobble": S(Uniform(0.03, 0.06), Uniform(0.06, 0.10)),
        "side_offset": S(Always(0.05), Always(0.12)),
    },
    "spine": {
        # Seen through the mediastinum only where the beam is hard enough.
        "spine": S(Uniform(0.04, 0.09), Uniform(0, 0.28)),
        "spine_half_width": S(Uniform(0.055, 0.070), Uniform(0.045, 0.085)),
        "spine_u": S(Normal(0, 0.006), Normal(0, 0.012)),
        # Vertebrae per unit of height, and how dark the discs between them are.
        "vertebrae": S(Uniform(10, 12), Uniform(7, 13)),
        "spine_phase": Uniform(0, 6.28),
        "discs": S(Uniform(0.12, 0.25), Uniform(0, 0.5)),
        "processes": S(Uniform(0.2, 0.5), Uniform(0, 0.6)),
    },
    "clavicle": {
        # Straight to S-shaped, rising outwards with the shoulders down, level with the arms raised.
        "clavicle": S(Uniform(0.14, 0.22), Maybe(0.93, Uniform(0.03, 0.33))),
        "clavicle_v": S(Normal(0.115, 0.02), Normal(0.08, 0.05)),
        "clavicle_slope": S(Normal(0.22, 0.05), Uniform(-0.10, 0.45)),
        "clavicle_bend": S(Uniform(0.012, 0.030), Uniform(-0.02, 0.04)),
        "clavicle_half_width": S(Uniform(0.024, 0.031), Uniform(0.014, 0.028)),
        "clavicle_cortex": S(Uniform(0.35, 0.5), Uniform(0, 0.5)),
        "clavicle_softness": S(Uniform(0.08, 0.12), Uniform(0.10, 0.20)),
        "clavicle_inner": S(Uniform(0.05, 0.065), Uniform(0.03, 0.08)),
        "clavicle_outer": S(Uniform(0.58, 0.66), Uniform(0.55, 0.80)),
    },
    "scapula": {
        # Rolled forward, it leaves the lungs (upright); in bed it lies over them.
        "scapula": S(Uniform(0.04, 0.09), Maybe(0.7, Uniform(0, 0.16))),
        "scapula_border": S(Uniform(0.03, 0.07), Maybe(0.7, Uniform(0, 0.12))),
        "scapula_x": S(Uniform(0.46, 0.56), Uniform(0.38, 0.62)),
        "scapula_slope": S(Uniform(-0.05, 0.12), Uniform(-0.10, 0.35)),
        "scapula_width": S(Uniform(0.2, 0.3), Uniform(0.12, 0.30)),
        "scapula_tip": S(Uniform(0.40, 0.52), Uniform(0.3, 0.6)),
        "scapula_top": S(Uniform(0.02, 0.08), Uniform(-0.05, 0.10)),
    },
    "humerus": {
        # In the picture with wide fields only; a disc that must not count as lung when inverted.
        "humerus": S(Uniform(0.08, 0.15), Maybe(0.6, Uniform(0, 0.30))),
        "humerus_x": S(Uniform(0.72, 0.80), Uniform(0.62, 0.85)),
        "humerus_v": S(Uniform(0.05, 0.12), Uniform(-0.05, 0.12)),
        "humerus_radius": S(Uniform(0.075, 0.09), Uniform(0.07, 0.11)),
        "humerus_softness": S(Uniform(0.10, 0.16), Uniform(0.05, 0.10)),
        "shaft": S(Uniform(0.6, 0.9), Maybe(0.5, Uniform(0.3, 1))),
        "shaft_slope": S(Uniform(0.05, 0.2), Uniform(-0.1, 0.4)),
    },
    # --- soft tissue ----------------------------------------------------------------------------------------
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
        # Half of the patients; the lower fold crosses the lung like a second diaphragm.
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
    # --- the picture ----------------------------------------------------------------------------------------
    "acquisition": {
        # Unevenness of tissue and beam, fine to coarse.
        "fine_texture": S(Uniform(0.002, 0.008), Uniform(0, 0.03)),
        "coarse_texture": S(Uniform(0, 0.015), Uniform(0, 0.06)),
        "uneven_beam": S(Uniform(0, 0.04), Uniform(0, 0.2)),
        "vignetting": S(Uniform(-0.05, 0.10), Either(0.2, Uniform(0, 1.2), Uniform(-0.15, 0.25))),
        "vignetting_x": Uniform(0.3, 0.7),
        "vignetting_y": Uniform(0.3, 0.7),
        # Optical depth of a unit of soft tissue, and scattered over primary radiation behind a grid.
        "beam": Uniform(1.0, 2.0),
        "scatter": S(Uniform(0.15, 0.35), Maybe(0.5, Uniform(0.05, 0.6))),
        # Focal spot and detector, share of the picture; downscaled JPEGs are softer.
        "blur": S(Uniform(0.0016, 0.0026), Maybe(0.7, Uniform(0.0016, 0.0086))),
        "unsharp": S(Uniform(0.1, 0.4), Maybe(0.4, Uniform(0.2, 1.5))),
        "unsharp_reach": S(Uniform(0.01, 0.03), Uniform(0.023, 0.094)),
        # Percentiles of the signal shown as black and as white.
        "window_low": S(Uniform(0, 1.5), Uniform(0, 6)),
        "window_high": S(Uniform(99, 100), Uniform(88, 100)),
        "lung_window": S(Chance(0.5), Chance(0.4)),
        "lung_margin": S(Uniform(0.10, 0.3), Uniform(0.02, 0.4)),
        # Characteristic curve of film and display: contrast, its middle, gamma, and odd ones.
        "sigmoid": S(Uniform(2.0, 4.0), Maybe(0.5, Uniform(3, 7))),
        "sigmoid_centre": S(Uniform(0.50, 0.62), Always(0.5)),
        "gamma": S(Factor(0.12), Factor(0.5)),
        "irregular": S(Chance(0), Chance(0.3)),
        "equalised": S(NEVER, Maybe(0.15, Always(0.8))),
        # Greys that end short of white, or begin above black.
        "gain": S(Uniform(0.86, 0.98), Uniform(0.6, 1)),
        "offset": S(Always(0), Maybe(0.5, Uniform(0, 0.3))),
        # Shutters, a little askew; black, or white in some archives.
        "collimated": S(Chance(0.08), Chance(0.25)),
        "collimator_tilt": S(Normal(0, 0.7), Maybe(0.4, Normal(0, 4))),
        "shutter": S(Always(0.012), Either(0.75, Always(0.03), Always(0.066))),
        "shutter_tone": S(Always(0.0), Choice((0.0, 0.0, 0.0, 0.05, 1.0))),
        # Boxes that hide a name.
        "label_boxes": S(NEVER, Maybe(0.2, Count(1, 3))),
        # Quantum noise, share of the grey scale.
        "noise": S(Uniform(0.004, 0.012), Maybe(0.8, Gamma(1, 0.012))),
        # Some archives keep negatives, and pictures flipped left to right.
        "inverted": S(Chance(0), Chance(0.02)),
        "mirrored": S(Chance(0), Chance(0.03)),
    },
    "overlays": {
        # Side marker and labels; where and how large.
        "texts": S(Choice((0, 1, 1, 1)), Maybe(0.55, Count(0, 3))),
        "known_words": S(Always(1.0), Always(0.6)),
        "anywhere": S(Always(0.0), Always(0.3)),
        "text_low": S(Always(0.25), Always(0.92)),
        "text_size": S(Always((0.03, 0.05)), Always((0.03, 0.10))),
        "text_brightness": S(Always((0.8, 1.0)), Always((0.67, 1.0))),
        # ECG leads and electrodes, tubes, pacemakers: common on intensive care.
        "wires": S(Maybe(0.10, Count(1, 3)), Maybe(0.25, Either(0.8, Count(1, 5), Count(6, 13)))),
        "wire_stride": S(Always(0.15), Always(0.23)),
        "wire_width": S(Always((0.003, 0.006)), Always((0.004, 0.016))),
        "wire_brightness": S(Always((0.6, 0.85)), Always((0.47, 1.0))),
        "electrode": S(Always(0.8), Always(0.5)),
        "tube": S(Maybe(0.08, Uniform(0.65, 0.85)), Maybe(0.12, Uniform(0.5, 1.0))),
        "device": S(NEVER, Maybe(0.045, Uniform(0.78, 1.0))),
    },
}

# All kinds of opacity, absent, with the shapes they take where a class has them.
_ABSENT: dict[str, Any] = {
    "patches": Always(0),
    "bilateral": Always(False),
    "patch_x": Always((0.45, 0.92)),
    "patch_v": Always((0.35, 0.92)),
    "patch_radius": S(Always((0.07, 0.20)), Always((0.03, 0.20))),
    "patch_softness": S(Always((0.18, 0.40)), Always((0.05, 0.40))),
    "patch_amount": S(Always((0.3, 0.65)), Always((0.15, 0.8))),
    "patch_ripple": S(Always(0.5), Always(0.25)),
    "mottle": NEVER,
    "mottle_grain": Choice((5, 6, 8, 10, 14)),
    "mottle_level": Uniform(-0.6, 0.6),
    "mottle_softness": Uniform(0.1, 0.4),
    "consolidation": NEVER,
    "fissure_v": S(Uniform(0.40, 0.58), Uniform(0.3, 0.7)),
    "fissure_slope": S(Normal(0, 0.25), Normal(0, 0.4)),
    "fissure_softness": S(Uniform(0.012, 0.03), Uniform(0.02, 0.10)),
    "upper_lobe": S(Always(0.35), Always(0.6)),
    "lobe_height": S(Uniform(0.25, 0.5), Uniform(0.2, 0.8)),
    "effusion": NEVER,
    "kind": Always("none"),
    "effusion_v": S(Normal(0.74, 0.05, 0.6, 0.82), Uniform(0.5, 1.0)),
    "meniscus": S(Uniform(0.15, 0.35), Uniform(0, 0.4)),
    "effusion_softness": S(Uniform(0.012, 0.03), Uniform(0.02, 0.10)),
    "both_sides": S(Chance(0.25), Chance(0.4)),
    "haze": NEVER,
    "haze_top": Uniform(0, 0.8),
    "haze_slope": Uniform(-0.6, 0.8),
    "haze_one_sided": Chance(0.5),
    "margin": NEVER,
    "margin_reach": S(Uniform(0.08, 0.2), Uniform(0.05, 0.35)),
    "perihilar": S(Always(0.0), Always(0.5)),
}

DISEASES: dict[str, dict[str, Any]] = {
    "Normal": _ABSENT,
    # Randomised opacities are kept light: on the first networks taught by phantoms they gained nothing, and
    # heavy ones provoked leaks under the diaphragm.
    # Ground glass: several patches, nearly always in both lungs, faint, towards the wall and the bases.
    "COVID": _ABSENT
    | {
        "patches": S(Count(5, 10), Count(1, 4)),
        "bilateral": S(Chance(0.93), Chance(0.6)),
        "patch_x": S(Always((0.45, 0.92)), Always((0.15, 1.0))),
        "patch_v": S(Always((0.35, 0.92)), Always((0.05, 1.0))),
        "mottle": S(NEVER, Maybe(0.25, Uniform(0.15, 0.8))),
        "margin": S(NEVER, Maybe(0.2, Uniform(0.2, 0.8))),
        "haze": S(NEVER, Maybe(0.2, Uniform(0.1, 0.6))),
    },
    # A lobe or an effusion.
    "Non-COVID": _ABSENT
    | {
        "kind": S(Choice(("lobe", "fluid")), Choice(("lobe", "lobe", "fluid", "none", "none", "none"))),
        "consolidation": S(Uniform(0.55, 0.85), Uniform(0.2, 0.9)),
        "effusion": S(Uniform(0.8, 1.0), Uniform(0.3, 0.8)),
        "mottle": S(NEVER, Maybe(0.25, Uniform(0.15, 0.8))),
        "haze": S(NEVER, Maybe(0.3, Uniform(0.1, 0.8))),
        "margin": S(NEVER, Maybe(0.2, Uniform(0.2, 0.8))),
    },
}

Table = dict[str, dict[str, Any]]


def _table(setting: str) -> Table:
    parts = PARTS | {f"disease {label}": table for label, table in DISEASES.items()}
    return {
        part: {
            name: getattr(choice, setting) if isinstance(choice, Settings) else choice for name, choice in table.items()
        }
        for part, table in parts.items()
    }


SETTINGS: dict[str, Table] = {setting: _table(setting) for setting in Settings._fields}
"""By setting and part: the distribution of each parameter. A study of one randomisation adds an entry."""


def draw(rng: Generator, setting: str, part: str) -> SimpleNamespace:
    """Return one draw of every parameter of a part, as attributes."""
    return SimpleNamespace(**{name: distribution(rng) for name, distribution in SETTINGS[setting][part].items()})


def varied(setting: str, changes: Table) -> Table:
    """Return the table of a setting with some distributions changed, as ``{"pose": {"tilt": Always(14)}}``.

    Raises
    ------
    KeyError
        There is no such part or parameter.
    """
    table = dict(SETTINGS[setting])
    for part, distributions in changes.items():
        if unknown := distributions.keys() - table[part].keys():
            raise KeyError(f"part {part!r} of the phantom has no {', '.join(sorted(unknown))}")
        table[part] = table[part] | distributions
    return table
