"""A reproducible study of lung segmentation in chest X-rays with a U-Net.

>>> import cxrseg
>>> model = cxrseg.load_model()
>>> result = model.segment("chest.dcm")  # doctest: +SKIP

`load_model` returns a `cxrseg.segment.model.Model`; the result is a `cxrseg.segment.model.Segmentation`.
"""

import os
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrseg.segment.model import load_model

# By default, TensorFlow uses oneDNN only on processors with AVX-512 VNNI, but it trains faster with it on others too.
# It reads this variable when it is imported: so it is set here, before any module of this package imports Keras.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Which backend runs the networks is said by this variable alone, not by the settings file that Keras keeps at home.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.2.0.dev0"

__all__ = ["__version__", "load_model"]


def __getattr__(name: str):
    """Import the public names when they are first used: importing the package itself stays quick."""
    if name == "load_model":
        from cxrseg.segment.model import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
