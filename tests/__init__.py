"""Tests, as the apps are laid out; tests/e2e drives a real browser, tests/judges asks independent tools."""
