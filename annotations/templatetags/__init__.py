"""What the pages of projects and reads draw."""
