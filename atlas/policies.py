"""Which images someone may see: asked by pages, REST, pixels and downloads alike.

A study is visible through a road: a role on its dataset, or whatever an app above adds (annotations adds
assigned and released cases). Apps above register their roads in `AppConfig.ready`; this module never
imports them.
"""

from collections.abc import Callable

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import permissions
from accounts.permissions import Someone
from atlas.models import Dataset, Instance, Project, Series, Study

type Road = Callable[[Someone], Q]
"""For a person, a condition on Study that is true for what this road lets them see."""

type ProjectRoad = Callable[[Someone, Project], Q]
"""For a person and a project, a condition on Study that is true for what the project shows them."""

_roads: dict[str, Road] = {}
_project_roads: dict[str, ProjectRoad] = {}


def add_road(name: str, road: Road) -> None:
    """Open a road to studies. Naming one twice replaces it."""
    _roads[name] = road


def add_project_road(name: str, road: ProjectRoad) -> None:
    """Open a road to the studies of a project. Naming one twice replaces it."""
    _project_roads[name] = road


def register_own_roads() -> None:
    add_road("datasets", through_datasets)


def through_datasets(user: Someone) -> Q:
    return Q(dataset__in=permissions.objects_for(user, "view_images", Dataset).values("pk"))


def visible_studies(user: Someone) -> QuerySet[Study]:
    """Every study that this person may look at."""
    if not user.is_authenticated:
        return Study.objects.none()
    condition = Q(pk__in=[])
    for road in _roads.values():
        condition |= road(user)
    return Study.objects.filter(condition)


def visible_series(user: Someone) -> QuerySet[Series]:
    """Every series that this person may look at."""
    return Series.objects.filter(study__in=visible_studies(user).values("pk"))


def visible_instances(user: Someone) -> QuerySet[Instance]:
    return Instance.objects.filter(series__study__in=visible_studies(user).values("pk"))


def series_or_404(user: Someone, public_id: str) -> Series:
    series = visible_series(user).filter(public_id=public_id).select_related("study").first()
    if series is None:
        raise Http404("There is no such series, or it is not for you.")
    return series


def visible_datasets(user: Someone) -> QuerySet[Dataset]:
    """The datasets whose page this person may open: they may look at its images, or take images in."""
    return (
        permissions.objects_for(user, "view_images", Dataset)
        | permissions.objects_for(user, "import_images", Dataset)
    ).distinct()


def studies_of_dataset(user: Someone, slug: str) -> QuerySet[Study]:
    """What this person may look at of one dataset, whose page they may open. Raises Http404."""
    dataset = visible_datasets(user).filter(slug=slug).first()
    if dataset is None:
        raise Http404("There is no such dataset, or it is not for you.")
    return visible_studies(user).filter(dataset=dataset)


def studies_of_project(user: Someone, slug: str) -> QuerySet[Study]:
    """What this person may look at through one project that they are a member of. Raises Http404."""
    project = permissions.objects_for(user, "view_project", Project).filter(slug=slug).first()
    if project is None:
        raise Http404("There is no such project, or it is not for you.")
    condition = Q(pk__in=[])
    for road in _project_roads.values():
        condition |= road(user, project)
    return visible_studies(user).filter(condition)
