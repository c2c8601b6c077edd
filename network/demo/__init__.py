"""Made-up hospitals with drawn images: a catalogue to try, and a network of three nodes."""

from network.demo.catalogue import seed_catalogue

__all__ = ["seed_catalogue"]
