"""Opacities inside the lungs, by diagnostic class."""

from typing import Any

from cxrseg.phantom.parameters.distributions import (
    NEVER,
    Always,
    Chance,
    Choice,
    Count,
    Maybe,
    Normal,
    Uniform,
)
from cxrseg.phantom.parameters.distributions import Settings as S

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
    # A lobe or an effusion; in the randomised setting, half of the cases have neither.
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
