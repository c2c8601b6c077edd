"""Every job of this app, where procrastinate looks for them."""

from network.access import tasks as access
from network.federation import tasks as federation
from network.listings import tasks as listings
from network.questions import tasks as questions
from network.sharing import tasks as sharing

__all__ = ["access", "federation", "listings", "questions", "sharing"]
