"""A reproducible study of lung segmentation in chest X-rays with a U-Net."""

import os
import platform

# TensorFlow uses oneDNN of itself only where the processor has AVX-512 VNNI, though it learns faster with it elsewhere,
# too. It reads this when it is imported, which the modules of this package do later.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"
