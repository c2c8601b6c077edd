"""Pages: thin edges over policies and services."""
