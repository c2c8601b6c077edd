"""REST for reads, releases and what belongs to them."""
