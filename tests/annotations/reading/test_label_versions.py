"""Labels that change while people read: drafts, decisions, and what becomes of the marks."""

import uuid
from copy import deepcopy

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from annotations.models import Annotation, Edit, LabelSchema, ParkedEdit, Read
from annotations.reading import journal, schemas
from annotations.reading.journal.answers import answer_id
from annotations.reading.schemas import drafts, moving

from .conftest import LABELS, edit
from .test_answers import answer, choice

pytestmark = pytest.mark.django_db


def labels(*keys: str, **renamed: str) -> list[dict]:
    """Those of the cast, narrowed to these keys."""
    kept = [deepcopy(label) for label in LABELS if not keys or label["key"] in keys]
    for label in kept:
        label["name"] = renamed.get(label["key"], label["name"])
    return kept


def new(name: str, *kinds: str) -> dict:
    return {
        "key": "",
        "name": name,
        "color": "#a9d84e",
        "kinds": list(kinds),
        "code": None,
        "required": False,
    }


def drafted(cast, entries, questions=None, seen=1):
    return drafts.save_draft(
        by=cast.lead, project=cast.project, labels=entries, questions=questions, seen_version=seen
    )


def used(cast, draft, decisions=None, **more):
    return drafts.put_into_use(
        by=cast.lead, project=cast.project, seen_draft=drafts.stamp(draft), decisions=decisions, **more
    )


def changed_to(cast, entries, decisions=None, questions=None, seen=1):
    schema, _ = used(cast, drafted(cast, entries, questions, seen), decisions)
    cast.read.refresh_from_db()
    return schema


def marks(read):
    return {str(mark.annotation_id): mark.value for mark in journal.state(read).annotations}


# Drafts -------------------------------------------------------------------------------------------


def test_a_draft_is_nowhere_in_use(cast):
    drafted(cast, labels("tumour"))
    assert schemas.current_schema(cast.project).version == 1
    assert [schema.version for schema in schemas.schemas_of(cast.project)] == [1]
    assert cast.get("").json()["schema"]["version"] == 1


def test_a_draft_that_someone_else_changed_is_not_overwritten(cast):
    first = drafted(cast, labels("tumour"))
    with pytest.raises(ValidationError, match="someone else"):
        drafted(cast, labels("node"))
    second = drafts.save_draft(
        by=cast.lead,
        project=cast.project,
        labels=labels("node"),
        questions=None,
        seen_version=1,
        seen_draft=drafts.stamp(first),
    )
    assert [label["key"] for label in second.labels] == ["node"]
    assert LabelSchema.objects.filter(is_draft=True).count() == 1
    with pytest.raises(ValidationError, match="changed by someone else"):
        used(cast, first)


def test_a_draft_without_a_difference_is_none(cast):
    assert drafted(cast, deepcopy(cast.schema.labels)) is None
    assert not LabelSchema.objects.filter(is_draft=True).exists()


def test_a_version_written_meanwhile_leaves_the_draft_standing(cast):
    draft = drafted(cast, labels("tumour"))
    schemas.write_schema(by=cast.lead, project=cast.project, labels=labels(tumour="Mass"), seen_version=1)
    draft.refresh_from_db()
    assert draft.version == 3
    schema, _ = used(cast, draft, {"label:node": "leave_out"})
    assert schema.version == 3


@pytest.mark.parametrize("who", ["anna", "reviewer", "scientist"])
def test_only_a_lead_drafts_and_decides(cast, who):
    draft = drafted(cast, labels("tumour"))
    stranger = getattr(cast, who)
    with pytest.raises(PermissionDenied):
        drafts.discard_draft(by=stranger, project=cast.project)
    with pytest.raises(PermissionDenied):
        drafts.put_into_use(by=stranger, project=cast.project, seen_draft=drafts.stamp(draft))
    with pytest.raises(PermissionDenied):
        drafts.save_draft(by=stranger, project=cast.project, labels=labels(), questions=None, seen_version=1)


# Marks --------------------------------------------------------------------------------------------


