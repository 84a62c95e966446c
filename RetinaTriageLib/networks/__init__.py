"""Networks: B-scans to tissue classes, tissue maps to opinions."""
