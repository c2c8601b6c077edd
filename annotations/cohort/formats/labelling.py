"""What the reference read of a case says of each label on one series, and which numbers labels have.

A network that learns from voxels takes everything outside a mask for “not there”. That is true only of labels
which somebody looked for; what is said of the others is told beside the files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotations.cohort import policies
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import ReadMaterial
from annotations.exchange.codes import type_of
from annotations.exchange.marks import SEGMENT, Mark
from annotations.measures import masks
from annotations.models import LabelSchema, Release

REGIONS = frozenset({"ellipse", "circle", "rectangle", "polygon", "freehand", "spline", "livewire"})
"""Figures on one image that enclose pixels."""

NOT_OUTLINED = "present, not outlined"
ELSEWHERE = "present, outlined on another series"
INDETERMINATE = "indeterminate"
NOT_ASSESSED = "not assessed"
NOT_STATED = "not stated"

KEPT_FOR_NETWORKS = {"background", "ignore"}  # names that mean something else there

NO_REFERENCE = "several accepted reads and no reference standard"
ONLY_READERS = "the release holds what each reader marked, and of this case not what stands for it"


def why_no_reference(release: Release) -> str:
    return ONLY_READERS if release.content == Release.Content.READERS else NO_REFERENCE


@dataclass(frozen=True)
class NumberedLabel:
    """A label of a project with the number that its voxels and outlines have, from 1."""

    number: int
    label: Mapping[str, Any]

    @property
    def key(self) -> str:
        return str(self.label["key"])

    @property
    def name(self) -> str:
        """As files call it: its key, but for keys that mean something else to those who read them."""
        return f"{self.key}_label" if self.key in KEPT_FOR_NETWORKS else self.key

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.number,
            "key": self.key,
            "name": self.label["name"],
            "code": type_of(self.label).as_json(),
        }


def numbered_labels(release: Release, kinds: Iterable[str]) -> list[NumberedLabel]:
    """The labels that may be marked by one of these kinds, in the schema's order.

    Labels that a later version of the schema brought come behind those of the versions before, so that a
    label keeps its number while the schema grows.
    """
    wanted = set(kinds)
    newest = policies.schemas_of(release).last()
    versions = LabelSchema.objects.none()
    if newest:
        versions = LabelSchema.objects.filter(project=release.project, version__lte=newest.version)
    found: dict[str, Mapping[str, Any]] = {}
    for schema in versions.exclude(is_draft=True).order_by("version"):
        for label in schema.labels:
            if label["key"] in found or wanted & set(label["kinds"]):
                found[label["key"]] = label  # its place is that of the first version, its words the last's
    return [NumberedLabel(number, label) for number, label in enumerate(found.values(), start=1)]


def has_outline(mark: Mark, kinds: Iterable[str]) -> bool:
    """Whether it encloses anything on an image of its series."""
    if mark.kind not in kinds:
        return False
    if mark.kind == SEGMENT:
        return any(masks.voxel_count(runs) for runs in mark.planes.values())
    return bool(mark.value.get("sop"))  # what was drawn on a cut lies on no image


def unknown_labels(
    read: ReadMaterial, stored: StoredSeries, labels: Iterable[NumberedLabel], kinds: frozenset[str]
) -> dict[str, str]:
    """Labels whose pixels on a series are not known, with the reason, by key.

    Known are those that are outlined there (what is indeterminate about an outline is in the outline), and
    those that were looked for and are absent.
    """
    own = {label["key"]: label for label in read.submission.read.schema.labels}
    stated = stated_of_labels(read)
    found = {}
    for each in labels:
        if own.get(each.key, {}).get("retired") and not any(m.label["key"] == each.key for m in read.marks):
            continue
        why = _why_unknown(
            [mark for mark in read.marks if mark.label["key"] == each.key],
            stated.get(each.key),
            stored.series.public_id,
            kinds,
        )
        if why:
            found[each.key] = why
    return found


def stated_of_labels(read: ReadMaterial) -> dict[str, str]:
    """What was said of whole labels, by key: present, absent, indeterminate, not_assessed."""
    said = (answer for answer in read.answers if answer["about"] == "label")
    return {answer["about_id"]: answer["answer"] for answer in said}


def _why_unknown(marks: list[Mark], stated: str | None, series_id: str, kinds: frozenset[str]) -> str:
    outlined = [mark for mark in marks if has_outline(mark, kinds) and mark.state != "absent"]
    states = {mark.state for mark in marks} | ({stated} if stated else set())
    if any(mark.value["series"] == series_id for mark in outlined):
        return ""
    if any(mark.state == "present" for mark in outlined):
        return ELSEWHERE
    for state, why in (
        ("present", NOT_OUTLINED),
        ("indeterminate", INDETERMINATE),
        ("absent", ""),
        ("not_assessed", NOT_ASSESSED),
    ):
        if state in states:
            return why
    return NOT_STATED


def owed_labels(read: ReadMaterial, unknown: Mapping[str, str]) -> list[str]:
    """Labels that the schema requires of every read, and whose pixels are not known nevertheless."""
    required = {label["key"] for label in read.submission.read.schema.labels if label.get("required")}
    return [key for key, why in unknown.items() if key in required and why != ELSEWHERE]


def says_nothing_is_there(read: ReadMaterial, labels: Iterable[NumberedLabel]) -> bool:
    """Whether the case as a whole was read as showing none of these labels, with at least one looked for."""
    keys = {each.key for each in labels}
    stated = stated_of_labels(read)
    states = {mark.state for mark in read.marks if mark.label["key"] in keys}
    states |= {state for key, state in stated.items() if key in keys}
    return "absent" in states and not states & {"present", "indeterminate"}
