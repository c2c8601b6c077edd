"""Presence, live edits and progress over websockets."""
