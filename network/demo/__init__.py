"""A small network to try: a hub and two hospitals, whose people and images are made up."""

from network.demo.nodes import NODES, DemoNode
from network.demo.seed import seed

__all__ = ["NODES", "DemoNode", "seed"]
