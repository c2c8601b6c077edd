"""Freezing a release, two beside each other, and recalls: what the pages ask, refuse and tell."""

import pytest
from django.utils import timezone

from accounts import permissions
from annotations.cohort import recalls, splits
from annotations.models import (
    Case,
    LabelFact,
    Read,
    Recall,
    RecallNotice,
    Release,
    ReleaseCase,
    ReleaseDownload,
    Submission,
)
from atlas.models import Instance, Series
from tests import scene as scenes
from tests.annotations.pages import signed_in, text_of
from tests.annotations.released import RELEASES, freeze_form, more_cases, released
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


@pytest.fixture
def release(scene: Scene) -> Release:
    """Release 1, of case 4."""
    assert scene.release is not None
    return scene.release


# Freezing -----------------------------------------------------------------------------------------


def test_what_is_chosen_is_frozen(scene: Scene) -> None:
    more_cases(scene, 9)
    client = signed_in(scene, "lead")
    sent = freeze_form(client, title="With parts", split="parts", train=60, validation=20, test=20)
    preview = client.post(f"{RELEASES}new/preview/", sent)
    parts = preview.context["parts"]
    assert [part["words"] for part in parts] == ["train", "validation", "test"]
    assert sum(part["subjects"] for part in parts) == 10
    sent["expected"] = preview.context["preview"].mark
    answer = client.post(f"{RELEASES}new/", sent | {"sequestered": "marks", "formats": ["seg", "tables"]})
    assert answer.url == f"{RELEASES}2/"
    frozen = Release.objects.get(number=2)
    assert (frozen.title, frozen.formats, frozen.sequestered) == ("With parts", ["seg", "tables"], "marks")
    assert frozen.split["validation"] == 20
    assert frozen.left_out["cases_in_project"] == Case.objects.count()


def test_the_preview_warns_of_what_was_given_out_before(scene: Scene) -> None:
    released(scene, 2, more_cases(scene, 5))
    client = signed_in(scene, "lead")
    sent = freeze_form(client, split="parts", train=50, validation=0, test=50, sequestered="marks")
    shown = client.post(f"{RELEASES}new/preview/", sent)
    assert "to be sequestered were given out by an earlier release" in shown.content.decode()
    shown = client.post(f"{RELEASES}new/preview/", sent | {"sequestered": "nothing"})
    assert "given out" not in shown.content.decode()


def test_what_was_not_seen_is_not_frozen_and_nothing_typed_is_lost(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    sent = freeze_form(client, title="Before the last one came", licence="CC BY 4.0")
    more_cases(scene, 1)
    answer = client.post(f"{RELEASES}new/", sent)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "What it would hold is not what you saw" in page
    assert 'value="Before the last one came"' in page
    assert Release.objects.count() == 1
    sent["expected"] = answer.context["preview"].mark
    assert client.post(f"{RELEASES}new/", sent).url == f"{RELEASES}2/"


def test_a_form_sent_twice_freezes_once(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    sent = freeze_form(client)
    assert [client.post(f"{RELEASES}new/", sent).url for _ in range(2)] == [f"{RELEASES}2/"] * 2
    assert Release.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"split": "parts", "train": 50}, "make 80 percent together, not 100"),
        ({"split": "folds", "folds": 1}, "There are between 2 and 20 folds"),
        ({"split": "parts", "seed": ""}, "The seed has between 1 and 100 characters."),
        ({"formats": []}, "Choose at least one format."),
        ({"sequestered": "all", "split": "parts", "train": 85, "test": 0}, "Only a test part can be"),
        ({"content": "nonsense"}, "nonsense is not one of the available choices"),
    ],
)
def test_a_wrong_choice_stands_in_the_form_with_what_to_do(scene: Scene, wrong: dict, said: str) -> None:
    client = signed_in(scene, "lead")
    answer = client.post(f"{RELEASES}new/", freeze_form(client, title="Kept", **wrong))
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert 'value="Kept"' in answer.content.decode()
    assert Release.objects.count() == 1


