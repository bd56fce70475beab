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
from typing import Any, NamedTuple

from numpy.random import Generator

from cxrseg.phantom.parameters.bones import BONES
from cxrseg.phantom.parameters.distributions import Settings
from cxrseg.phantom.parameters.geometry import GEOMETRY
from cxrseg.phantom.parameters.lungs import LUNGS
from cxrseg.phantom.parameters.opacities import DISEASES
from cxrseg.phantom.parameters.picture import PICTURE
from cxrseg.phantom.parameters.tissue import TISSUE

PARTS: dict[str, dict[str, Any]] = GEOMETRY | LUNGS | BONES | TISSUE | PICTURE
"""Both settings, by part and parameter."""

Table = dict[str, dict[str, Any]]
"""The distribution of each parameter, by part."""


class Setting(NamedTuple):
    """A table of distributions. Its name takes part in the draw: two settings never share a patient."""

    name: str
    table: Table


def _table(setting: str) -> Table:
    parts = PARTS | {f"disease {label}": table for label, table in DISEASES.items()}
    return {
        part: {
            name: getattr(choice, setting) if isinstance(choice, Settings) else choice for name, choice in table.items()
        }
        for part, table in parts.items()
    }


SETTINGS = {name: Setting(name, _table(name)) for name in Settings._fields}
"""The two settings by name."""


def draw(rng: Generator, table: Table, part: str) -> SimpleNamespace:
    """Return one draw of every parameter of a part, as attributes."""
    return SimpleNamespace(**{name: distribution(rng) for name, distribution in table[part].items()})


def varied(setting: str, changes: Table, name: str) -> Setting:
    """Return a setting of its own name, with some distributions changed, as ``{"pose": {"tilt": Always(14)}}``.

    Raises
    ------
    KeyError
        There is no such setting, part or parameter.
    """
    table = dict(SETTINGS[setting].table)
    if unknown := changes.keys() - table.keys():
        raise KeyError(f"the phantom has no part {', '.join(sorted(unknown))}; it has {', '.join(table)}")
    for part, distributions in changes.items():
        if unknown := distributions.keys() - table[part].keys():
            raise KeyError(f"part {part!r} of the phantom has no {', '.join(sorted(unknown))}")
        table[part] = table[part] | distributions
    return Setting(name, table)
