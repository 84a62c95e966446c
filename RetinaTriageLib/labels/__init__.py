"""What is known of scans: partial labels, segmentations drawn in 3D Slicer, verdicts."""
