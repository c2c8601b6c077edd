"""What every format is made from: the series of a case, and the marks of each read that the release pins.

A reader is an identifier without a name behind it, the same in all releases of a project.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.crypto import salted_hmac

from annotations.cohort.images import StoredSeries
from annotations.exchange.answers import answers_as_json
from annotations.exchange.marks import Mark
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.source import ExchangeError, FrameKey
from annotations.exchange.tables import ReadFacts
from annotations.models import Case, Release, ReleaseCase, ReleaseFile, ReleaseRead, Review, Submission
from annotations.reading.journal import State, state_at
from annotations.reading.measurements import measure
from annotations.reading.proposals import changed_since_taken_over
from atlas.archive.storage import storage
from atlas.models import Series


def reader_identifier(release: Release, user_public_id: str) -> str:
    """The same for a reader throughout a project, and not to be led back to them from outside."""
    value = f"{release.project.public_id}/{user_public_id}"
    secret = salted_hmac("annotations.release reader", value, algorithm="sha256")
    return f"reader-{secret.hexdigest()[:8]}"


def accepted_at(submission: Submission) -> datetime:
    """By a reviewer; where nobody reviews, when it was handed in."""
    review: Review | None = getattr(submission, "review", None)
    return review.at if review else submission.at


def described(stored: StoredSeries) -> str:
    """A series as a sentence names it."""
    series = stored.series
    return f"{series.number if series.number is not None else ''} “{series.description}”".strip()


def numbered(names: list[str], between: str) -> list[str]:
    """Names that come again get a number: tumour, tumour_2."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}{between}{seen[name]}")
    return found


class CaseMaterial:
    """One case of a release, with every image series that its readers had."""

    def __init__(self, release_case: ReleaseCase, pinned: list[ReleaseRead]) -> None:
        """`pinned` with submission, read, reader, schema and review joined."""
        if release_case.case is None:
            raise ExchangeError("this case was erased")
        self.release: Release = release_case.release
        self.release_case = release_case
        self.case: Case = release_case.case
        self.folder = f"cases/{release_case.number:04d}"
        self.reads = [ReadMaterial(self, each) for each in pinned]
        shown = Series.objects.filter(study__cases=self.case, frame_count__gt=0).select_related("study")
        self.stored = {one.public_id: StoredSeries(one) for one in shown.order_by("public_id")}
        self._nifti: dict[str, NiftiWriter | ExchangeError] = {}
        self._made: dict[Callable[[CaseMaterial], Any], Any] = {}
        marked = {mark.value["series"] for read in self.reads for mark in read.state.annotations}
        if missing := marked - set(self.stored):
            raise ExchangeError(f"series {min(missing)}, which was drawn on, is not in the case any more")

    @property
    def reference(self) -> "ReadMaterial | None":
        """The read that stands for the case: its reference standard, or the only one that was accepted."""
        return next((read for read in self.reads if read.pinned.is_reference), None)

    def nifti(self, stored: StoredSeries) -> NiftiWriter | ExchangeError:
        """How to write NIfTI of a series, or why it can't be."""
        series_id = stored.series.public_id
        if series_id not in self._nifti:
            try:
                spoilt = next(filter(None, map(stored.spoilt, ("volume", "millimetres", "units"))), "")
                writer = NiftiWriter.of(stored.source)
                self._nifti[series_id] = ExchangeError(spoilt) if spoilt else writer
            except ExchangeError as reason:
                self._nifti[series_id] = reason
        return self._nifti[series_id]

    def once[T](self, make: Callable[["CaseMaterial"], T]) -> T:
        """What this function makes of the case: made once, for all who ask."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    def writes(self, format_key: str) -> bool:
        """Whether the release has files of this format."""
        return format_key in self.release.formats


@dataclass(frozen=True)
class ReadMaterial:
    """One accepted read, exactly as it was when accepted."""

    material: CaseMaterial
    pinned: ReleaseRead

    @property
    def submission(self) -> Submission:
        return self.pinned.submission

    @cached_property
    def reader(self) -> str:
        return reader_identifier(self.material.release, self.submission.read.reader.public_id)

    @property
    def folder(self) -> str:
        return f"{self.material.folder}/{self.reader}"

    @property
    def facts(self) -> ReadFacts:
        return ReadFacts(
            case_number=self.material.case.number,
            subject=self.material.case.subject.pseudonym,
            reader=self.reader,
            round=self.submission.round,
            is_reference=self.pinned.is_reference,
            schema_version=self.submission.read.schema.version,
        )

    @cached_property
    def state(self) -> State:
        return state_at(self.submission.read, self.submission.edit_number)

    @cached_property
    def marks(self) -> list[Mark]:
        """By label in the schema's order, then in the order they were drawn."""
        read, state = self.submission.read, self.state
        labels = {label["key"]: label for label in read.schema.labels}
        order = {key: index for index, key in enumerate(labels)}
        measured = {one.annotation: one for one in measure(read, state)}
        changed = changed_since_taken_over(read, state)
        planes: dict[Any, dict[FrameKey, bytes]] = {}
        for plane in state.planes:
            key = FrameKey(plane.sop_instance_uid, plane.frame_number)
            planes.setdefault(plane.annotation_id, {})[key] = plane.runs
        found = []
        for kept in state.annotations:
            label = labels.get(kept.value["label"])
            if label is None:
                raise ExchangeError(
                    f"a mark has the label {kept.value['label']!r}, which its schema doesn't know"
                )
            numbers = measured[str(kept.annotation_id)]
            found.append(
                Mark(
                    identity=kept.annotation_id,
                    value=kept.value,
                    label=label,
                    source=self.material.stored[kept.value["series"]].source,
                    planes=planes.get(kept.annotation_id, {}),
                    numbers=numbers.numbers,
                    estimated=numbers.estimated,
                    problem=numbers.problem or "",
                    changed=changed.get(kept.annotation_id),
                )
            )
        return sorted(found, key=lambda mark: order[mark.label["key"]])

    def marks_on(self, stored: StoredSeries) -> list[Mark]:
        return [mark for mark in self.marks if mark.value["series"] == stored.series.public_id]

    def segments_on(self, stored: StoredSeries) -> list[Mark]:
        """What becomes a mask, also empty ones that say “looked, nothing there”."""
        return [mark for mark in self.marks_on(stored) if mark.becomes_mask]

    @cached_property
    def answers(self) -> list[dict[str, Any]]:
        series = [stored.series for stored in self.material.stored.values()]
        uids = {one.public_id: one.series_instance_uid for one in series}
        uids |= {study.public_id: study.study_instance_uid for study in self.material.case.studies.all()}
        questions = self.submission.read.schema.questions
        return answers_as_json((answer.value for answer in self.state.answers), questions, uids)


