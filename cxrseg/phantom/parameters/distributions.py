"""Probability distributions that a parameter of the phantom may have.

Each is called with a generator and returns one plain Python number. Written for speed: a phantom takes
some three hundred draws, and the generator's own `uniform` and `normal` cost five times as much.
"""

import math
from typing import Any, NamedTuple

from numpy.random import Generator


class Uniform(NamedTuple):
    """Any value between `low` and `high`, none preferred."""

    low: float
    high: float

    def __call__(self, rng: Generator) -> float:
        return self.low + (self.high - self.low) * rng.random()


class Normal(NamedTuple):
    """A bell curve, its tails cut at `low` and `high`."""

    mean: float
    sd: float
    low: float = -math.inf
    high: float = math.inf

    def __call__(self, rng: Generator) -> float:
        return min(max(self.mean + self.sd * rng.standard_normal(), self.low), self.high)


class Factor(NamedTuple):
    """A factor around 1: the logarithm has standard deviation `sd`."""

    sd: float

    def __call__(self, rng: Generator) -> float:
        return math.exp(self.sd * rng.standard_normal())


class Gamma(NamedTuple):
    """A positive amount with a long tail, mean `shape` times `scale`."""

    shape: float
    scale: float

    def __call__(self, rng: Generator) -> float:
        return self.scale * rng.standard_gamma(self.shape)


class Chance(NamedTuple):
    """True in a share `p` of the cases."""

    p: float

    def __call__(self, rng: Generator) -> bool:
        return rng.random() < self.p


class Count(NamedTuple):
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int

    def __call__(self, rng: Generator) -> int:
        return self.low + int((self.high - self.low + 1) * rng.random())


class Choice(NamedTuple):
    """One of a few values."""

    values: tuple[Any, ...]

    def __call__(self, rng: Generator) -> Any:
        return self.values[int(len(self.values) * rng.random())]


class Always(NamedTuple):
    """The same value every time."""

    value: Any

    def __call__(self, rng: Generator) -> Any:
        return self.value


class Maybe(NamedTuple):
    """A draw of `what` in a share `p` of the cases, 0 (the part is absent) in the others."""

    p: float
    what: Any

    def __call__(self, rng: Generator) -> float:
        return self.what(rng) if rng.random() < self.p else 0


class Either(NamedTuple):
    """A draw of `usual` in a share `p` of the cases, of `other` in the rest."""

    p: float
    usual: Any
    other: Any

    def __call__(self, rng: Generator) -> float:
        return self.usual(rng) if rng.random() < self.p else self.other(rng)


class Settings(NamedTuple):
    """One parameter in the two settings of the phantom."""

    realistic: Any
    randomised: Any


NEVER = Always(0)
"""The part is absent."""
