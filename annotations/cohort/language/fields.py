"""The facts that a cohort may be chosen by: the only such list. Forms, API, documents and SQL follow it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from annotations.measures.figures import POINTS_LEAST_AND_MOST
from atlas.clinical.codes import KINDS, STAGES, STATUSES, TREATMENTS

INTEGER_MAX = 2_000_000_000
NUMBER_MAX = 1e9
DAYS_MAX = 100_000


class Kind(StrEnum):
    CHOICE = "choice"
    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    CODES = "codes"
    """Several of a list at once."""


OPERATORS: Mapping[Kind, Mapping[str, str]] = {
    Kind.CHOICE: {"is": "is", "is_not": "is not", "in": "is one of"},
    Kind.TEXT: {"is": "is", "contains": "contains", "starts_with": "starts with"},
    Kind.NUMBER: {
        "is": "is",
        "is_not": "is not",
        ">=": "is at least",
        "<=": "is at most",
        ">": "is more than",
        "<": "is less than",
        "between": "is between",
    },
    Kind.YES_NO: {"is": "is"},
    Kind.CODES: {"has": "has"},
}
WHETHER_KNOWN = {"known": "is known", "unknown": "is not known"}
"""For fields that may lack a value. What is unknown fulfils nothing else; `not` turns the answer round."""

_MM: Mapping[str, float] = {"mm": 1, "cm": 10}
_ML: Mapping[str, float] = {"ml": 1, "cm3": 1, "mm3": 0.001, "l": 1000}
_DAYS: Mapping[str, float] = {"days": 1, "weeks": 7}
_YEARS: Mapping[str, float] = {"years": 1}


@dataclass(frozen=True)
class Level:
    """What a fact is about. Of all but the case there may be many; a group asks of one and the same."""

    key: str
    one: str
    many: str
    is_of_readings: bool = False
    has_reads: bool = False
    """Its rows belong to a read that was handed in, so a group of them says of which (`of`)."""


LEVELS: Mapping[str, Level] = {
    level.key: level
    for level in (
        Level("case", "case", "cases"),
        Level("study", "time point", "time points"),
        Level("series", "image series", "image series"),
        Level("clinical", "clinical fact", "clinical facts", is_of_readings=True),
        Level("mark", "mark", "marks", is_of_readings=True, has_reads=True),
        Level("label", "label", "labels", is_of_readings=True, has_reads=True),
        Level("agreement", "comparison of two readers", "comparisons of two readers", is_of_readings=True),
        Level("read", "read", "reads", is_of_readings=True),
        Level("release", "release", "releases", is_of_readings=True),
    )
}
GROUPS = tuple(key for key in LEVELS if key != "case")


@dataclass(frozen=True)
class Field:
    """`units`: how many of the unit it is kept in, the first, each of them is. `values`: those everyone
    knows, with their words; None for a choice whose values are the project's own."""

    key: str
    level: str
    words: str
    kind: Kind
    help: str = ""
    units: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, str] | None = None
    may_lack: bool = False
    is_of_readings: bool = False
    whole: bool = False
    least: float = -NUMBER_MAX
    most: float = NUMBER_MAX

    @property
    def unit(self) -> str:
        """The one it is kept in, and that a number without unit has; "" for a bare number."""
        return next(iter(self.units), "")

    @property
    def operators(self) -> dict[str, str]:
        return {**OPERATORS[self.kind], **(WHETHER_KNOWN if self.may_lack else {})}

    @property
    def short(self) -> str:
        """Its name inside a group of its level."""
        return self.key.partition(".")[2]


_SEXES = {"F": "female", "M": "male", "O": "other"}
_YES_NO = {"yes": "yes", "no": "no"}
_LABEL_STATES = {
    "present": "present",
    "absent": "absent",
    "indeterminate": "indeterminate",
    "not_assessed": "not assessed",
}
_PURPOSES = {"ordinary": "to be read", "reference": "hidden reference", "training": "training"}
_REFERENCES = {
    "none": "none",
    "accepted": "one read, accepted",
    "agreed": "the readers agreed",
    "adjudicated": "adjudicated",
}
_READ_STATES = {
    "assigned": "assigned",
    "in_progress": "in progress",
    "submitted": "submitted",
    "returned": "returned",
    "accepted": "accepted",
}
_PLANES = {"axial": "axial", "coronal": "coronal", "sagittal": "sagittal", "oblique": "oblique"}
ORIGINS = {
    "reader": "drawn by the reader",
    "proposal": "a proposal, taken over as it came",
    "proposal_changed": "a proposal, changed by the reader",
    "adjudication": "made in adjudication",
}
FINDINGS = {
    "not_shown": "images that can't be shown",
    "truncated": "a file cut off",
    "undecodable": "images that can't be decoded",
    "ends_early": "pixels end early",
    "ultrasound_regions": "ultrasound regions",
    "lossy": "lossy compression",
    "lookup_table": "lookup table",
    "ill_formed": "ill-formed values",
    "no_suv": "no SUV",
    "mixed_size": "mixed sizes",
    "mixed_spacing": "mixed pixel spacing",
    "some_positions": "some positions missing",
    "no_reference": "no frame of reference",
    "mixed_reference": "several frames of reference",
    "mixed_orientation": "mixed directions",
    "no_calibration": "not calibrated",
    "projection": "uncalibrated projection",
    "estimated": "estimated millimetres",
    "phases": "several phases",
    "missing_slices": "missing slices",
    "uneven_spacing": "uneven slices",
    "one_place": "all in one place",
    "duplicate_slices": "duplicate slices",
    "gantry_tilt": "gantry tilt",
}
"""Codes of `atlas.dicom.quality` and `atlas.dicom.describe`, in words."""


