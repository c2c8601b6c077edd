"""Pictures of held images, for those who decide about them: a whole frame, as large as it is."""

import io

import numpy as np
from PIL import Image, ImageOps

from atlas.archive.storage import ObjectMissing, open_instance
from atlas.dicom.decoding import CannotDecode, decode_frame
from atlas.dicom.frames import NoFrames, frame_ranges, pixel_format, read_ranges
from atlas.dicom.headers import DEFLATED, NotDicom, Unreadable, inflated, read_header
from atlas.dicom.pixel_text import renditions
from atlas.models import Instance

SIDE_MAX = 4096
"""Of the picture, in pixels; boxes are told in those of the image."""


class NoPicture(Exception):
    """The message is a sentence for the person who looks."""


def picture_of(instance: Instance, *, frame_number: int, is_even: bool = False) -> bytes:
    """One frame (from 1) as WebP. `is_even` spreads all shades evenly, so that text which is hardly brighter
    than its ground can be seen. Raises NoPicture."""
    try:
        with open_instance(instance) as file:
            header = read_header(file)
            content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
            pixel = pixel_format(header)
            ranges = frame_ranges(content, header, pixel)
            if not 1 <= frame_number <= len(ranges) or ranges[frame_number - 1] is None:
                raise NoPicture("This frame is cut off: the file ends before it.")
            encoded = read_ranges(content, ranges[frame_number - 1] or ())
            array = decode_frame(header, pixel, encoded, frame_number - 1)
    except (NotDicom, Unreadable, NoFrames, CannotDecode, ObjectMissing, EOFError) as error:
        raise NoPicture(str(error)) from error
    looks = renditions(array, inverted=pixel.photometric == "MONOCHROME1")
    if not looks:
        looks = [np.zeros((*array.shape[:2], 3), np.uint8)]
    picture = Image.fromarray(looks[-1] if is_even else looks[0])
    if is_even and array.ndim == 3:
        picture = ImageOps.equalize(picture)
    picture.thumbnail((SIDE_MAX, SIDE_MAX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90, method=2)
    return buffer.getvalue()
