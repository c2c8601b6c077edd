"""The pages of the network, by what they are about."""