def _same(name: str) -> dict[str, str]:
    return {category: category for category in STAGES[name]}


C = Kind.CHOICE
_ALL = (
    # The case and its subject.
    Field("subject.sex", "case", "sex", C, "DICOM Patient's Sex", values=_SEXES, may_lack=True),
    Field(
        "subject.age", "case", "age", Kind.NUMBER, "At the first time point", _YEARS, may_lack=True,
        whole=True, least=0, most=150,
    ),
    Field("subject.site", "case", "site", C, "The organisation whose subject it is, by its short name"),
    Field("case.number", "case", "case number", Kind.NUMBER, "Within the project", whole=True, least=0,
          most=INTEGER_MAX),
    Field("case.time_points", "case", "time points", Kind.NUMBER, "How many studies it has", whole=True,
          least=0, most=INTEGER_MAX),
    Field("case.purpose", "case", "purpose", C, values=_PURPOSES, is_of_readings=True),
    Field("case.recalled", "case", "recalled", Kind.YES_NO, "Taken back: no release may hold it",
          values=_YES_NO),
    Field("case.reference", "case", "reference standard", C, "Whether it has one, and how it came about",
          values=_REFERENCES, is_of_readings=True),
    Field("case.waits_for_adjudication", "case", "waits for adjudication", Kind.YES_NO, values=_YES_NO,
          is_of_readings=True),
    Field("case.readers", "case", "readers", Kind.NUMBER,
          "How many readers have handed in a read of it, adjudications not counted", whole=True, least=0,
          most=INTEGER_MAX, is_of_readings=True),
    # Time points.
    Field("study.dataset", "study", "dataset", C, "By its short name"),
    Field("study.description", "study", "study description", Kind.TEXT, may_lack=True),
    Field("study.age", "study", "age at the study", Kind.NUMBER, "", _YEARS, may_lack=True, whole=True,
          least=0, most=150),
    Field("study.position", "study", "time point number", Kind.NUMBER, "1 is the first", whole=True, least=1,
          most=30_000),
    Field("study.days_since_first", "study", "time since the first study", Kind.NUMBER,
          "0 for the first time point", _DAYS, may_lack=True, least=-DAYS_MAX, most=DAYS_MAX),
    Field("study.interval", "study", "time since the study before", Kind.NUMBER,
          "Not known for the first time point", _DAYS, may_lack=True, least=-DAYS_MAX, most=DAYS_MAX),
    # Image series.
    Field("series.modality", "series", "modality", C, "DICOM Modality", may_lack=True),
    Field("series.body_part", "series", "body part", C, "DICOM Body Part Examined", may_lack=True),
    Field("series.description", "series", "series description", Kind.TEXT, may_lack=True),
    Field("series.images", "series", "images", Kind.NUMBER, "How many are stored", whole=True, least=0,
          most=INTEGER_MAX),
    Field("series.plane", "series", "plane", C, "Of its slices", values=_PLANES, may_lack=True),
    Field("series.phases", "series", "phases", Kind.NUMBER,
          "How often it shows the same places: 1 for most, several in a dynamic series", whole=True, least=0,
          most=INTEGER_MAX, may_lack=True),
    Field("series.finding", "series", "finding", Kind.CODES, "What the quality gate found", values=FINDINGS,
          may_lack=True),
    Field("series.manufacturer", "series", "manufacturer", C, "Of the scanner, DICOM Manufacturer",
          may_lack=True),
    Field("series.model", "series", "model", Kind.TEXT, "Of the scanner, DICOM Manufacturer's Model Name",
          may_lack=True),
    Field("series.slice_thickness_mm", "series", "slice thickness", Kind.NUMBER, "DICOM Slice Thickness", _MM,
          may_lack=True, least=0),
    Field("series.pixel_spacing_mm", "series", "pixel spacing", Kind.NUMBER,
          "The larger of rows' and columns'", _MM, may_lack=True, least=0),
    # Clinical facts of the subject.
    Field("clinical.kind", "clinical", "kind", C, values=KINDS),
    Field("clinical.condition", "clinical", "condition", C,
          "scheme:value of a primary cancer, such as SCT:254637007", may_lack=True),
    Field("clinical.stage_t", "clinical", "T", C, "Primary tumour in TNM", values=_same("T"), may_lack=True),
    Field("clinical.stage_n", "clinical", "N", C, "Lymph nodes in TNM", values=_same("N"), may_lack=True),
    Field("clinical.stage_m", "clinical", "M", C, "Metastases in TNM", values=_same("M"), may_lack=True),
    Field("clinical.stage_group", "clinical", "stage group", C, "Of TNM", values=_same("group"),
          may_lack=True),
    Field("clinical.treatment", "clinical", "treatment", C, values=TREATMENTS, may_lack=True),
    Field("clinical.treatment_code", "clinical", "code of a treatment", C,
          "scheme:value, such as ATC:L01XA01", may_lack=True),
    Field("clinical.status", "clinical", "disease status", C, values=STATUSES, may_lack=True),
    Field("clinical.days_since_first", "clinical", "time since the first study", Kind.NUMBER,
          "From the first study to the day the fact began, below 0 if it began before; "
          "not known without a day",
          _DAYS, may_lack=True, least=-DAYS_MAX, most=DAYS_MAX),
    # Marks.
    Field("mark.label", "mark", "label", C, "Its key in the label schema"),
    Field("mark.code", "mark", "code", C, "scheme:value of its label, such as SCT:108369006", may_lack=True),
    Field("mark.kind", "mark", "kind", C,
          values={kind: kind for kind in ("segment", *POINTS_LEAST_AND_MOST)}),
    Field("mark.state", "mark", "state", C, values=_LABEL_STATES),
    Field("mark.longest_mm", "mark", "longest diameter", Kind.NUMBER, "In a plane", _MM, may_lack=True,
          least=0),
    Field("mark.shortest_mm", "mark", "diameter across", Kind.NUMBER,
          "In the plane of the longest, at right angles to it", _MM, may_lack=True, least=0),
    Field("mark.volume_ml", "mark", "volume", Kind.NUMBER, "", _ML, may_lack=True, least=0),
    Field("mark.origin", "mark", "origin", C, "A reader, or what came with the images, AI's for instance",
          values=ORIGINS),
    Field("mark.modality", "mark", "modality of its images", C, may_lack=True),
    # Labels.
    Field("label.label", "label", "label", C, "Its key in the label schema"),
    Field("label.code", "label", "code", C, "scheme:value, such as SCT:108369006", may_lack=True),
    Field("label.state", "label", "state", C, values=_LABEL_STATES),
    Field("label.lesions", "label", "lesions", Kind.NUMBER, "How many were marked", whole=True, least=0,
          most=INTEGER_MAX),
    Field("label.longest_mm", "label", "longest diameter", Kind.NUMBER, "Of the largest", _MM, may_lack=True,
          least=0),
    Field("label.volume_ml", "label", "volume", Kind.NUMBER, "Of all together", _ML, may_lack=True, least=0),
    # How far two readers agree.
    Field("agreement.label", "agreement", "label", C, "Its key in the label schema"),
    Field("agreement.dice", "agreement", "Dice", Kind.NUMBER, "0 to 1", may_lack=True, least=0, most=1),
    Field("agreement.surface_dice", "agreement", "surface Dice", Kind.NUMBER, "0 to 1", may_lack=True,
          least=0, most=1),
    Field("agreement.hd95_mm", "agreement", "surface distance (HD95)", Kind.NUMBER, "", _MM, may_lack=True,
          least=0),
    Field("agreement.unmatched", "agreement", "lesions that only one marked", Kind.NUMBER, whole=True,
          least=0, most=INTEGER_MAX),
    Field("agreement.disagrees", "agreement", "disagrees", Kind.YES_NO, "By the project's rule",
          values=_YES_NO),
    # Reads. Those that were set aside don't count.
    Field("read.state", "read", "state", C, values=_READ_STATES),
    Field("read.kind", "read", "kind", C, values={"read": "read", "adjudication": "adjudication"}),
    Field("read.reader", "read", "reader", C, "The name without a person behind it that releases use"),
    Field("read.round", "read", "round", Kind.NUMBER, "1 unless it was returned", whole=True, least=1,
          most=30_000),
    # Releases. Those it was withdrawn from don't count.
    Field("release.number", "release", "number", Kind.NUMBER, whole=True, least=1, most=INTEGER_MAX),
)  # fmt: skip

FIELDS: Mapping[str, Field] = {each.key: each for each in _ALL}


def fields_of(level: str) -> tuple[Field, ...]:
    return tuple(each for each in _ALL if each.level == level)


def is_of_readings(one: Field) -> bool:
    """Whether it says something of marks and reads, which a blind reader of the case may not learn."""
    return one.is_of_readings or LEVELS[one.level].is_of_readings
