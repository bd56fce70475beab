"""How a chest stands in the picture, and the shape of lungs, heart and diaphragm."""

from typing import Any

from cxrseg.phantom.parameters.distributions import Always, Either, Gamma, Maybe, Normal, Uniform
from cxrseg.phantom.parameters.distributions import Settings as S

GEOMETRY: dict[str, dict[str, Any]] = {
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
        # The heart as annotators draw it, between the lungs. Its upper and lower border cannot be seen, so they do not
        # vary by themselves: set on 60 radiographs of JSRT. Highest and lowest point, in widths of the chest below the
        # apices: one constant, and one that goes with the height of the domes.
        "heart_top": Always((0.046, 0.528)),
        "heart_foot": Always((0.126, 0.915)),
        # How the upper border falls to both sides, and the lower one rises from its lowest point, towards the apex.
        "heart_shoulders": Always(0.12),
        "heart_apex": Always(0.35),
        "heart_belly": Always(0.03),
        "heart_heel": Always(0.018),
        "heart_gap": Always(0.009),
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
}
