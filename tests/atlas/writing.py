"""Images with words drawn into their pixels."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from tests.atlas.slices import header

NAME = "LINDQVIST, MARA 12.03.1961"


def drawn(
    words: str = NAME, *, at: tuple[int, int] = (20, 30), size: int = 22, rows: int = 240, columns: int = 480
) -> np.ndarray:
    """(rows, columns) uint8: words in white at (column, row) on a faint pattern like tissue."""
    rng = np.random.default_rng(7)
    ground = np.clip(rng.normal(30, 8, (rows // 8, columns // 8)), 0, 60).astype(np.uint8)
    picture = Image.fromarray(ground).resize((columns, rows), Image.Resampling.BICUBIC)
    ImageDraw.Draw(picture).text(at, words, fill=235, font=ImageFont.load_default(size))
    return np.asarray(picture)


def ultrasound(frames: np.ndarray, **attributes) -> bytes:
    """A US file of (frames, rows, columns), (rows, columns) or (rows, columns, 3) uint8."""
    dataset = header(
        **{
            "SOPClassUID": UltrasoundImageStorage,
            "Modality": "US",
            "ImagePositionPatient": None,
            "ImageOrientationPatient": None,
            "PixelSpacing": None,
            "FrameOfReferenceUID": None,
            "RescaleSlope": None,
            "RescaleIntercept": None,
            "SOPInstanceUID": generate_uid(),
            **attributes,
        }
    )
    is_colour = frames.ndim == 3 and frames.shape[-1] == 3
    if frames.ndim == 3 and not is_colour:
        dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = frames.shape[:2] if is_colour else frames.shape[-2:]
    dataset.SamplesPerPixel = 3 if is_colour else 1
    dataset.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
    if is_colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = frames.tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
