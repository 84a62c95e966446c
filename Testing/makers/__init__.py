"""Makers of scan files: every format that the readers know, written around a volume.

They write what the formats are known to hold, so a round trip shows that reader and maker agree,
not that a scanner writes the same.
"""
