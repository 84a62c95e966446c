"""Inference: a whole volume through trained networks, on the device at hand."""
