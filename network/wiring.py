"""Connects the network with the apps below it, and its parts with each other."""

from network.access import wiring as access
from network.federation import wiring as federation
from network.listings import wiring as listings
from network.questions import wiring as questions
from network.sharing import wiring as sharing


def connect() -> None:
    """Called once, when Django is ready."""
    access.connect()
    federation.connect()
    listings.connect()
    questions.connect()
    sharing.connect()
