"""What the members of a project read best: modalities and regions of the body, as they call them."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, permissions
from accounts.models import User
from annotations.models import Case, Specialty
from annotations.reading.assignment.rules import possible_readers
from atlas.models import Project, Series

audit.register("specialty.added", "specialty.removed")

NAME_LENGTH_MAX = 64
AT_MOST = 12

# What people say for DICOM's modalities (PS3.3 C.7.3.1.1.1).
SAID = {
    "pet": "pt",
    "mri": "mr",
    "ultrasound": "us",
    "mammography": "mg",
    "x-ray": "dx",
    "radiography": "dx",
    "tomosynthesis": "mg",
}


def specialties_of(project: Project) -> dict[int, list[Specialty]]:
    """By the member's primary key, by name."""
    found: dict[int, list[Specialty]] = defaultdict(list)
    for specialty in Specialty.objects.filter(project=project).order_by("name"):
        found[specialty.user_id].append(specialty)
    return dict(found)


@transaction.atomic
def add(*, by: User, project: Project, user: User, name: str) -> bool:
    """Whether it is new. Raises ValidationError for an empty name, too long a one, and for who reads nothing
    here."""
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH_MAX:
        raise ValidationError({"name": f"A modality or region, at most {NAME_LENGTH_MAX} characters."})
    if not possible_readers(project).filter(pk=user.pk).exists():
        raise ValidationError({"name": f"{user.display_name} is not a reader of this project."})
    present = Specialty.objects.filter(project=project, user=user)
    if present.filter(name__iexact=name).exists():
        return False
    if present.count() >= AT_MOST:
        raise ValidationError({"name": f"At most {AT_MOST} a person."})
    Specialty.objects.create(project=project, user=user, name=name)
    audit.record(by, "specialty.added", project, person=user.pk)
    return True


@transaction.atomic
def remove(*, by: User, project: Project, user: User, name: str) -> None:
    """Twice changes nothing."""
    permissions.require(by, "manage_project", project)
    if Specialty.objects.filter(project=project, user=user, name=name).delete()[0]:
        audit.record(by, "specialty.removed", project, person=user.pk)


def suggestions(project: Project) -> list[str]:
    """Modalities and regions that the project's images name: what is worth writing."""
    series = Series.objects.filter(study__case_studies__case__project=project, frame_count__gt=0)
    found: set[str] = set()
    for modality, part in series.order_by().values_list("modality", "body_part").distinct():
        found |= {modality, part.capitalize()} - {""}
    return sorted(found)


class Fit:
    """Which of some readers suit which of some cases: three queries, however many."""

    def __init__(self, project: Project, cases: Collection[Case], readers: Sequence[User]) -> None:
        told = specialties_of(project)
        self._names = {one.pk: {_word(each.name) for each in told.get(one.pk, ())} for one in readers}
        self._readers = readers
        self._words: dict[int, set[str]] = {case.pk: _words(case.title) for case in cases}
        series = Series.objects.filter(study__case_studies__case__in=list(self._words))
        found = series.order_by().values_list("study__case_studies__case", "modality", "body_part")
        for case_id, modality, part in found.distinct():
            if case_id in self._words:
                self._words[case_id] |= {modality.lower()} | _words(part)

    def best(self, case: Case) -> list[User]:
        words = self._words[case.pk]
        return [one for one in self._readers if any(_is_in(name, words) for name in self._names[one.pk])]

    def without(self) -> list[User]:
        return [one for one in self._readers if not self._names[one.pk]]


def _word(name: str) -> str:
    name = name.casefold()
    return SAID.get(name, name)


def _words(text: str) -> set[str]:
    """Its words, and the whole: a specialty may be two words."""
    text = text.casefold()
    return set(re.findall(r"\w+", text)) | {text}


def _is_in(name: str, words: set[str]) -> bool:
    return name in words or (" " in name and any(name in word for word in words))
