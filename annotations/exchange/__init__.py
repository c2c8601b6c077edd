"""One reader or writer a format: SEG, NIfTI, JSON, CSV."""
