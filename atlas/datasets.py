"""Services of datasets: an organisation's managers create them, describe them, and lend them to projects."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.text import slugify

from accounts import audit, permissions
from accounts.models import AuditRecord, Organisation, User
from accounts.permissions import Someone
from atlas import policies
from atlas.dicom.deidentify import OPTIONS, Profile
from atlas.models import Dataset, DatasetGrant, Project

audit.register(
    "dataset.created",
    "dataset.edited",
    "dataset.deidentification",
    "dataset.granted",
    "dataset.grant_withdrawn",
)

DESCRIBED_BY = ("name", "organ", "description", "licence")


def dataset_or_404(user: Someone, slug: str) -> Dataset:
    """A dataset whose page this person may open."""
    dataset = policies.visible_datasets(user).filter(slug=slug).select_related("organisation").first()
    if dataset is None:
        raise Http404("There is no such dataset, or it is not for you.")
    return dataset


def require_manager(user: Someone, dataset: Dataset) -> None:
    """Pass for a manager of its organisation; PermissionDenied for members, Http404 for strangers."""
    if permissions.allows(user, "manage_organisation", dataset.organisation):
        return
    if not permissions.is_member(user, dataset):
        raise Http404("There is no such dataset, or it is not for you.")
    raise PermissionDenied("Only a manager of the organisation may do this.")


@transaction.atomic
def create_dataset(
    *,
    by: User,
    organisation: Organisation,
    name: str,
    organ: str,
    description: str,
    licence: str,
    deidentification: str,
) -> Dataset:
    """A new, empty dataset. Raises ValidationError, by field."""
    permissions.require(by, "manage_organisation", organisation)
    Organisation.objects.select_for_update().get(pk=organisation.pk)  # two forms at once: one slug each
    dataset = Dataset(
        organisation=organisation,
        name=" ".join(name.split()),
        slug=_free_slug(name),
        organ=organ,
        description=description.strip(),
        licence=licence.strip(),
        deidentification=deidentification,
    )
    dataset.full_clean()
    dataset.save()
    audit.record(by, "dataset.created", dataset, deidentification=deidentification)
    return dataset


@transaction.atomic
def edit_dataset(*, by: User, dataset: Dataset, **description: str) -> None:
    """Change what describes a dataset; its address stays. Raises ValidationError, by field."""
    require_manager(by, dataset)
    unknown = set(description) - set(DESCRIBED_BY)
    if unknown:
        raise TypeError(f"not a description of a dataset: {sorted(unknown)}")
    for field, value in description.items():
        setattr(dataset, field, value.strip())
    dataset.full_clean()
    dataset.save(update_fields=list(description))
    audit.record(by, "dataset.edited", dataset)


@transaction.atomic
def choose_deidentification(
    *, by: User, dataset: Dataset, deidentification: str, options: Sequence[str] = ()
) -> None:
    """How images that arrive from now on are de-identified; those that are here stay as they are.

    `options` are keys of `atlas.dicom.deidentify.OPTIONS`; they count only where Atlas de-identifies.
    Raises ValidationError.
    """
    require_manager(by, dataset)
    try:
        chosen = Profile.of(options).options
    except ValueError as error:
        raise ValidationError({"options": str(error)}) from error
    at_the_door = deidentification == Dataset.Deidentification.AT_THE_DOOR
    dataset.deidentification = deidentification
    dataset.deidentification_options = [
        option.key for option in OPTIONS if at_the_door and option.key in chosen
    ]
    dataset.full_clean()
    dataset.save(update_fields=["deidentification", "deidentification_options"])
    audit.record(
        by,
        "dataset.deidentification",
        dataset,
        deidentification=deidentification,
        options=" ".join(dataset.deidentification_options),
    )


def deidentification_trail(dataset: Dataset) -> list[AuditRecord]:
    """Who chose what, newest first: the first line is how the dataset began."""
    verbs = ("dataset.created", "dataset.deidentification")
    trail = AuditRecord.objects.filter(object_type="dataset", object_id=dataset.pk, verb__in=verbs)
    return list(trail.select_related("actor"))


@transaction.atomic
def grant_dataset(*, by: User, dataset: Dataset, project_slug: str) -> DatasetGrant:
    """Let a project of any organisation choose studies of this dataset. Twice changes nothing."""
    require_manager(by, dataset)
    project = Project.objects.filter(slug=project_slug.strip().strip("/").rpartition("/")[2]).first()
    if project is None:
        raise ValidationError(
            {"project": "No project has this short name. It is the last part of its address."}
        )
    grant, is_new = DatasetGrant.objects.get_or_create(
        dataset=dataset, project=project, defaults={"granted_by": by}
    )
    if is_new:
        audit.record(by, "dataset.granted", dataset, project=project.pk)
    return grant


@transaction.atomic
def withdraw_grant(*, by: User, dataset: Dataset, project: Project) -> None:
    """From now on the project chooses no studies here. Cases that it made stay, with their reads."""
    require_manager(by, dataset)
    gone, _ = DatasetGrant.objects.filter(dataset=dataset, project=project).delete()
    if gone:
        audit.record(by, "dataset.grant_withdrawn", dataset, project=project.pk)


def _free_slug(name: str) -> str:
    start = slugify(name)[:50].strip("-") or "dataset"
    taken = set(Dataset.objects.filter(slug__startswith=start).values_list("slug", flat=True))
    numbered = (f"{start}-{n}" for n in range(2, len(taken) + 3))
    return next(slug for slug in (start, *numbered) if slug not in taken)
