"""The pages on which labels are drafted, decided about, brought and taken out."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from annotations.models import Annotation, CodedTerm, LabelSchema, Read
from tests.annotations.pages import signed_in, text_of
from tests.annotations.test_page_forms import label_form
from tests.scene import Scene, build

pytestmark = pytest.mark.django_db

LABELS = "/projects/respond/labels/"


@pytest.fixture
def scene() -> Scene:
    return build()


@pytest.fixture
def drawn(scene: Scene) -> Scene:
    """The other reader has marked two lesions."""
    read = scene.reads["others"]
    for number in (1, 2):
        Annotation.objects.create(
            read=read,
            annotation_id=f"00000000-0000-4000-8000-00000000000{number}",
            schema=read.schema,
            version=1,
            value={"kind": "segment", "label": "lesion", "series": "x", "state": "present"},
        )
    Read.objects.filter(pk=read.pk).update(last_edit_number=2, opened_at=timezone.now())
    return scene


def without_lesion(scene: Scene, **more: object) -> dict[str, object]:
    return label_form(scene.schema, **{"0-removed": "on"}) | more


def field(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def drafted(scene: Scene, client: Client) -> str:
    """The page that says what the draft changes."""
    answer = client.post(f"{LABELS}edit/", without_lesion(scene))
    assert answer.headers["Location"] == f"{LABELS}draft/"
    return client.get(f"{LABELS}draft/").content.decode()


def test_a_draft_is_kept_and_gone_on_with(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    client.post(f"{LABELS}edit/", label_form(scene.schema, **{"0-name": "Mass"}) | {"keep": "1"})
    assert LabelSchema.objects.get(is_draft=True).labels[0]["name"] == "Mass"
    assert "There is a draft" in text_of(client, LABELS)
    page = client.get(f"{LABELS}edit/").content.decode()
    assert 'value="Mass"' in page
    form = label_form(scene.schema, **{"0-name": "Tumour"}) | {"seen_draft": field(page, "seen_draft")}
    client.post(f"{LABELS}edit/", form)
    assert not LabelSchema.objects.filter(is_draft=True).exists()
    assert LabelSchema.objects.get(version=2).labels[0]["name"] == "Tumour"


@pytest.mark.parametrize("name", ["reader", "reviewer", "scientist"])
def test_nobody_but_the_lead_hears_of_a_draft(scene: Scene, name: str) -> None:
    lead = signed_in(scene, "lead")
    lead.post(f"{LABELS}edit/", label_form(scene.schema, **{"0-name": "Secretive"}) | {"keep": "1"})
    client = signed_in(scene, name)
    told = text_of(client, LABELS)
    assert "Secretive" not in told
    assert "draft" not in told
    assert client.get(f"{LABELS}2/").status_code == 404
    assert client.get(f"{LABELS}2/file/").status_code == 404


def test_what_was_drawn_is_counted_and_decided_before_the_labels_change(drawn: Scene) -> None:
    client = signed_in(drawn, "lead")
    page = drafted(drawn, client)
    assert "2 marks in 1 read" in " ".join(re.sub("<[^>]*>", " ", page).split())
    form = {"seen_draft": field(page, "seen_draft"), "begun": "move"}
    refused = client.post(f"{LABELS}draft/", form)
    assert refused.status_code == 400
    assert "Say what becomes of these." in refused.content.decode()
    client.post(f"{LABELS}draft/", form | {"becomes-label:lesion": "to:node"})
    drawn.reads["others"].refresh_from_db()
    assert drawn.reads["others"].schema.version == 2
    marked = Annotation.objects.filter(read=drawn.reads["others"]).values_list("value__label", flat=True)
    assert set(marked) == {"node"}


def test_reads_begun_may_keep_their_version_and_follow_later(drawn: Scene) -> None:
    client = signed_in(drawn, "lead")
    page = drafted(drawn, client)
    client.post(f"{LABELS}draft/", {"seen_draft": field(page, "seen_draft"), "begun": "stay"})
    drawn.reads["others"].refresh_from_db()
    assert drawn.reads["others"].schema == drawn.schema
    assert "1 open read follows an earlier version" in text_of(client, LABELS)
    answer = client.post(f"{LABELS}move/", follow=True)
    assert "nobody decided about" in answer.content.decode()


def test_a_draft_is_discarded(drawn: Scene) -> None:
    client = signed_in(drawn, "lead")
    drafted(drawn, client)
    client.post(f"{LABELS}draft/discard/")
    assert not LabelSchema.objects.filter(is_draft=True).exists()
    assert client.get(f"{LABELS}draft/").headers["Location"] == LABELS


def test_a_label_kept_for_its_marks_can_be_used_again(drawn: Scene) -> None:
    client = signed_in(drawn, "lead")
    page = drafted(drawn, client)
    form = {"seen_draft": field(page, "seen_draft"), "begun": "move", "becomes-label:lesion": "keep"}
    client.post(f"{LABELS}draft/", form)
    assert "No longer used" in text_of(client, LABELS)
    now = LabelSchema.objects.get(version=2)
    rows = LabelSchema(version=2, labels=now.labels[:1])
    client.post(f"{LABELS}edit/", label_form(rows) | {"again": "label:lesion"})
    page = client.get(f"{LABELS}draft/").content.decode()
    assert "Used again" in page
    client.post(f"{LABELS}draft/", {"seen_draft": field(page, "seen_draft"), "begun": "move"})
    newest = LabelSchema.objects.get(version=3)
    assert [(label["key"], label.get("retired")) for label in newest.labels] == [
        ("node", None),
        ("lesion", None),
    ]


def test_a_file_goes_out_and_comes_back_as_a_draft(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    answer = client.get(f"{LABELS}1/file/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="respond-labels-1.json"'
    content = json.loads(answer.content)
    content["labels"][0]["name"] = "Tumour <b>"
    file = SimpleUploadedFile("labels.json", json.dumps(content).encode())
    back = client.post(f"{LABELS}import/", {"file": file}, follow=True)
    assert "Tumour &lt;b&gt;" in back.content.decode()
    assert LabelSchema.objects.get(is_draft=True).labels[0]["key"] == "lesion"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"no json", "This is no JSON file."),
        (
            b'{"atlas_labels": 1, "labels": [{"name": "A", "color": "red", "kinds": ["segment"]}]}',
            "Label 1: ",
        ),
        (b'{"atlas_labels": 1, "labels": []}', "at least one label"),
    ],
)
def test_a_wrong_file_is_refused_in_words(scene: Scene, body: bytes, told: str) -> None:
    client = signed_in(scene, "lead")
    file = SimpleUploadedFile("labels.json", body)
    answer = client.post(f"{LABELS}import/", {"file": file}, follow=True)
    assert told in answer.content.decode()
    assert not LabelSchema.objects.filter(is_draft=True).exists()


def test_a_project_begins_with_a_starter(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    assert "Target lymph node" in text_of(client, f"{LABELS}starters/recist/")
    answer = client.post(f"{LABELS}starters/recist/", follow=True)
    assert 'value="Target lesion"' in answer.content.decode()
    assert LabelSchema.objects.get(is_draft=True).labels[0]["key"] == "target_lesion"
    assert client.get(f"{LABELS}starters/none/").status_code == 404


def test_terms_are_found_as_one_types_and_added(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    found = client.get(f"{LABELS}terms/search/?q=liver").json()["terms"][0]
    assert found == {
        "value": "10200004",
        "scheme": "SCT",
        "meaning": "Liver",
        "also": "hepatic",
        "own": False,
    }
    form = {"value": "N1", "scheme": "99NH", "meaning": "Satellite"}
    assert client.post(f"{LABELS}terms/", form).status_code == 302
    assert client.get(f"{LABELS}terms/search/?q=sat").json()["terms"][0]["own"] is True
    assert client.post(f"{LABELS}terms/", form).status_code == 400
    assert "99NH N1" in text_of(client, f"{LABELS}terms/")
    client.post(f"{LABELS}terms/remove/", {"term": CodedTerm.objects.get().pk})
    assert not CodedTerm.objects.exists()


def test_a_lead_who_reads_a_case_learns_nothing_of_its_other_reader(drawn: Scene) -> None:
    from accounts import permissions

    permissions.grant(user=drawn.people["reader"], role="lead", scope=drawn.project)
    client = signed_in(drawn, "reader")  # assigned to the case that the other one marks
    answer = client.post(f"{LABELS}edit/", without_lesion(drawn), follow=True)
    assert (
        "marks" not in re.sub("<[^>]*>", " ", answer.content.decode().split("<main")[1]).split("Questions")[0]
    )
    drawn.reads["others"].refresh_from_db()
    assert drawn.reads["others"].schema == drawn.schema  # nobody decided: it stays
    assert "follows an earlier version" not in text_of(client, LABELS)
