"""Designs, assignment, the journal of edits, and review."""
