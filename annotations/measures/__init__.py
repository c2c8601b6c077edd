"""Numbers without Django: lengths, areas, masks and their volumes."""