def test_a_cohort_is_handed_over_in_words_and_one_not_understood_is_never_everything(scene: Scene) -> None:
    for submission in more_cases(scene, 2):
        subject = submission.read.case.subject
        subject.sex = "M"
        subject.save()
    client = signed_in(scene, "lead")
    shown = client.get(f"{RELEASES}new/?cohort=subject.sex+is+M")
    assert shown.context["query_words"] == "sex is male"
    assert shown.context["preview"].cases == 2
    sent = freeze_form(client, cohort="subject.sex is M", expected=shown.context["preview"].mark)
    assert client.post(f"{RELEASES}new/", sent).url == f"{RELEASES}2/"
    assert Release.objects.get(number=2).query == {"field": "subject.sex", "op": "is", "value": "M"}
    assert "sex is male" in text_of(client, f"{RELEASES}2/")

    wrong = client.get(f"{RELEASES}new/?cohort=subject.shoe+is+43")
    assert wrong.context["preview"] is None
    assert "The cohort isn&#x27;t understood." in wrong.content.decode()
    assert 'name="cohort" value="subject.shoe is 43"' in wrong.content.decode()
    assert "Every case that is accepted now." not in wrong.content.decode()
    answer = client.post(f"{RELEASES}new/", freeze_form(client, cohort="subject.shoe is 43"))
    assert answer.status_code == 400
    assert Release.objects.count() == 2


# Two beside each other ----------------------------------------------------------------------------


def test_two_releases_are_compared_case_by_case(scene: Scene) -> None:
    old = more_cases(scene, 3)
    released(scene, 2, old[:2])
    again = Submission.objects.create(read=old[0].read, round=2, edit_number=9, by=old[0].by)
    LabelFact.objects.create(submission=again, label="lesion", state="present", count=3)
    released(scene, 3, [again, old[2]])
    answer = signed_in(scene, "scientist").get(f"{RELEASES}3/compare/2/")
    found = [(row.number, row.what, row.marks) for row in answer.context["rows"]]
    assert found == [
        (10, "changed", ["Lesion 1 → 3"]),
        (11, "removed", ["Lesion 1"]),
        (12, "added", ["Lesion 1"]),
    ]
    assert dict(answer.context["tally"])["cases as they were"] == 0
    back = signed_in(scene, "scientist").get(f"{RELEASES}2/compare/3/")
    assert [row.what for row in back.context["rows"]] == ["changed", "added", "removed"]
    same = text_of(signed_in(scene, "scientist"), f"{RELEASES}3/compare/3/")
    assert "Both hold the same cases with the same marks." in same


def test_comparing_tells_nothing_of_sequestered_marks(scene: Scene) -> None:
    submissions = more_cases(scene, 3)
    design = splits.as_json(splits.Design(train=70, validation=0, test=30))
    released(scene, 2, submissions, split=design, sequestered=Release.Sequestered.MARKS)
    rows = signed_in(scene, "scientist").get(f"{RELEASES}2/compare/1/").context["rows"]
    assert {row.number: row.marks for row in rows}[12] == []
    assert {row.number: row.marks for row in rows}[11] == ["Lesion 1"]


# Recalls ------------------------------------------------------------------------------------------


def test_a_recall_is_asked_twice_and_told_to_who_downloaded(scene: Scene, release: Release) -> None:
    held = ReleaseCase.objects.get(release=release)
    ReleaseDownload.objects.create(
        release=release, release_case=held, user=scene.people["scientist"], day=timezone.now().date()
    )
    client = signed_in(scene, "lead")
    assert "Recall this case" in text_of(client, "/projects/respond/cases/4/")
    address = "/projects/respond/cases/4/recall/"
    page = text_of(client, address)
    assert "Release 1 holds it" in page
    assert "1\N{NO-BREAK SPACE}person has downloaded it" in page
    assert client.post(address, {"reason": " "}).status_code == 400
    asked = client.post(address, {"reason": "Consent was withdrawn."})
    assert "Are you sure?" in asked.content.decode()
    assert not Recall.objects.exists()
    sure = {"reason": "Consent was withdrawn.", "sure": "yes"}
    assert client.post(address, sure).url == RELEASES
    assert client.post(address, sure).status_code == 400  # pressed twice
    recall = Recall.objects.get()

    listed = text_of(client, RELEASES)
    assert "Consent was withdrawn." in listed
    assert "Recalled on" in text_of(client, "/projects/respond/cases/4/")
    scientist = signed_in(scene, "scientist")
    for place in (f"{RELEASES}1/", RELEASES, "/account/", "/projects/", "/worklist/"):
        assert f"/recalls/{recall.public_id}/confirm/" in text_of(scientist, place), place
    assert "Confirm deletion" not in text_of(client, f"{RELEASES}1/")

    confirm = f"/recalls/{recall.public_id}/confirm/"
    assert scientist.post(confirm, {"next": f"{RELEASES}1/"}).url == f"{RELEASES}1/"
    assert scientist.post(confirm, {"next": "https://elsewhere.example/"}).url == "/account/"
    assert "Confirm deletion" not in text_of(scientist, f"{RELEASES}1/")
    assert "your copies are deleted" in text_of(scientist, f"{RELEASES}1/")
    assert signed_in(scene, "stranger").post(confirm).status_code == 404
    assert RecallNotice.objects.get().confirmed_at is not None


