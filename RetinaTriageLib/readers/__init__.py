"""Readers: a file or folder in, an `OCTVolume` out; ``registry`` knows them all."""
