"""Accepted cases and releases of them, for tests of pages."""

import uuid
from typing import Any

from django.test import Client
from django.utils import timezone

from annotations.cohort.formats import FORMATS
from annotations.models import (
    LabelFact,
    MarkFact,
    Read,
    Release,
    ReleaseCase,
    ReleaseRead,
    Submission,
)
from atlas.models import Series
from tests import scene as scenes
from tests.scene import Scene

RELEASES = "/projects/respond/releases/"


def more_cases(scene: Scene, count: int, *, first: int = 10) -> list[Submission]:
    """Accepted cases of subjects of their own, with one outlined lesion each."""
    made = []
    for number in range(first, first + count):
        studies = scenes.subject_with_studies(scene.dataset, f"NH-3{number:04d}", (0, 30))
        case = scenes.case_of(scene.project, number, studies)
        read = Read.objects.create(case=case, reader=scene.people["other_reader"], schema=scene.schema)
        submission = scenes.accepted(read, scene.people["reviewer"])
        MarkFact.objects.create(
            submission=submission,
            annotation=uuid.uuid4(),
            series=Series.objects.filter(study=studies[0]).get(),
            label="lesion",
            kind="segment",
            state="present",
            volume_ml=float(number),
            origin="reader",
        )
        LabelFact.objects.create(submission=submission, label="lesion", state="present", count=1)
        made.append(submission)
    Submission.objects.update(facts_at=timezone.now())
    return made


def released(scene: Scene, number: int, submissions: list[Submission], **fields: Any) -> Release:
    """A ready release of these; the last of them is the test part where it has a split."""
    release = Release.objects.create(
        project=scene.project,
        number=number,
        state=Release.State.READY,
        cases_total=len(submissions),
        cases_done=len(submissions),
        frozen_by=scene.people["lead"],
        ready_at=timezone.now(),
        formats=list(FORMATS),
        **fields,
    )
    for place, submission in enumerate(submissions):
        is_test = release.split and place == len(submissions) - 1
        part = ("test" if is_test else "train") if release.split else ""
        case = submission.read.case
        held = ReleaseCase.objects.create(release=release, case=case, number=case.number, part=part)
        ReleaseRead.objects.create(release_case=held, submission=submission, is_reference=True)
    return release


def freeze_form(client: Client, **fields: Any) -> dict[str, Any]:
    """What a browser would send: the page's own values, the mark of what it shows, and what is typed."""
    shown = client.get(f"{RELEASES}new/")
    form = shown.context["form"]
    values = {name: value for name, value in form.INITIAL.items() if value is not None}
    expected = {"expected": shown.context["preview"].mark, "number": shown.context["next_number"]}
    return values | expected | fields
