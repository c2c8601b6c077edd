"""Connects requests for access with images, storage and other nodes."""

from atlas.holdings import register_holder
from network.access import crossing, documents, gone, policies
from network.federation import membership


def connect() -> None:
    policies.register_roads()
    register_holder("documents of requests", documents.holdings)
    crossing.register()
    membership.when_gone("access", gone.end)