def test_a_lead_lifts_a_recall_with_a_reason_and_pages_say_so(scene: Scene, release: Release) -> None:
    held = ReleaseCase.objects.get(release=release)
    ReleaseDownload.objects.create(
        release=release, release_case=held, user=scene.people["scientist"], day=timezone.now().date()
    )
    recalls.recall(by=scene.people["lead"], case=held.case, reason="Consent is in doubt.")
    client, scientist = signed_in(scene, "lead"), signed_in(scene, "scientist")
    address = "/projects/respond/cases/4/recall/lift/"
    assert address in text_of(client, RELEASES)
    assert address in text_of(client, "/projects/respond/cases/4/")
    assert address not in text_of(scientist, RELEASES)
    assert client.get("/projects/respond/cases/4/recall/").url == address
    page = text_of(client, address)
    assert "Consent is in doubt." in page
    assert "get its files back" in page
    assert "1\N{NO-BREAK SPACE}person was told of the recall." in page
    assert client.post(address, {"reason": " "}).status_code == 400
    assert scientist.post(address, {"reason": "I want it."}).status_code == 403
    assert Recall.objects.exists()
    assert client.post(address, {"reason": "Consent was confirmed."}).url == RELEASES
    assert client.post(address, {"reason": "Consent was confirmed."}).url == "/projects/respond/cases/4/"
    assert not Recall.objects.exists()

    for each in (client, scientist):
        for place in (RELEASES, f"{RELEASES}1/"):
            told = text_of(each, place)
            assert "Consent was confirmed." in told
            assert "Confirm deletion" not in told
        assert "stay withdrawn" in text_of(each, f"{RELEASES}1/")
    case = text_of(client, "/projects/respond/cases/4/")
    assert "Consent was confirmed." in case
    assert "Recall this case" in case
    assert scientist.post(f"/recalls/{Recall.every.get().public_id}/confirm/").status_code == 302


def test_quarantine_says_which_releases_hold_a_study_and_leads_to_the_recall(
    scene: Scene, release: Release
) -> None:
    case = ReleaseCase.objects.get(release=release).case
    series = Series.objects.filter(study__cases=case).first()
    image = Instance.objects.create(
        organisation=series.organisation,
        series=series,
        sop_instance_uid="2.25.4",
        size=1,
        number_of_frames=1,
        rows=8,
        columns=8,
        original_sha256="4" * 64,
        stored_sha256="4" * 64,
    )
    address = f"/datasets/chest-ct/quarantine/{image.series.public_id}/{image.original_sha256[:20]}/"
    assert "1 project that isn" in text_of(signed_in(scene, "data_manager"), address)
    for name in ("lead", "scientist", "reader"):
        permissions.grant(user=scene.people[name], role="data_manager", scope=scene.dataset)
    lead = text_of(signed_in(scene, "lead"), address)
    assert "/projects/respond/releases/1/" in lead
    assert "/projects/respond/cases/4/recall/" in lead
    scientist = text_of(signed_in(scene, "scientist"), address)
    assert "/projects/respond/releases/1/" in scientist
    assert "/projects/respond/cases/4/recall/" not in scientist
    Read.objects.create(case=case, reader=scene.people["reader"], schema=scene.schema)
    assert "Releases with this study" not in text_of(signed_in(scene, "reader"), address)

    recalls.recall(by=scene.people["lead"], case=case, reason="An image shows a face.")
    lead = text_of(signed_in(scene, "lead"), address)
    assert "recalled on" in lead
    assert "/projects/respond/cases/4/recall/lift/" in lead


def test_a_later_release_that_is_otherwise_the_same_is_offered(scene: Scene) -> None:
    submissions = more_cases(scene, 3)
    release = released(scene, 2, submissions)
    recalls.recall(by=scene.people["lead"], case=submissions[0].read.case, reason="Wrong images.")
    Release.objects.filter(pk=release.pk).update(state=Release.State.READY)
    client = signed_in(scene, "scientist")
    assert "Go to release" not in text_of(client, f"{RELEASES}2/")
    released(scene, 3, submissions[1:2])  # holds less
    assert "Go to release" not in text_of(client, f"{RELEASES}2/")
    released(scene, 4, submissions[1:])
    assert "Go to release 4" in text_of(client, f"{RELEASES}2/")
