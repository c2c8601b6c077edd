"""Labelled cohorts of cancer images from an Atlas node: `release` on a node, `open` in a folder."""

from atlas_client.cases import Case, Read
from atlas_client.errors import AtlasError
from atlas_client.images import Image, Mask
from atlas_client.release import Release, release
from atlas_client.release import open_folder as open

__version__ = "0.1.0"
__all__ = ["AtlasError", "Case", "Image", "Mask", "Read", "Release", "open", "release"]
