"""REST for images, and what all of the node's REST shares: errors and pages."""
