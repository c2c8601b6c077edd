"""Seeds the demo, step by step; each step leaves alone what is there already."""

import sys
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from annotations.cohort import releases, writer
from annotations.demo import images, marks, people
from annotations.models import Case, ImportedSegment, Read, Release, ReleaseCase, Review
from annotations.reading import assignment, cases, reads, review
from atlas import samples
from atlas.models import Project, Study

READERS = {  # case: who reads it; two who read the same case don't see each other's marks
    "brain1": ("reader1",),
    "brain2": ("reader2",),
    "breast1": ("reader2", "reader1"),
    "lung1": ("reader1", "reader2"),
    "lung2": ("reader1",),
}
ACCEPTED, WAITING = ("brain1", "reader1"), ("brain2", "reader2")
DUE_IN = timedelta(days=14)

type Say = Callable[[str], None]


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def seed_demo(say: Say = _print) -> Project:
    """People, images, project, reads and a release. Raises CommandError outside a demo node, or offline."""
    if not settings.DEMO:
        raise CommandError("Demo accounts have a public password: set ATLAS_DEMO=1, on this machine only.")
    hospital = people.hospital()
    project = people.project(hospital)
    try:
        archive = samples.fetch_pyradiomics_archive(samples.cache_folder(), progress=_Progress(say))
    except samples.SampleError as error:
        raise CommandError(str(error)) from error
    studies = images.take_in(hospital, project, archive, say)
    made = _cases(hospital, project, studies)
    _assign(hospital, project, made)
    accepted = _drawn(made, hospital, *ACCEPTED)
    _drawn(made, hospital, *WAITING)
    _accept(hospital, accepted)
    _release(hospital, project, say)
    return project


class _Progress:
    """Says how far the download is, at every quarter."""

    def __init__(self, say: Say) -> None:
        self.say, self.told = say, -1

    def __call__(self, done: int, total: int) -> None:
        quarter = 4 * done // total
        if quarter > self.told:
            self.told = quarter
            self.say(f"  downloading the sample cases: {done / 1e6:.0f} of {total / 1e6:.0f} MB")


def _cases(hospital: people.Hospital, project: Project, studies: list[Study]) -> dict[str, Case]:
    lead = hospital.people["lead"]
    cases.add_cases(by=lead, project=project, study_ids=[study.pk for study in studies])
    found = Case.objects.filter(project=project).select_related("subject")
    return {case.subject.pseudonym: case for case in found}


@transaction.atomic
def _assign(hospital: people.Hospital, project: Project, made: dict[str, Case]) -> None:
    """Once: who was taken off a case later stays off."""
    Project.objects.select_for_update().get(pk=project.pk)
    if Read.objects.filter(case__project=project).exists():
        return
    for name, readers in READERS.items():
        assignment.assign(
            by=hospital.people["lead"],
            project=project,
            cases=[made[name]],
            readers=[hospital.people[reader] for reader in readers],
            due=timezone.now().date() + DUE_IN,
        )


@transaction.atomic
def _drawn(made: dict[str, Case], hospital: people.Hospital, name: str, reader: str) -> Read | None:
    """The read, drawn and handed in unless it was before; None where it was taken back."""
    read = Read.objects.filter(case=made[name], reader=hospital.people[reader]).first()
    if read is not None and not read.submissions.exists():
        segment = ImportedSegment.objects.filter(series__study__cases=made[name]).first()
        if segment is None:
            raise CommandError(f"The outline of {name} was not put on its images; see its dataset's page.")
        number = marks.draw(read, segment)
        read = reads.submit(user=read.reader, read_id=read.public_id, number=number)
    return read


def _accept(hospital: people.Hospital, read: Read | None) -> None:
    if read is not None and read.state == Read.State.SUBMITTED:
        review.judge(
            user=hospital.people["reviewer"],
            read_id=read.public_id,
            verdict=Review.Verdict.ACCEPT,
            round=read.round,
            text="Outline and diameters agree with the images.",
        )


def _release(hospital: people.Hospital, project: Project, say: Say) -> None:
    """Release 1, written here by the code of the jobs: no worker runs yet."""
    if not Release.objects.filter(project=project).exists():
        say("  release 1 …")
        releases.freeze(
            by=hospital.people["lead"],
            project=project,
            choice=releases.Choice(title="First cases", licence=images.LICENCE),
        )
    for release in Release.objects.filter(project=project, number=1, state=Release.State.WRITING):
        for case_id in set(ReleaseCase.objects.filter(release=release).values_list("case_id", flat=True)):
            writer.write_case(release.pk, case_id)
        writer.finish(release.pk)
