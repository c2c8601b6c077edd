"""Which case, series and label a file of a prediction is about, by its name.

    0314_CT_<series>.nii.gz          a label map, with the values of the release's nnU-Net data set
    0314_CT_<series>_<label>.nii.gz  a mask of one label: whatever isn't 0 is inside
    0314_CT_<series>.dcm             a DICOM Segmentation; segments find their labels by code or name

The name before the ending is that of the case in the release's nnU-Net data sets, so what nnU-Net predicts
can be handed in as it is.
"""

import re
from dataclasses import dataclass

from annotations.exchange.source import ExchangeError

NAME_LENGTH_MAX = 200
_NAME = re.compile(
    r"(?P<case>\d{4,9})_[A-Z]{2,5}_(?P<series>[a-z0-9]{8,32})(?:_(?P<label>[a-z0-9_-]{1,64}))?"
    r"(?P<ending>\.nii\.gz|\.nii|\.dcm)"
)


@dataclass(frozen=True)
class PredictedName:
    """`series` is the node's identifier, `label` a key of the schema or empty for many labels."""

    case: int
    series: str
    label: str
    is_dicom: bool


def parse(name: str) -> PredictedName:
    """Raises ExchangeError with what a name must be like."""
    found = _NAME.fullmatch(name) if len(name) <= NAME_LENGTH_MAX else None
    if found is None:
        raise ExchangeError(
            "The name of a file says which case and series it is about: 0314_CT_<series>.nii.gz for a label "
            "map, 0314_CT_<series>_<label>.nii.gz for one label, or .dcm for a DICOM Segmentation."
        )
    is_dicom = found["ending"] == ".dcm"
    if is_dicom and found["label"]:
        raise ExchangeError("A DICOM Segmentation names its labels itself: leave the label out of its name.")
    return PredictedName(int(found["case"]), found["series"], found["label"] or "", is_dicom)
