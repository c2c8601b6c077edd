"""Connects the marks with the images: opens roads to studies, and listens for sealed series."""


def connect() -> None:
    """Called once, when Django is ready."""
