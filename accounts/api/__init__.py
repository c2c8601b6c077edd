"""REST for accounts: tokens."""
