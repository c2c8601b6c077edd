"""Intake to index: files come in, are checked, stored durably, described and sealed."""
