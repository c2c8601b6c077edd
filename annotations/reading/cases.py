"""Cases: which studies of which subjects a project reads."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from accounts import audit, permissions
from accounts.models import User
from annotations.models import Case, CaseStudy, Recall, ReleaseCase
from annotations.reading.broadcasts import announce_cases
from atlas.models import Dataset, Instance, Project, Series, Study

audit.register("cases.added")

CASES_AT_ONCE_MAX = 20_000


@dataclass(frozen=True)
class Added:
    """What `add_cases` did. `there` counts studies that were in a case of the project before."""

    cases: list[Case]
    studies: int
    there: int


def granted_datasets(project: Project) -> QuerySet[Dataset]:
    """The datasets whose organisation lets this project choose studies."""
    return Dataset.objects.filter(grants__project=project).select_related("organisation").distinct()


def studies_of_granted_datasets(project: Project) -> QuerySet[Study]:
    """All of them, those that show nothing yet, too."""
    return Study.objects.filter(dataset__in=granted_datasets(project).values("pk"))


def granted_studies(project: Project) -> QuerySet[Study]:
    """Studies that may become part of a case: of granted datasets, with something to look at."""
    shown = Series.objects.filter(study=OuterRef("pk"), frame_count__gt=0)
    return studies_of_granted_datasets(project).filter(Exists(shown))


def held_studies(project: Project) -> QuerySet[Study]:
    """Studies of granted datasets that show nothing because their images are held."""
    shown = Series.objects.filter(study=OuterRef("pk"), frame_count__gt=0)
    held = Instance.objects.filter(series__study=OuterRef("pk")).exclude(hold=Instance.Hold.NONE)
    return studies_of_granted_datasets(project).filter(~Exists(shown), Exists(held))


def free_studies(
    project: Project, *, dataset: Dataset | None = None, modality: str = "", text: str = ""
) -> QuerySet[Study]:
    """Granted studies that no case of the project holds yet; `text` is part of a pseudonym or description."""
    taken = CaseStudy.objects.filter(case__project=project, study=OuterRef("pk"))
    found = granted_studies(project).filter(~Exists(taken))
    if dataset is not None:
        found = found.filter(dataset=dataset)
    if modality:
        found = found.filter(Exists(Series.objects.filter(study=OuterRef("pk"), modality=modality)))
    if text:
        found = found.filter(Q(subject__pseudonym__icontains=text) | Q(description__icontains=text))
    return found


def modalities(project: Project) -> list[str]:
    """The modalities of images in the datasets open to the project."""
    shown = Series.objects.filter(study__dataset__grants__project=project, frame_count__gt=0)
    return sorted(set(shown.order_by().values_list("modality", flat=True).distinct()))


@transaction.atomic
def add_cases(*, by: User, project: Project, study_ids: Collection[int]) -> Added:
    """One new case for each subject of these studies (primary keys), its time points in order of date.

    Studies that a case of the project holds already are left as they are and counted. Raises
    ValidationError where a study's dataset isn't granted to the project, or a study shows nothing.
    """
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)  # cases are numbered one after the other
    asked = set(study_ids)
    if not asked:
        raise ValidationError("Choose at least one study.")
    granted = set(granted_studies(project).filter(pk__in=asked).values_list("pk", flat=True))
    if asked - granted:
        raise ValidationError(_why_not(project, asked - granted))
    taken = set(
        CaseStudy.objects.filter(case__project=project, study__in=asked).values_list("study", flat=True)
    )
    studies = list(
        Study.objects.filter(pk__in=asked - taken)
        .select_related("subject")
        .order_by("subject__pseudonym", "subject_id", "date", "time", "id")
    )
    groups = [list(group) for _, group in groupby(studies, key=lambda study: study.subject_id)]
    if len(groups) > CASES_AT_ONCE_MAX:
        raise ValidationError(f"At most {CASES_AT_ONCE_MAX:,} cases at once; these are {len(groups):,}.")
    cases = _write(project, groups)
    if cases:
        audit.record(by, "cases.added", project, cases=len(cases), studies=len(studies))
        announce_cases(project, [case.number for case in cases])
    return Added(cases, len(studies), len(taken))


def _why_not(project: Project, refused: set[int]) -> str:
    known = studies_of_granted_datasets(project).filter(pk__in=refused).count()
    held = held_studies(project).filter(pk__in=refused).count()
    reasons = [
        (
            len(refused) - known,
            "not open to this project: a manager of their organisation grants the dataset on its page",
        ),
        (
            held,
            "held: the images are searched for text in their pixels, or kept back for it. A data manager "
            "of the dataset lets them go in its quarantine",
        ),
        (known - held, "without an image that can be shown"),
    ]
    said = [
        f"{count} of the chosen studies {'is' if count == 1 else 'are'} {reason}."
        for count, reason in reasons
        if count
    ]
    return " ".join([*said, "Nothing was added."])


def _last_number(project: Project) -> int:
    """Also of cases that are gone: releases list them, and people were told to delete their copies."""
    ever = (
        Case.objects.filter(project=project).aggregate(last=Max("number")),
        ReleaseCase.objects.filter(release__project=project).aggregate(last=Max("number")),
        Recall.every.filter(project=project).aggregate(last=Max("case_number")),
    )
    return max(one["last"] or 0 for one in ever)


def _write(project: Project, groups: list[list[Study]]) -> list[Case]:
    last = _last_number(project)
    cases = Case.objects.bulk_create(
        [
            Case(project=project, subject=studies[0].subject, number=number, title=_title(studies))
            for number, studies in enumerate(groups, start=last + 1)
        ],
        batch_size=2000,
    )
    CaseStudy.objects.bulk_create(
        [
            CaseStudy(case=case, study=study, position=position)
            for case, studies in zip(cases, groups, strict=True)
            for position, study in enumerate(studies, start=1)
        ],
        batch_size=2000,
    )
    return cases


def _title(studies: list[Study]) -> str:
    """What the latest time point was made for, in its own words."""
    return next((study.description for study in reversed(studies) if study.description), "")
