"""What the pixels should be, recomputed apart from the product."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pydicom

from tests.e2e.node import Node


def painted_by_hand(
    a: np.ndarray, b: np.ndarray, radius_mm: float, rows: int, columns: int, row_mm: float, column_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """The voxels within the radius of the segment a-b (column, row), and those too near the rim to tell."""
    row, column = np.mgrid[:rows, :columns]
    point = np.stack([column * column_mm, row * row_mm], axis=-1)
    scale = np.array([column_mm, row_mm])
    start, way = a * scale, (b - a) * scale
    along = np.clip(((point - start) @ way) / max(way @ way, 1e-12), 0, 1)
    distance = np.linalg.norm(point - (start + along[..., None] * way), axis=-1)
    return distance <= radius_mm, np.abs(distance - radius_mm) < 1e-6


def stored_file(node: Node, sop: str) -> pydicom.Dataset:
    """The DICOM file of an image, as the node keeps it."""
    text = node.python(
        "import base64\n"
        "from atlas.archive.storage import open_instance\n"
        "from atlas.models import Instance\n"
        f"with open_instance(Instance.objects.get(sop_instance_uid={sop!r})) as file:\n"
        "    print(base64.b64encode(file.read()).decode())"
    )
    return pydicom.dcmread(BytesIO(b64decode(text.strip())))
