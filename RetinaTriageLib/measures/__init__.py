"""Measurements on tissue maps: volumes, thickness, ETDRS table, fovea, disagreement."""
