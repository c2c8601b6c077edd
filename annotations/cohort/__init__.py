"""Releases: what is in them, how they are frozen, and how they are fetched."""