def test_a_new_name_moves_open_reads_and_changes_no_mark(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    before = Edit.objects.count()
    schema = changed_to(cast, [*labels(tumour="Mass"), new("Cyst", "segment")])
    assert (cast.read.schema, cast.read.last_edit_number, Edit.objects.count()) == (schema, 1, before)
    assert Annotation.objects.get(annotation_id=mark).schema.version == 1  # the one it was made under


def test_what_a_removed_label_marked_needs_a_decision(cast):
    cast.apply([edit(cast.length())])
    draft = drafted(cast, labels("node"))
    with pytest.raises(ValidationError) as refusal:
        used(cast, draft)
    assert "label:tumour" in refusal.value.message_dict
    with pytest.raises(ValidationError):
        used(cast, draft, {"label:tumour": "to:nothing"})
    cast.read.refresh_from_db()
    assert cast.read.schema.version == 1


def test_marks_of_a_removed_label_go_under_another(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark), answer("present", of="label", about="tumour", key="state")])
    changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    assert marks(cast.read)[str(mark)]["label"] == "node"
    stated = answer_id(answer="state", of="label", about="node")
    [said] = journal.state(cast.read).answers
    assert (said.identity, said.value["id"]) == (stated, "node")
    moved = Edit.objects.filter(read=cast.read, number__gt=2)
    assert {one.by for one in moved} == {cast.lead}
    assert len({one.group for one in moved}) == 1
    assert [one.number for one in moved] == [3, 4, 5]
    assert journal.state_at(cast.read, 2).annotations[0].value["label"] == "tumour"  # the past stays


def test_marks_that_are_left_out_stay_in_the_history(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.segment(), mark), edit(cast.length(label="node"))])
    changed_to(cast, labels("node"), {"label:tumour": "leave_out"})
    assert str(mark) not in marks(cast.read)
    lines = cast.get("gestures/").json()["groups"]
    assert lines[0]["labels_version"] == 2
    assert lines[0]["changes"][0] == {
        "annotation": str(mark), "what": "deleted", "slices": 0, "value": cast.segment()
    }  # fmt: skip
    assert cast.get("state/?at=2").json()["annotations"][0]["value"]["label"] == "tumour"
    former = cast.get("").json()["schema"]["former"]["labels"]
    assert former == [{"key": "tumour", "name": "Tumour", "color": "#f5a742"}]


