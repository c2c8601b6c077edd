"""Connects the listings with the apps below."""

from atlas.erasers import register_eraser
from atlas.holdings import register_holder
from network.facts import held
from network.listings import taking_out


def connect() -> None:
    register_eraser("counts", taking_out.erase)
    register_holder("facts", held.holdings)
