"""How well a bundle does: on labeled scans, against a device's own table, and to the eye."""
