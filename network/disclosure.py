"""What may be told of a count: every number that leaves the node passes here."""
