"""REST of the network, by what it is about."""
