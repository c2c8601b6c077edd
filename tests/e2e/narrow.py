"""A series whose pixels are 0.8 mm high and 0.4 mm wide: who confuses rows and columns is found out."""

from pathlib import Path

import numpy as np
from pydicom.uid import generate_uid

from tests.atlas.slices import header, part_10
from tests.e2e.node import Node
from tests.e2e.room import assigned

ROWS, COLUMNS, ROW_MM, COLUMN_MM = 120, 200, 0.8, 0.4  # rows lie twice as far apart as columns


def narrow_case(node: Node, folder: Path, subject: str) -> str:
    """A case of reader1's of five slices, stored value = 10 row + column + 1000 slice; returns the read."""
    study, series = generate_uid(), generate_uid()
    values = np.add.outer(np.arange(ROWS) * 10, np.arange(COLUMNS)).astype(np.uint16)
    for index in range(5):
        image = header(
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            PatientID=subject,
            ImagePositionPatient=[10, 20, 3 * index],
            SliceThickness=3,
            InstanceNumber=index + 1,
            PixelSpacing=[ROW_MM, COLUMN_MM],
        )
        (folder / f"{index}.dcm").write_bytes(part_10(image, values + index * 1000))
    return assigned(node, folder, dataset="lung-ct", subject=subject, reader="reader1")