def test_a_label_that_is_kept_takes_nothing_new(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    schema = changed_to(cast, labels("node"), {"label:tumour": "keep"})
    assert [(label["key"], label.get("retired", False)) for label in schema.labels] == [
        ("node", False),
        ("tumour", True),
    ]
    cast.apply([edit(cast.length(end=(0.0, 12.0, 0.0)), mark, seen=1)])
    [result] = cast.send([edit(cast.length())]).json()["results"]
    assert (result["status"], "no longer used" in result["reason"]) == ("refused", True)
    # Deleted, and back by an undo.
    cast.apply([edit(None, mark, seen=2), edit(cast.length(), mark, seen=3)])


def test_a_kind_that_a_label_no_longer_takes_is_decided_apart(cast):
    length, segment = uuid.uuid4(), uuid.uuid4()
    cast.apply([edit(cast.length(), length), edit(cast.segment(), segment)])
    narrowed = labels()
    narrowed[0]["kinds"] = ["segment"]
    gone = [f"kind:tumour:{kind}" for kind in LABELS[0]["kinds"] if kind != "segment"]
    changed_to(cast, narrowed, dict.fromkeys(gone, "keep") | {"kind:tumour:length": "to:node"})
    assert marks(cast.read)[str(length)]["label"] == "node"
    assert marks(cast.read)[str(segment)]["label"] == "tumour"


def test_decisions_of_several_versions_follow_one_another(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    both = [*labels(), new("Mass", "length", "segment")]
    used(cast, drafted(cast, both), move_open=False)
    draft = drafted(cast, [one for one in both[1:] if one["key"]] + [
        dict(schemas.current_schema(cast.project).labels[2])
    ], seen=2)  # fmt: skip
    used(cast, draft, {"label:tumour": "to:mass"}, move_open=False)
    draft = drafted(cast, labels("node"), seen=3)
    used(cast, draft, {"label:mass": "to:node"})
    cast.read.refresh_from_db()
    assert cast.read.schema.version == 4
    assert marks(cast.read)[str(mark)]["label"] == "node"


def test_a_read_that_holds_something_undecided_stays_where_it_is(cast):
    cast.apply([edit(cast.length())])
    schema, _ = used(cast, drafted(cast, labels("node")), move_open=False)
    assert moving.move_reads(schema.pk, cast.lead.pk) == (0, 1)
    cast.read.refresh_from_db()
    assert cast.read.schema.version == 1


def test_what_was_handed_in_keeps_its_version(cast):
    cast.apply([edit(cast.length())])
    cast.submit()
    changed_to(cast, labels("node"), {"label:tumour": "leave_out"})
    assert cast.read.schema.version == 1
    assert len(marks(cast.read)) == 1


def test_moving_twice_changes_nothing(cast):
    cast.apply([edit(cast.length())])
    schema = changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    number = cast.read.last_edit_number
    assert moving.move_reads(schema.pk, cast.lead.pk) == (0, 0)
    cast.read.refresh_from_db()
    assert cast.read.last_edit_number == number


def test_many_open_reads_are_moved_by_a_job(cast, monkeypatch, django_capture_on_commit_callbacks):
    from procrastinate.contrib.django.models import ProcrastinateJob

    monkeypatch.setattr(drafts, "MOVED_AT_ONCE_MAX", 0)
    cast.apply([edit(cast.length())])
    schema = changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    assert cast.read.schema.version == 1
    job = ProcrastinateJob.objects.get(task_name="move_reads")
    moving.move_reads(**job.args)
    cast.read.refresh_from_db()
    assert cast.read.schema == schema


# Answers ------------------------------------------------------------------------------------------

MARGIN = {"key": "", "text": "Margin", "of": "annotation"} | choice("Smooth", "Lobulated", "Spiculated")
QUALITY = {"key": "", "text": "Image quality", "of": "case"} | choice("Good", "Poor")
REMARK = {"key": "", "text": "Remark", "of": "case", "type": "text"}


@pytest.fixture
def asked(cast):
    changed_to(cast, labels(), questions=deepcopy([MARGIN, QUALITY, REMARK]))
    return cast


def said(read):
    return {one.value["answer"]: one.value["value"] for one in journal.state(read).answers}


def question_of(cast, key):
    schema = schemas.current_schema(cast.project)
    return next(deepcopy(one) for one in schema.questions if one["key"] == key)


def test_an_answer_that_is_no_longer_offered_becomes_another(asked):
    mark = uuid.uuid4()
    asked.apply([edit(asked.length(), mark), answer("lobulated", of="annotation", about=mark, key="margin")])
    margin = question_of(asked, "margin") | {"options": [{"name": "Smooth"}, {"name": "Irregular"}]}
    changed_to(
        asked,
        labels(),
        {
            "option:margin:lobulated": "to:irregular",
            "option:margin:spiculated": "to:irregular",
            "question:image_quality": "leave_out",
            "question:remark": "keep",
        },
        questions=[margin],
        seen=2,
    )
    assert said(asked.read) == {"margin": "irregular"}


def test_an_answer_follows_its_question_and_the_one_there_stands(asked):
    asked.apply([answer("poor", key="image_quality"), answer("Movement", key="remark")])
    decisions = {"question:image_quality": "to:remark"}
    changed_to(
        asked,
        labels(),
        decisions,
        questions=[question_of(asked, "margin"), question_of(asked, "remark")],
        seen=2,
    )
    assert said(asked.read) == {"remark": "Movement"}


def test_an_answer_from_a_list_is_told_by_name_in_a_text(asked):
    asked.apply([answer("poor", key="image_quality")])
    quality = question_of(asked, "image_quality") | {"type": "text"}
    rest = [question_of(asked, "margin"), question_of(asked, "remark")]
    changed_to(asked, labels(), questions=[*rest, quality], seen=2)
    assert said(asked.read) == {"image_quality": "Poor"}


def test_a_kept_question_takes_no_new_answer(asked):
    changed_to(
        asked,
        labels(),
        {"question:remark": "keep"},
        questions=[question_of(asked, "margin"), question_of(asked, "image_quality")],
        seen=2,
    )
    [result] = asked.send([answer("Late", key="remark")]).json()["results"]
    assert result["status"] == "refused"


# A page that is open meanwhile --------------------------------------------------------------------


def test_a_mark_from_a_page_that_does_not_know_yet_is_kept_under_its_new_label(cast):
    changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    mark = uuid.uuid4()
    [result] = cast.apply([edit(cast.length(), mark)])
    assert result["value"]["label"] == "node"
    assert marks(cast.read)[str(mark)]["label"] == "node"


def test_a_change_to_a_mark_that_moved_meanwhile_is_no_conflict(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark)])
    changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    [result] = cast.apply([edit(cast.length(end=(0.0, 20.0, 0.0)), mark, seen=1)])
    assert result["version"] == 3
    assert marks(cast.read)[str(mark)]["points_patient_mm"][1] == [0.0, 20.0, 0.0]


