"""PostgreSQL for tests: only what was filled is emptied after a test that committed."""
