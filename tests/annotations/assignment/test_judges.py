"""Adjudicators for many cases: those who may judge get as many each, and nobody a case that they read."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import permissions
from annotations.models import Case, Read
from annotations.reading.assignment import judges
from tests import scene as scenes
from tests.annotations.assignment.conftest import more_cases
from tests.annotations.assignment.test_bulk import back, begun, ids
from tests.scene import Scene

WHY = [{"code": "case_answer", "text": "Image quality"}]


@pytest.fixture
def disputed(scene: Scene) -> list[Case]:
    """Four cases that two readers have read, and that wait for a decision."""
    cases = more_cases(scene, 4)
    for case in cases:
        for name in ("reader", "other_reader"):
            read = Read.objects.create(case=case, reader=scene.people[name], schema=scene.schema)
            scenes.accepted(read, scene.people["lead"])
    found = Case.objects.filter(pk__in=[case.pk for case in cases])
    found.update(needs_adjudication=True, disagreements=WHY)
    return list(found.order_by("number"))


def adjudicators(cases: list[Case]) -> list[str]:
    reads = Read.objects.filter(case__in=cases, kind="adjudication").order_by("case__number")
    return [read.reader.username for read in reads.select_related("reader")]


def test_cases_are_shared_out_evenly_over_all_who_may(scene: Scene, disputed: list[Case]) -> None:
    action = begun(scene, "adjudicators", disputed)
    assert (action.state, action.left_out) == ("done", [])
    people = [scene.people[name].username for name in ("lead", "reviewer")]
    assert sorted(adjudicators(disputed)) == sorted(people * 2)


def test_those_who_are_chosen_get_them_and_never_a_case_that_they_read(
    scene: Scene, disputed: list[Case]
) -> None:
    permissions.grant(user=scene.people["reader"], role="reviewer", scope=scene.project)
    refused = begun(scene, "adjudicators", disputed, adjudicators=ids(scene, "reader"))
    assert not adjudicators(disputed)
    assert refused.left_out == [[case.number, judges.ALL_HAVE_READ] for case in disputed]
    begun(scene, "adjudicators", disputed, adjudicators=ids(scene, "reader", "reviewer"))
    assert adjudicators(disputed) == [scene.people["reviewer"].username] * 4


def test_who_has_much_to_judge_gets_less(scene: Scene, disputed: list[Case]) -> None:
    begun(scene, "adjudicators", disputed[:2], adjudicators=ids(scene, "reviewer"))
    begun(scene, "adjudicators", disputed[2:], adjudicators=ids(scene, "lead", "reviewer"))
    assert adjudicators(disputed[2:]) == [scene.people["lead"].username] * 2


def test_a_case_that_waits_for_nothing_or_has_somebody_is_left_out(
    scene: Scene, disputed: list[Case]
) -> None:
    begun(scene, "adjudicators", disputed[:1], adjudicators=ids(scene, "reviewer"))
    Case.objects.filter(pk=disputed[1].pk).update(needs_adjudication=False)
    action = begun(scene, "adjudicators", disputed[:3], adjudicators=ids(scene, "lead"))
    told = dict(map(tuple, action.left_out))
    assert "adjudicates this case since" in told[disputed[0].number]
    assert told[disputed[1].number] == judges.NOT_WAITING
    assert adjudicators(disputed[2:]) == [scene.people["lead"].username]


def test_a_lead_names_nobody_for_a_case_that_they_read_themselves(scene: Scene, disputed: list[Case]) -> None:
    lead = scene.people["lead"]
    permissions.grant(user=lead, role="reader", scope=scene.project)
    Read.objects.create(case=disputed[0], reader=lead, schema=scene.schema)
    action = begun(scene, "adjudicators", disputed[:1])
    assert not adjudicators(disputed)
    assert [number for number, _ in action.left_out] == [disputed[0].number]


def test_what_nobody_opened_is_taken_back(scene: Scene, disputed: list[Case]) -> None:
    action = begun(scene, "adjudicators", disputed, adjudicators=ids(scene, "reviewer"))
    opened = Read.objects.filter(kind="adjudication", case=disputed[0])
    opened.update(opened_at=timezone.now(), state=Read.State.IN_PROGRESS)
    undone = back(scene, action)
    assert list(Read.objects.filter(kind="adjudication")) == list(opened)
    assert [number for number, _ in undone.left_out] == [disputed[0].number]


def test_somebody_who_does_not_judge_is_refused(scene: Scene, disputed: list[Case]) -> None:
    with pytest.raises(ValidationError):
        begun(scene, "adjudicators", disputed, adjudicators=ids(scene, "other_reader"))


def test_the_form_beside_the_cases_names_them(scene: Scene, disputed: list[Case], client: Client) -> None:
    client.force_login(scene.people["lead"])
    page = client.get(f"/projects/{scene.project.slug}/cases/").content.decode()
    assert 'name="adjudicators"' in page
    sent = {
        "act": "adjudicators",
        "case": [case.number for case in disputed],
        "adjudicators": ids(scene, "reviewer"),
    }
    answer = client.post(f"/projects/{scene.project.slug}/cases/assign/", sent, follow=True)
    assert "4 cases have an adjudicator now." in answer.content.decode()
    assert adjudicators(disputed) == [scene.people["reviewer"].username] * 4


def test_a_case_to_adjudicate_has_a_side_panel_that_says_why(
    scene: Scene, disputed: list[Case], client: Client
) -> None:
    client.force_login(scene.people["reviewer"])
    address = f"/worklist/cases/{scene.project.slug}/{disputed[1].number}/"
    assert f'data-panel="{address}"' in client.get("/worklist/").content.decode()
    panel = client.get(address).content.decode()
    assert "“Image quality” is answered differently." in panel
    assert f"Subject {disputed[1].subject.pseudonym}" in panel
    assert f"/worklist/adjudicate/{scene.project.slug}/{disputed[1].number}/" in panel
    for name in ("reader", "other_reader", "scientist"):  # who read it judges nothing on it
        client.force_login(scene.people[name])
        assert client.get(address).status_code == 404
