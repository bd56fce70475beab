"""Ribs, spine, clavicles, shoulder blades and upper arms."""

from typing import Any

from cxrseg.phantom.parameters.distributions import Always, Either, Maybe, Normal, Uniform
from cxrseg.phantom.parameters.distributions import Settings as S

BONES: dict[str, dict[str, Any]] = {
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
}
