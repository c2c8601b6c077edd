"""The pixel road: frames and thumbnails by address, in front of Django."""
