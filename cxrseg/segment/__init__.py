"""Segment radiographs with an exported network: no Keras, no training, the first mask within seconds."""
