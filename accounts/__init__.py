"""Who you are, what you may do, and what was done."""
