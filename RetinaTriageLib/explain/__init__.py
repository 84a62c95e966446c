"""Explain a verdict: which part of a tissue map it rests on."""
