"""Connects the network with the apps below it, and its parts with each other."""


def connect() -> None:
    """Called once, when Django is ready."""
