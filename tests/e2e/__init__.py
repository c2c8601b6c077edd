"""A real node in its own processes, driven by a real browser."""
