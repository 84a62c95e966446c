"""Cohorts: many volumes worked as one, browsed as a page, read in a session."""
