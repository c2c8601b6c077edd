"""The formats of a release: one module each, all planning from the same material."""

from annotations.cohort.formats.about import About
from annotations.cohort.formats.annotations_json import AnnotationsJson
from annotations.cohort.formats.card import DataCard
from annotations.cohort.formats.coco import Coco
from annotations.cohort.formats.croissant import Croissant
from annotations.cohort.formats.labelmap import LabelMap
from annotations.cohort.formats.monai import Monai
from annotations.cohort.formats.nifti import Nifti
from annotations.cohort.formats.nnunet import NnUNet
from annotations.cohort.formats.originals import Originals
from annotations.cohort.formats.plan import Format
from annotations.cohort.formats.rtstruct import RtStruct
from annotations.cohort.formats.seg import Seg
from annotations.cohort.formats.sr import Sr
from annotations.cohort.formats.tables import Tables

FORMATS: dict[str, Format] = {
    one.key: one
    for one in (
        Nifti(),
        Seg(),
        LabelMap(is_compressed=False),
        LabelMap(is_compressed=True),
        RtStruct(),
        Sr(),
        Originals(),
        AnnotationsJson(),
        Tables(),
        NnUNet(),
        Monai(),
        Coco(),
    )
}
"""By key, in the order of pages."""

ALWAYS: tuple[Format, ...] = (About(), DataCard(), Croissant())
"""What every release holds besides, whatever was chosen; their files have no format."""
