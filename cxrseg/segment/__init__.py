"""Segment radiographs with an exported network. Keras is not loaded, so the first mask is ready within seconds."""
