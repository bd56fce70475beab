"""How the radiograph is taken and displayed, and what lies over it."""

from typing import Any

from cxrseg.phantom.parameters.distributions import (
    NEVER,
    Always,
    Chance,
    Choice,
    Count,
    Either,
    Factor,
    Gamma,
    Maybe,
    Normal,
    Uniform,
)
from cxrseg.phantom.parameters.distributions import Settings as S

PICTURE: dict[str, dict[str, Any]] = {
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
