"""Writers: a format a file, and the case folder that holds them all."""
