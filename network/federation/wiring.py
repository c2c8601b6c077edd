"""The messages that federation itself handles."""

from network.federation import catalogue, messages


def connect() -> None:
    """Called once, when Django is ready."""
    messages.register(catalogue.KIND, catalogue.receive, is_replaced=True)
