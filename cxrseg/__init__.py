"""A reproducible study of lung segmentation in chest X-rays with a U-Net."""

__version__ = "0.1.0"
