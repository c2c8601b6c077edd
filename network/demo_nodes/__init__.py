"""A small network to try: a hub and two hospitals, whose people and images are made up."""
