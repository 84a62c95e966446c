"""The Slicer side of RetinaTriage: MRML nodes in, library calls, MRML nodes out."""
