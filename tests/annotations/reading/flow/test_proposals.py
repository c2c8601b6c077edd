"""Marks that came with the images: from the start, once the own read is locked, or never."""

import pytest

from accounts.models import AuditRecord
from annotations.models import Case, Read
from annotations.reading import policies
from atlas import policies as images
from tests.annotations.reading.conftest import edit

from .conftest import design


def taking(cast, segment):
    return edit(cast.segment(origin={"from": "imported", "imported": segment.public_id}))


def lock(cast, number=None, who="anna"):
    cast.read.refresh_from_db()
    number = cast.read.last_edit_number if number is None else number
    return cast.post("lock-unaided/", {"number": number}, who=who)


def shown(cast, segment, who="anna") -> set[str]:
    """The roads by which this person gets at what came with the images."""
    found = set()
    if cast.get("", who=who).json()["imported"]:
        found.add("read")
    if cast.get(f"imported/{segment.public_id}/", who=who).status_code == 200:
        found.add("slices")
    derived = cast.client(who).get(f"/api/v1/series/{cast.ct.public_id}/derived/")
    if derived.status_code == 200 and derived.json()["segments"]:
        found.add("series")
    if images.visible_series(getattr(cast, who)).filter(pk=cast.us.pk).exists():
        found.add("derived series")
    if images.series_in(images.sight_of(getattr(cast, who))).filter(pk=cast.us.pk).exists():
        found.add("dicomweb")
    return found


EVERYWHERE = {"read", "slices", "series", "derived series", "dicomweb"}


@pytest.fixture
def segment(cast, came_with_the_images):
    """It came in a series of its own, of the case's second study."""
    cast.us.modality = "SEG"
    cast.us.save()
    return came_with_the_images


def test_from_the_start_they_are_there(cast, segment):
    assert shown(cast, segment) == EVERYWHERE
    assert cast.get("").json()["proposals"] == {"shown": "before", "withheld": False, "unaided_number": None}
    cast.apply([taking(cast, segment)])


@pytest.mark.parametrize("when", ["after", "never"])
def test_withheld_they_are_on_no_road(cast, segment, when):
    design(cast, proposals=when)
    assert shown(cast, segment) == set()
    [result] = cast.send([taking(cast, segment)]).json()["results"]
    assert result["status"] == "refused"
    assert cast.get("").json()["proposals"]["withheld"] is True


def test_the_unaided_read_is_locked_first_and_kept_for_good(cast, segment):
    design(cast, proposals="after")
    cast.apply([edit(cast.length())])
    answer = lock(cast)
    assert answer.status_code == 200
    assert answer.json()["proposals"] == {"shown": "after", "withheld": False, "unaided_number": 1}
    assert shown(cast, segment) == EVERYWHERE
    cast.apply([taking(cast, segment)])
    assert lock(cast).json()["proposals"]["unaided_number"] == 1  # twice changes nothing
    assert AuditRecord.objects.filter(verb="read.unaided_locked").count() == 1
    then = cast.get("state/?at=1").json()["annotations"]
    assert [mark["value"]["origin"]["from"] for mark in then] == ["reader"]


def test_what_another_locked_shows_one_nothing(cast, segment):
    design(cast, proposals="after")
    Read.objects.filter(pk=cast.bens_read.pk).update(unaided_edit_number=0)
    assert shown(cast, segment) == set()


@pytest.mark.parametrize("when", ["before", "never"])
def test_where_nothing_is_locked_it_is_refused(cast, when):
    design(cast, proposals=when)
    assert lock(cast).status_code == 409


def test_locking_asks_what_submitting_asks(cast):
    design(cast, proposals="after")
    cast.schema.labels = [label | {"required": True} for label in cast.schema.labels]
    cast.schema.save()
    cast.apply([edit(cast.length())])
    assert lock(cast, number=0).status_code == 409
    assert "Lymph node" in lock(cast).json()["reason"]
    assert cast.get("").json()["proposals"]["withheld"] is True


@pytest.mark.parametrize(
    ("who", "status"), [("ben", 404), ("reviewer", 404), ("lead", 403), ("outsider", 404)]
)
def test_nobody_else_locks_it(cast, who, status):
    design(cast, proposals="after")
    assert lock(cast, who=who).status_code == status


def test_what_was_taken_over_before_it_was_withheld_stays_the_reader_s_to_correct(cast, segment):
    change = taking(cast, segment)
    cast.apply([change])
    design(cast, proposals="never")
    mark = change["object"]["annotation"]
    corrected = change["value"] | {"note": "Smaller."}
    cast.apply([edit(corrected, mark, seen=1)])
    cast.apply([edit(None, mark, seen=2), edit(corrected, mark, seen=3)])
    [result] = cast.send([taking(cast, segment)]).json()["results"]
    assert result["status"] == "applied"  # the same one again: it is known already


def test_who_judges_sees_them_all_along(cast, segment):
    design(cast, proposals="never")
    cast.submit()
    for who in ("reviewer", "lead"):
        assert shown(cast, segment, who) == EVERYWHERE


def test_a_lead_who_reads_is_a_reader_here_too(cast, segment):
    design(cast, proposals="never")
    own = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    assert cast.get("", who="lead", read=own).json()["imported"] == []
    assert not images.visible_series(cast.lead).filter(pk=cast.us.pk).exists()
    Read.objects.filter(pk=own.pk).update(state="accepted")
    assert images.visible_series(cast.lead).filter(pk=cast.us.pk).exists()


# Hidden references and training -------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Case.Purpose.HIDDEN_REFERENCE, Case.Purpose.TRAINING])
def test_what_may_be_the_truth_is_no_proposal(cast, segment, purpose):
    Case.objects.filter(pk=cast.case.pk).update(purpose=purpose)
    assert shown(cast, segment) == set()
    assert cast.get("").json()["proposals"] == {"shown": "before", "withheld": False, "unaided_number": None}
    cast.submit()
    Read.objects.filter(pk=cast.read.pk).update(state="accepted")
    assert shown(cast, segment) == set()


@pytest.mark.parametrize("when", ["before", "after", "never"])
@pytest.mark.parametrize("state", Read.State.values)
def test_both_questions_of_the_policy_have_the_same_answer(cast, segment, when, state):
    design(cast, proposals=when)
    Read.objects.filter(pk=cast.read.pk).update(state=state)
    cast.read.refresh_from_db()
    for purpose in Case.Purpose.values:
        Case.objects.filter(pk=cast.case.pk).update(purpose=purpose)
        read = Read.objects.select_related("case__project").get(pk=cast.read.pk)
        withheld = policies.are_proposals_withheld(read, policies.Capacity.READER)
        finished = state in ("accepted", "set_aside")
        veiled = images.veiled_studies(cast.anna).filter(pk=cast.us.study_id).exists()
        assert veiled == (withheld and not (finished and purpose == "ordinary"))
