"""Who reads what: balanced, blind, and never twice."""

from collections import Counter

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from accounts import permissions
from accounts.models import AuditRecord, User
from annotations.models import Case, LabelSchema, Read
from annotations.reading import assignment
from atlas.models import Project
from tests import scene as scenes
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


def more_cases(scene: Scene, count: int) -> list[Case]:
    return [
        scenes.case_of(scene.project, number, scenes.subject_with_studies(scene.dataset, f"S-{number}", (0,)))
        for number in range(10, 10 + count)
    ]


def people(scene: Scene, *names: str) -> list[User]:
    return [scene.people[name] for name in names]


def test_sharing_out_evens_the_open_reads(scene: Scene) -> None:
    readers = people(scene, "reader", "other_reader", "lead")
    before = assignment.open_reads_by_reader(scene.project)
    assert [before[reader.pk] for reader in readers] == [1, 1, 0]
    done = assignment.assign_balanced(
        by=scene.people["lead"],
        project=scene.project,
        cases=more_cases(scene, 5),
        readers=readers,
        readers_per_case=2,
    )
    after = assignment.open_reads_by_reader(scene.project)
    assert done.made == 10
    assert sorted(after[reader.pk] for reader in readers) == [4, 4, 4]
    assert set(
        Counter(Read.objects.filter(case__number__gte=10).values_list("case", flat=True)).values()
    ) == {2}


def test_readers_that_a_case_has_already_count(scene: Scene) -> None:
    done = assignment.assign_balanced(
        by=scene.people["lead"],
        project=scene.project,
        cases=[scene.cases[0], scene.cases[1]],
        readers=people(scene, "reader", "other_reader"),
        readers_per_case=2,
    )
    assert (done.made, done.there, done.short) == (1, 3, 0)


def test_who_judged_or_saw_marks_on_a_case_does_not_read_it(scene: Scene) -> None:
    lead, reviewer = people(scene, "lead", "reviewer")
    permissions.grant(user=reviewer, role="reader", scope=scene.project)  # judged case 4
    AuditRecord.objects.create(
        actor=lead, verb="read.marks_seen", object_type="read", object_id=scene.reads["submitted"].pk
    )
    done = assignment.assign(by=lead, project=scene.project, cases=scene.cases, readers=[lead, reviewer])
    assert done.not_blind == 2
    assert not Read.objects.filter(case=scene.cases[1], reader=lead).exists()
    assert not Read.objects.filter(case=scene.cases[3], reader=reviewer).exists()
    assert done.made == 6


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("reader", PermissionDenied),
        ("reviewer", PermissionDenied),
        ("manager", Http404),
        ("stranger", Http404),
    ],
)
def test_only_a_lead_assigns(scene: Scene, name: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        assignment.assign(
            by=scene.people[name],
            project=scene.project,
            cases=[scene.cases[2]],
            readers=people(scene, "reader"),
        )
    assert not Read.objects.filter(case=scene.cases[2]).exists()


def test_someone_who_is_no_reader_here_is_refused(scene: Scene) -> None:
    with pytest.raises(ValidationError, match="Noor Aydin is not a reader of this project"):
        assignment.assign(
            by=scene.people["lead"],
            project=scene.project,
            cases=[scene.cases[2]],
            readers=people(scene, "reader", "scientist"),
        )
    assert not Read.objects.filter(case=scene.cases[2]).exists()


def test_without_labels_nothing_is_assigned(scene: Scene) -> None:
    project = Project.objects.create(
        organisation=scene.organisation, name="Bare", slug="bare", created_by=scene.people["lead"]
    )
    permissions.grant(user=scene.people["lead"], role="lead", scope=project)
    case = scenes.case_of(project, 1, scenes.subject_with_studies(scene.dataset, "B-1", (0,)))
    assert not LabelSchema.objects.filter(project=project).exists()
    with pytest.raises(ValidationError, match="Write the labels first"):
        assignment.assign(
            by=scene.people["lead"], project=project, cases=[case], readers=people(scene, "lead")
        )
