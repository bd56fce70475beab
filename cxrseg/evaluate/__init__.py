"""Evaluation: predictions, masks, metrics, statistics and reference values."""