class ReleaseMaterial:
    """A release whose cases are all written: what the files that span them are made from."""

    def __init__(self, release: Release, made: Mapping[str, ReleaseFile] | None = None) -> None:
        """`made`: the files that span the cases, by path; it grows while they are made."""
        self.release = release
        self.made: Mapping[str, ReleaseFile] = {} if made is None else made
        self._known: dict[Callable[[ReleaseMaterial], Any], Any] = {}

    def once[T](self, make: Callable[["ReleaseMaterial"], T]) -> T:
        """What this function makes of all cases: made once, for all who ask."""
        if make not in self._known:
            self._known[make] = make(self)
        return self._known[make]

    def cases(self) -> Iterator[ReleaseCase]:
        """Those that are not withdrawn, by number."""
        rows = ReleaseCase.objects.filter(release=self.release, withdrawn_at=None).order_by("number")
        yield from rows.select_related("case__subject").iterator(chunk_size=500)

    def records(
        self,
        format_key: str,
        without_marks: Callable[[Any], Any] | None = None,
        *,
        part: str | None = None,
    ) -> Iterator[tuple[ReleaseCase, Any]]:
        """What a format recorded of each case that has any, or of those of a part; one at a time in memory.

        Files that span the cases are given to everybody, so a case that is sequestered whole is not among
        them. Of one whose marks are sequestered comes what `without_marks` leaves of its record; nothing,
        unless that is given.
        """
        for each in self.cases():
            if part is not None and each.part != part:
                continue
            withheld = withheld_of(self.release, each)
            if withheld == Release.Sequestered.ALL or (withheld and without_marks is None):
                continue
            record = record_of(each).get(format_key)
            if record is not None and withheld and without_marks:
                record = without_marks(record)
            if record is not None:
                yield each, record


def withheld_of(release: Release, release_case: ReleaseCase) -> Release.Sequestered | None:
    """What of a case only those who manage the project are given; None for nothing."""
    if release_case.part != ReleaseCase.Part.TEST or release.sequestered == Release.Sequestered.NOTHING:
        return None
    return Release.Sequestered(release.sequestered)


def record_of(release_case: ReleaseCase) -> dict[str, Any]:
    """By format key."""
    if not release_case.record_key:
        return {}
    with storage().open(release_case.record_key) as file:
        return json.loads(gzip.decompress(file.read()))


def record_bytes(records: dict[str, Any]) -> bytes:
    """The same records give the same bytes."""
    return gzip.compress(json.dumps(records, ensure_ascii=False).encode(), compresslevel=6, mtime=0)
