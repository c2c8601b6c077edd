"""A subject's studies as the viewer is told of them, for someone who may look and do nothing else."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.urls import reverse

from accounts.models import User
from annotations.api.hanging_json import hung_json
from annotations.api.read_json import studies_json
from annotations.reading.hanging import BUILT_IN, hung_by, images_of
from annotations.reading.shown import shown_series
from atlas import policies as images
from atlas.models import Study
from network.access.policies import grants_that_hold


def _studies(user: User) -> QuerySet[Study]:
    """Those of datasets that are open to this person as wholes: readers have their cases."""
    opened = images.open_datasets(user).values("pk")
    return images.visible_studies(user).filter(dataset__in=opened)


def study_or_404(user: User, public_id: str) -> Study:
    found = _studies(user).filter(public_id=public_id).select_related("subject", "dataset").first()
    if found is None:
        raise Http404("There is no such study, or it is not open to you.")
    return found


def has_images(study: Study) -> bool:
    """Whether the viewer shows something of it. Its series are at hand."""
    return any(
        one.frame_count and one.generation and one.modality not in images.ABOUT_IMAGES
        for one in study.series.all()
    )


def viewing_json(user: User, chosen: Study) -> dict[str, Any]:
    """In the shape of a read whose marks stay closed. The chosen study hangs first, as the current one."""
    shown = shown_series().filter(pk__in=images.visible_series(user).values("pk"))
    rows = _studies(user).filter(subject=chosen.subject_id).order_by("date", "pk")
    studies: list[Study] = list(
        rows.prefetch_related(Prefetch("series", queryset=shown, to_attr="shown_series"))
    )
    until = [one for one in studies if _is_until(one, chosen)] or studies
    protocols = hung_by(BUILT_IN, images_of([(one, one.shown_series) for one in until]))  # type: ignore[attr-defined]
    choices = [hung_json(hung) for hung in protocols]
    subject, dataset = chosen.subject, chosen.dataset
    is_granted = grants_that_hold(user).filter(dataset=dataset).exists()
    back = reverse("access-dataset" if is_granted else "dataset", args=[dataset.slug])
    return {
        "id": chosen.public_id,
        "kind": "viewing",
        "state": "in_progress",
        "round": 1,
        "you": {
            "id": user.public_id,
            "name": user.display_name,
            "initials": user.initials,
            "capacity": "viewer",
            "may_edit": False,
            "may_submit": False,
            "may_judge": False,
        },
        "reader": None,
        "project": {"slug": dataset.slug, "name": dataset.name, "url": back},
        "case": {"number": 0, "title": chosen.description},
        "subject": {
            "pseudonym": subject.pseudonym,
            "sex": subject.sex or None,
            "age_years": chosen.age_years,
        },
        "schema": {"version": 0, "labels": [], "questions": []},
        "studies": studies_json(studies),
        "hanging": {**choices[0], "choices": choices} if choices else None,
        "is_blind": False,
        "is_training": False,
        "lease": None,
        "proposals": {"shown": "never", "withheld": False, "unaided_number": None},
        "imported": [],
        "comments": [],
        "review": None,
        "incidental": [],
        "fellows": [],
        "adjudication": None,
        "worklist_url": back,
        "next": None,
    }


def _is_until(one: Study, chosen: Study) -> bool:
    """Protocols begin with the newest study: those after the chosen one are left out of it."""
    if one.pk == chosen.pk or one.date is None or chosen.date is None:
        return one.pk == chosen.pk
    return one.date <= chosen.date