def test_a_mark_with_a_label_that_was_left_out_is_kept_aside(cast):
    changed_to(cast, labels("node"), {"label:tumour": "leave_out"})
    [result] = cast.send([edit(cast.length())]).json()["results"]
    assert (result["status"], "labels changed" in result["reason"]) == ("refused", True)
    assert ParkedEdit.objects.get(read=cast.read).body["value"]["label"] == "tumour"


def test_undo_brings_back_a_mark_as_the_labels_are_now(cast):
    mark = uuid.uuid4()
    cast.apply([edit(cast.length(), mark), edit(cast.length(end=(0.0, 20.0, 0.0)), mark, seen=1)])
    changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    groups = cast.get("history/").json()["groups"]
    assert [group["labels_version"] for group in groups] == [None, None, 2]
    before = groups[1]["edits"][0]["before"]
    assert before["label"] == "node"
    cast.apply([edit(before, mark, seen=3, inverts=groups[1]["group"])])
    assert marks(cast.read)[str(mark)]["points_patient_mm"] == cast.length()["points_patient_mm"]


def test_open_pages_hear_of_it(cast, monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(
        "annotations.reading.broadcasts.broadcast", lambda group, message: told.append((group, message))
    )
    cast.apply([edit(cast.length())])
    with django_capture_on_commit_callbacks(execute=True):
        changed_to(cast, labels("node"), {"label:tumour": "to:node"})
    assert (f"read.{cast.read.public_id}", {"type": "schema", "version": 2}) in told


# Numbers ------------------------------------------------------------------------------------------


def test_a_lead_who_reads_a_case_counts_nothing_of_it(cast):
    from accounts import permissions
    from annotations.reading.schemas.counting import holdings

    cast.apply([edit(cast.length())], who="ben", read=cast.bens_read)
    assert holdings(cast.lead, cast.project).by_name["label:tumour"].things == 1
    permissions.grant(user=cast.anna, role="lead", scope=cast.project)
    counted = holdings(cast.anna, cast.project)  # anna reads the same case
    assert (counted.by_name, counted.read_count) == ({}, 1)


def test_counting_costs_the_same_queries_however_much_there_is(cast, django_assert_max_num_queries):
    from annotations.reading.schemas.counting import holdings

    cast.apply(
        [edit(cast.length()), edit(cast.segment()), answer("present", of="label", about="node", key="state")]
    )
    with django_assert_max_num_queries(12) as few:
        holdings(cast.lead, cast.project)
    asked_then = len(few)
    for _ in range(3):
        read = cast.new_read()
        cast.apply([edit(cast.length())], read=read)
    with django_assert_max_num_queries(asked_then):
        found = holdings(cast.lead, cast.project)
    held = found.by_name["kind:tumour:length"]
    assert (held.things, held.read_count) == (4, 4)
    assert Read.objects.count() == 5
