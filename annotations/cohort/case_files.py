"""The files of one case in a release: images and masks, segmentations, marks and measurements.

    cases/0314/images/CT_<series>.nii.gz                the image, in the series' units
    cases/0314/<reader>/masks/CT_<series>_<label>.nii.gz  a mask on its grid, one a segment
    cases/0314/<reader>/seg/CT_<series>.dcm             the same segments as DICOM Segmentation
    cases/0314/<reader>/annotations.json                every mark, and what could not be written, and why
    cases/0314/<reader>/measurements.csv                one row a mark
    cases/0314/<reader>/answers.csv                     one row an answer, where any was given

A reader is an identifier without a name behind it, the same in all releases of a project.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from django.utils.crypto import salted_hmac

from annotations.cohort.images import StoredSeries
from annotations.exchange.answers import answers_as_json, answers_csv
from annotations.exchange.marks import Mark
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.seg_writer import SegIdentity, Segment, write_seg
from annotations.exchange.source import ExchangeError, FrameKey
from annotations.exchange.tables import ReadFacts, as_json, mark_as_json, measurement_row, measurements_csv
from annotations.models import Read, ReferenceStandard, Release, ReleaseCase, Review, Submission
from annotations.reading.adjudication.telling import decisions_of
from annotations.reading.journal import State, state_at
from annotations.reading.measurements import measure
from annotations.reading.proposals import changed_since_taken_over, proposals
from atlas.models import Series

STATE_TEXTS = {
    "present": "Present",
    "absent": "Absent: looked, nothing there",
    "indeterminate": "Indeterminate",
    "not_assessed": "Not assessed",
}

COORDINATES = (
    "points_patient_mm: patient millimetres, LPS. points_image: (column, row) in pixels, the centre of the "
    "first pixel is (0.5, 0.5). Frames count from 1."
)

type Write = Callable[[BinaryIO], object]
"""Writes one file into a stream."""


def reader_identifier(release: Release, user_public_id: str) -> str:
    """The same for a reader throughout a project, and not to be led back to them from outside."""
    value = f"{release.project.public_id}/{user_public_id}"
    secret = salted_hmac("annotations.release reader", value, algorithm="sha256")
    return f"reader-{secret.hexdigest()[:8]}"


class CaseFiles:
    """Plans the files of a case, with every image series that its readers had.

    Each file comes with a function that writes it into a stream."""

    def __init__(self, release: Release, pinned: list[ReleaseCase]) -> None:
        self.release = release
        self.pinned = pinned
        self.case = pinned[0].case
        self.folder = f"cases/{self.case.number:04d}"
        self.stored: dict[str, StoredSeries] = {}
        self.nifti_of: dict[str, NiftiWriter | ExchangeError] = {}

    def files(self) -> Iterator[tuple[str, ReleaseCase | None, Write]]:
        """(path, whose read, how to write it)."""
        states = {each.pk: self._state(each) for each in self.pinned}
        self._load({mark.value["series"] for state in states.values() for mark in state.annotations})
        for series_id, stored in sorted(self.stored.items()):
            nifti = self._nifti(series_id)
            if isinstance(nifti, NiftiWriter):
                yield self._image_path(stored), None, self._image(stored, nifti)
        for each in self.pinned:
            yield from self._read_files(each, states[each.pk])

    # What there is --------------------------------------------------------------------------------

    def _state(self, pinned: ReleaseCase) -> State:
        return state_at(pinned.submission.read, pinned.submission.edit_number)

    def _load(self, marked: set[str]) -> None:
        shown = Series.objects.filter(study__cases=self.case, frame_count__gt=0).select_related("study")
        self.stored = {one.public_id: StoredSeries(one) for one in shown}
        missing = marked - set(self.stored)
        if missing:
            raise ExchangeError(f"series {min(missing)}, which was drawn on, is not in the case any more")

    def _nifti(self, series_id: str) -> NiftiWriter | ExchangeError:
        """How to write NIfTI of a series, or why it can't be."""
        if series_id not in self.nifti_of:
            stored = self.stored[series_id]
            try:
                spoilt = next(filter(None, map(stored.spoilt, ("volume", "millimetres", "units"))), "")
                writer = NiftiWriter.of(stored.source)
                self.nifti_of[series_id] = ExchangeError(spoilt) if spoilt else writer
            except ExchangeError as reason:
                self.nifti_of[series_id] = reason
        return self.nifti_of[series_id]

    # Images -----------------------------------------------------------------------------------------

    def _name(self, stored: StoredSeries) -> str:
        return f"{stored.series.modality}_{stored.series.public_id}"

    def _image_path(self, stored: StoredSeries) -> str:
        return f"{self.folder}/images/{self._name(stored)}.nii.gz"

    def _image(self, stored: StoredSeries, nifti: NiftiWriter) -> Write:
        def write(stream: BinaryIO) -> None:
            try:
                nifti.write_image(stream, stored.pixels, stored_range=stored.stored_range)
            except ExchangeError as error:
                raise ExchangeError(f"series {_described(stored)}: {error}") from error

        return write

    # Marks of one read --------------------------------------------------------------------------------

    def _read_files(self, pinned: ReleaseCase, state: State) -> Iterator[tuple[str, ReleaseCase, Write]]:
        reader = reader_identifier(self.release, pinned.submission.read.reader.public_id)
        folder = f"{self.folder}/{reader}"
        marks = self._marks(pinned, state)
        places: dict[str, dict[str, Any]] = {}
        series_facts = []
        for series_id, stored in sorted(self.stored.items()):
            segments = [m for m in marks if m.becomes_mask and m.value["series"] == series_id]
            nifti = self._nifti(series_id)
            if segments:
                path = f"{folder}/seg/{self._name(stored)}.dcm"
                yield path, pinned, self._seg(stored, segments, reader)
                for number, mark in enumerate(segments, start=1):
                    places[str(mark.identity)] = {"seg": path, "seg_segment_number": number}
            if isinstance(nifti, NiftiWriter):
                for mark, name in zip(segments, _mask_names(segments), strict=True):
                    path = f"{folder}/masks/{self._name(stored)}_{name}.nii.gz"
                    yield path, pinned, _mask(nifti, mark)
                    places[str(mark.identity)]["mask"] = path
            series_facts.append(self._series_facts(stored, nifti))
        facts = ReadFacts(
            case_number=self.case.number,
            subject=self.case.subject.pseudonym,
            reader=reader,
            round=pinned.submission.round,
        )
        answers = self._answers(pinned, state)
        document = self._document(pinned, state, facts, marks, places, series_facts, answers)
        yield f"{folder}/annotations.json", pinned, _bytes(as_json(document))
        rows = [measurement_row(mark, facts) for mark in marks]
        yield f"{folder}/measurements.csv", pinned, _bytes(measurements_csv(rows))
        if answers:
            yield f"{folder}/answers.csv", pinned, _bytes(answers_csv(answers, facts))

    def _answers(self, pinned: ReleaseCase, state: State) -> list[dict[str, Any]]:
        series = [stored.series for stored in self.stored.values()]
        uids = {one.public_id: one.series_instance_uid for one in series}
        uids |= {study.public_id: study.study_instance_uid for study in self.case.studies.all()}
        questions = pinned.submission.read.schema.questions
        return answers_as_json((answer.value for answer in state.answers), questions, uids)

    def _marks(self, pinned: ReleaseCase, state: State) -> list[Mark]:
        """By label in the schema's order, then in the order they were drawn."""
        read = pinned.submission.read
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
                    source=self.stored[kept.value["series"]].source,
                    planes=planes.get(kept.annotation_id, {}),
                    numbers=numbers.numbers,
                    estimated=numbers.estimated,
                    problem=numbers.problem or "",
                    changed=changed.get(kept.annotation_id),
                )
            )
        return sorted(found, key=lambda mark: order[mark.label["key"]])

    def _seg(self, stored: StoredSeries, marks: list[Mark], reader: str) -> Write:
        names = _numbered([mark.label["name"] for mark in marks], " ")
        segments = [
            Segment(
                label=name,
                meaning=mark.meaning,
                planes=mark.planes,
                description=STATE_TEXTS.get(mark.state, mark.state),
                identity=mark.identity,
                color=mark.label.get("color"),
            )
            for mark, name in zip(marks, names, strict=True)
        ]
        project = self.release.project
        identity = SegIdentity(
            parts=(project.public_id, self.release.number, self.case.number, reader),
            at=self.release.frozen_at,
            description=f"Release {self.release.number}, case {self.case.number}, {reader}",
        )

        def write(stream: BinaryIO) -> None:
            try:
                stream.write(
                    write_seg(
                        source=stored.source,
                        header=stored.header(),
                        sop_classes=stored.sop_classes,
                        segments=segments,
                        identity=identity,
                    )
                )
            except ExchangeError as error:
                raise ExchangeError(f"series {_described(stored)}: {error}") from error

        return write

    def _series_facts(self, stored: StoredSeries, nifti: NiftiWriter | ExchangeError) -> dict[str, Any]:
        written = isinstance(nifti, NiftiWriter)
        return {
            "study_instance_uid": stored.series.study.study_instance_uid,
            "series_instance_uid": stored.series.series_instance_uid,
            "modality": stored.series.modality,
            "description": stored.series.description,
            "units": stored.source.units,
            "image": self._image_path(stored) if written else None,
            "no_nifti_because": "" if written else str(nifti),
        }

    def _reference(self, pinned: ReleaseCase) -> dict[str, Any]:
        """How this reference standard came about, if it is one: from which reads, lesion by lesion."""
        submission = pinned.submission
        standard = ReferenceStandard.objects.filter(case=self.case, submission=submission).first()
        if standard is None:
            return {}
        found: dict[str, Any] = {"how": standard.how}
        if submission.read.kind == Read.Kind.ADJUDICATION:
            identify = partial(reader_identifier, self.release)
            found |= decisions_of(submission.read, identify)
        return {"reference_standard": found}

    def _document(
        self,
        pinned: ReleaseCase,
        state: State,
        facts: ReadFacts,
        marks: list[Mark],
        places: dict[str, dict[str, Any]],
        series_facts: list[dict[str, Any]],
        answers: list[dict[str, Any]],
    ) -> dict[str, Any]:
        read, project = pinned.submission.read, self.release.project
        return {
            "format": "atlas annotations",
            "version": 1,
            "coordinates": COORDINATES,
            "release": {"project": project.slug, "number": self.release.number},
            "case": {"number": facts.case_number, "subject": facts.subject, "sex": self.case.subject.sex},
            "read": {
                "reader": facts.reader,
                "round": facts.round,
                "edit_number": state.number,
                "submitted_at": pinned.submission.at.isoformat(),
                "accepted_at": accepted_at(pinned.submission).isoformat(),
            },
            **self._reference(pinned),
            "schema": {
                "version": read.schema.version,
                "labels": read.schema.labels,
                "questions": read.schema.questions,
            },
            "series": series_facts,
            "answers": answers,
            "proposals": [
                {
                    "imported": one.imported,
                    "kind": one.kind,
                    "name": one.name,
                    "origin": one.origin,
                    "verdict": one.verdict,
                    "at": one.at,
                    "annotations": [
                        {"id": str(identity), "changed": is_changed}
                        for identity, is_changed in one.annotations.items()
                    ],
                }
                for one in proposals(read, state)
            ],
            "annotations": [mark_as_json(mark, files=places.get(str(mark.identity), {})) for mark in marks],
        }


def accepted_at(submission: Submission) -> datetime:
    """By a reviewer; where nobody reviews, when it was handed in."""
    review: Review | None = getattr(submission, "review", None)
    return review.at if review else submission.at


def _described(stored: StoredSeries) -> str:
    series = stored.series
    return f"{series.number if series.number is not None else ''} “{series.description}”".strip()


def _mask_names(marks: list[Mark]) -> list[str]:
    return _numbered([mark.label["key"] for mark in marks], "_")


def _numbered(names: list[str], joint: str) -> list[str]:
    """The same names, the second of its kind with a 2, and so on."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}{joint}{seen[name]}")
    return found


def _mask(nifti: NiftiWriter, mark: Mark) -> Write:
    return lambda stream: nifti.write_mask(stream, mark.planes)


def _bytes(content: bytes) -> Write:
    return lambda stream: stream.write(content)
