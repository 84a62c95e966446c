"""OCT phantoms: synthetic eyes with complete truth, from anatomy to picture."""
