"""Answers and proposals in a release: what was said about what, and what became of marks that came along."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from annotations.cohort import releases
from annotations.models import ImportedSegment, Read, Release
from annotations.reading import journal
from annotations.reading.journal.answers import answer_id
from annotations.reading.proposals import proposals
from tests.annotations.cohort.conftest import Cohort
from tests.annotations.cohort.test_release import annotations, content, run_jobs, table

MARGIN = {
    "key": "margin",
    "text": "Margin",
    "of": "annotation",
    "only": [],
    "type": "choices",
    "options": [
        {"key": "smooth", "name": "Smooth", "code": {"value": "1", "scheme": "99X", "meaning": "Smooth"}},
        {"key": "spiculated", "name": "Spiculated", "code": None},
    ],
    "unit": "",
    "least": None,
    "most": None,
    "required": False,
    "when": None,
}
DAYS = MARGIN | {
    "key": "days",
    "text": "Days since surgery",
    "of": "study",
    "type": "number",
    "unit": "d",
    "options": [],
}


def put(read: Read, *values: tuple[UUID, Any], group: UUID | None = None, sop: str | None = None) -> None:
    """One gesture: whole values of marks, answers, or of one mark's slice; null deletes."""
    group = group or uuid4()
    versions = {row.annotation_id: row.version for row in read.annotations.all()}
    edits = []
    for identity, value in values:
        target: dict[str, Any] = {"annotation": str(identity)}
        seen = versions.get(identity, 0)
        if sop is not None:
            target |= {"sop": sop, "frame": 1}
            plane = read.mask_planes.filter(annotation_id=identity, sop_instance_uid=sop).first()
            seen = plane.version if plane else 0
        edits.append(
            {
                "id": str(uuid4()),
                "group": str(group),
                "inverts": None,
                "at": timezone.now().isoformat(),
                "object": target,
                "seen": seen,
                "value": value,
            }
        )
    results, _ = journal.append(user=read.reader, read_id=read.public_id, edits=edits)
    assert [one["status"] for one in results] == ["applied"] * len(edits), results


def said(value: Any, *, answer: str, of: str, about: str = "", **more: Any) -> tuple[UUID, Any]:
    body = {"answer": answer, "of": of, "id": about, "value": value} | more
    return answer_id(answer=answer, of=of, about=about), body


def take_over(cohort: Cohort, read: Read, segment: ImportedSegment) -> UUID:
    """As the room accepts a proposal: the mark, its slices and the verdict in one gesture."""
    identity, group = uuid4(), uuid4()
    mark = cohort.segment("tumour") | {"origin": {"from": "imported", "imported": segment.public_id}}
    verdict = said("accepted", answer="proposal", of="imported", about=segment.public_id, at=AT)
    put(read, (identity, mark), verdict, group=group)
    for plane in segment.planes.order_by("pk"):
        runs = base64.b64encode(bytes(plane.runs)).decode()
        value = {"rle": runs, "rows": plane.rows, "columns": plane.columns}
        put(read, (identity, value), group=group, sop=plane.sop_instance_uid)
    return identity


AT = "2026-11-22T10:00:00Z"


@pytest.fixture
def read(cohort: Cohort) -> Read:
    cohort.schema.questions = [MARGIN, DAYS]
    cohort.schema.save()
    return cohort.read()


def frozen(cohort: Cohort, read: Read) -> Release:
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    release.refresh_from_db()
    assert (release.state, release.problem) == (Release.State.READY, "")
    return release


def test_a_release_holds_what_was_answered_about_what(cohort: Cohort, read: Read) -> None:
    mark = uuid4()
    put(
        read,
        (mark, cohort.segment("tumour")),
        said(["smooth", "spiculated"], answer="margin", of="annotation", about=str(mark)),
        said(41, answer="days", of="study", about=cohort.series.study.public_id),
        said("absent", answer="state", of="label", about="node"),
    )
    release = frozen(cohort, read)
    _, document = annotations(release)
    assert [(one["question"], one["about"], one["answer"]) for one in document["answers"]] == [
        ("state", "label", "absent"),
        ("margin", "annotation", ["smooth", "spiculated"]),
        ("days", "study", 41),
    ]
    assert document["answers"][2]["about_id"] == cohort.series.study.study_instance_uid
    assert [one["key"] for one in document["schema"]["questions"]] == ["margin", "days"]
    rows = table(release, "answers")
    assert [row["answer_text"] for row in rows] == ["absent", "Smooth; Spiculated", "41"]
    assert (rows[1]["code_value"], rows[1]["about_id"], rows[2]["unit"]) == ("1", str(mark), "d")
    assert json.loads(content(release, "labels.json"))["schemas"][0]["questions"][1]["key"] == "days"


def test_without_answers_their_table_is_empty(cohort: Cohort, read: Read) -> None:
    put(read, (uuid4(), cohort.segment("tumour")))
    release = frozen(cohort, read)
    assert table(release, "answers") == []
    assert annotations(release)[1]["answers"] == []


def test_a_proposal_that_was_accepted_says_whether_it_was_changed(cohort: Cohort, read: Read) -> None:
    segment = ImportedSegment.objects.get()
    identity = take_over(cohort, read, segment)
    [proposal] = proposals(read, journal.state(read))
    assert (proposal.verdict, proposal.annotations, proposal.at) == ("accepted", {identity: False}, AT)
    mark = read.annotations.get(annotation_id=identity).value
    put(read, (identity, mark | {"note": "As I see it, too."}))
    assert proposals(read, journal.state(read))[0].annotations == {identity: False}
    plane = segment.planes.order_by("pk")[0]
    put(read, (identity, None), sop=plane.sop_instance_uid)
    assert proposals(read, journal.state(read))[0].annotations == {identity: True}
    back = {"rle": base64.b64encode(bytes(plane.runs)).decode(), "rows": plane.rows, "columns": plane.columns}
    put(read, (identity, back), sop=plane.sop_instance_uid)
    assert proposals(read, journal.state(read))[0].annotations == {identity: False}


def test_a_release_tells_of_every_proposal_and_of_its_marks(cohort: Cohort, read: Read) -> None:
    segment = ImportedSegment.objects.get()
    identity = take_over(cohort, read, segment)
    put(read, (identity, None), sop=segment.planes.order_by("pk")[0].sop_instance_uid)
    put(read, (uuid4(), cohort.segment("tumour")))
    release = frozen(cohort, read)
    _, document = annotations(release)
    [proposal] = document["proposals"]
    assert proposal["verdict"] == "accepted"
    assert proposal["annotations"] == [{"id": str(identity), "changed": True}]
    origins = [mark["origin"] for mark in document["annotations"]]
    assert origins == [
        {"from": "imported", "imported": segment.public_id, "changed": True},
        {"from": "reader"},
    ]
    rows = table(release, "annotations")
    assert [(row["origin"], row["changed"]) for row in rows] == [("imported", "true"), ("reader", "")]
    assert [row["proposed_by"] for row in rows] == [proposal["origin"], ""]


def test_a_rejected_proposal_stays_rejected_until_the_reader_reconsiders(cohort: Cohort, read: Read) -> None:
    segment = ImportedSegment.objects.get()
    verdict = said("rejected", answer="proposal", of="imported", about=segment.public_id, at=AT)
    put(read, verdict)
    assert [one.verdict for one in proposals(read, journal.state(read))] == ["rejected"]
    put(read, (verdict[0], None))
    assert [one.verdict for one in proposals(read, journal.state(read))] == ["open"]
