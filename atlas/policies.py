"""Which images someone may see: asked by pages, REST, pixels and downloads alike.

A study is visible through a road: a role on its dataset, or whatever an app above adds (annotations adds
assigned and released cases, network adds datasets that a committee opened to someone). Apps above register
their roads in `AppConfig.ready`; this module never imports them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import permissions
from accounts.permissions import Someone
from atlas.models import Dataset, Instance, Project, Series, Study

type Road = Callable[[Someone], Q]
"""For a person, a condition on Study that is true for what this road lets them see."""

type ProjectRoad = Callable[[Someone, Project], Q]
"""For a person and a project, a condition on Study that is true for what the project shows them."""

type DatasetRoad = Callable[[Someone], Q]
"""For a person, a condition on Dataset that is true for those whose every study they may look at."""

type Veil = Callable[[Someone], Q]
"""For a person, a condition on Study: what was derived from the images of those is kept from them."""

ABOUT_IMAGES = ("SEG", "RTSTRUCT", "SR", "PR", "KO", "RTPLAN", "RTDOSE", "REG")
"""Modalities of objects that say something about images, and are none themselves."""

_roads: dict[str, Road] = {}
_project_roads: dict[str, ProjectRoad] = {}
_dataset_roads: dict[str, DatasetRoad] = {}
_taking_roads: dict[str, DatasetRoad] = {}
_veils: dict[str, Veil] = {}


def add_road(name: str, road: Road) -> None:
    """Open a road to studies. Naming one twice replaces it."""
    _roads[name] = road


def add_project_road(name: str, road: ProjectRoad) -> None:
    """Open a road to the studies of a project. Naming one twice replaces it."""
    _project_roads[name] = road


def add_dataset_road(name: str, look: DatasetRoad, take: DatasetRoad) -> None:
    """Open datasets as wholes: those that a person may look at, and those of them that they may take away.
    Naming one twice replaces it."""
    _dataset_roads[name], _taking_roads[name] = look, take


def add_veil(name: str, veil: Veil) -> None:
    """Keep the derived objects of some studies from a person who sees the studies. Naming one twice
    replaces it."""
    _veils[name] = veil


def veiled_studies(user: Someone) -> QuerySet[Study]:
    """The studies whose derived objects this person doesn't see, by whatever road they see the study."""
    condition = Q(pk__in=[])
    for veil in _veils.values():
        condition |= veil(user)
    return Study.objects.filter(condition)


def register_own_roads() -> None:
    add_road("datasets", through_datasets)


def through_datasets(user: Someone) -> Q:
    return Q(dataset__in=open_datasets(user).values("pk"))


def open_datasets(user: Someone) -> QuerySet[Dataset]:
    """The datasets whose every study this person may look at: by a role, or as apps above opened them."""
    return _opened(user, _dataset_roads)


def _takeable_datasets(user: Someone) -> QuerySet[Dataset]:
    return _opened(user, _taking_roads)


def _opened(user: Someone, roads: dict[str, DatasetRoad]) -> QuerySet[Dataset]:
    if not user.is_authenticated:
        return Dataset.objects.none()
    condition = Q(pk__in=permissions.objects_for(user, "view_images", Dataset).values("pk"))
    for road in roads.values():
        condition |= road(user)
    return Dataset.objects.filter(condition)


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
    veiled = Q(study__in=veiled_studies(user).values("pk"), modality__in=ABOUT_IMAGES)
    return Series.objects.filter(~veiled, study__in=visible_studies(user).values("pk"))


def downloadable_series(user: Someone) -> QuerySet[Series]:
    """Every series whose files this person may take away: what they see, in datasets that they hold a role
    on, or that were opened to them for it. Readers look; they take nothing away."""
    return visible_series(user).filter(study__dataset__in=_takeable_datasets(user).values("pk"))


def only_looks_at(user: Someone, studies: Iterable[int]) -> bool:
    """Whether among these studies is one that this person sees for no other reason than that its dataset was
    opened for looking: such images stay on the node."""
    shown_only = Study.objects.filter(pk__in=studies).exclude(
        dataset__in=_takeable_datasets(user).values("pk")
    )
    return shown_only.exclude(pk__in=_through_other_roads(user).values("pk")).exists()


def visible_instances(user: Someone) -> QuerySet[Instance]:
    """Every image that this person may look at: held ones are for those who look after their dataset, on a
    page of their own."""
    return Instance.objects.filter(series__in=visible_series(user).values("pk"), hold=Instance.Hold.NONE)


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


def listed_datasets(user: Someone) -> QuerySet[Dataset]:
    """The datasets that a program of this person finds: they may open their pages, or see their images."""
    found = Q(pk__in=visible_datasets(user).values("pk")) | Q(pk__in=open_datasets(user).values("pk"))
    return Dataset.objects.filter(found)


# Sights: visibility resolved to numbers, for those who ask for much in a moment --------------------


@dataclass(frozen=True, slots=True)
class Sight:
    """What someone sees at one moment: all studies of these datasets, and these studies besides.

    Asking through roads costs a query a hundred lines long; a search through millions of rows asks with
    these numbers. A sight grows old: keep it for seconds only.
    """

    datasets: tuple[int, ...]
    studies: tuple[int, ...]
    organisations: tuple[int, ...] = ()
    """Whose they are: UIDs are unique within one, so who asks for a UID names these, too."""
    veiled: tuple[int, ...] = ()
    """Studies whose derived objects are kept from this person."""

    def condition(self, path: str = "") -> Q:
        """On Study, or on what reaches it by `path`, such as "series__study__"."""
        found = Q(pk__in=[])
        if self.datasets:
            found |= Q(**{f"{path}dataset__in": self.datasets})
        if self.studies:
            found |= Q(**{f"{path.removesuffix('__') or 'pk'}__in": self.studies})
        return found

    def not_veiled(self, path: str = "") -> Q:
        """On Series, or on what reaches it by `path`, such as "series__"."""
        if not self.veiled:
            return Q()
        return ~Q(**{f"{path}study__in": self.veiled, f"{path}modality__in": ABOUT_IMAGES})


def sight_of(user: Someone) -> Sight:
    """Everything that this person may look at; agrees with `visible_studies`."""
    datasets = open_datasets(user)
    return _sight(user, datasets.values_list("pk", flat=True), _through_other_roads(user))


def sight_of_dataset(user: Someone, slug: str) -> Sight:
    """What this person may look at of one dataset: it is open to them, or they may take images in.
    Raises Http404."""
    dataset = listed_datasets(user).filter(slug=slug).first()
    if dataset is None:
        raise Http404("There is no such dataset, or it is not for you.")
    if open_datasets(user).filter(pk=dataset.pk).exists():
        return Sight((dataset.pk,), (), (dataset.organisation_id,), _veiled(user))
    return _sight(user, [], _through_other_roads(user).filter(dataset=dataset))


def sight_of_project(user: Someone, slug: str) -> Sight:
    """What this person may look at through one project that they are a member of. Raises Http404."""
    project = permissions.objects_for(user, "view_project", Project).filter(slug=slug).first()
    if project is None:
        raise Http404("There is no such project, or it is not for you.")
    condition = Q(pk__in=[])
    for road in _project_roads.values():
        condition |= road(user, project)
    return _sight(user, [], visible_studies(user).filter(condition))


def _through_other_roads(user: Someone) -> QuerySet[Study]:
    condition = Q(pk__in=[])
    for name, road in _roads.items():
        if name != "datasets":
            condition |= road(user)
    return Study.objects.filter(condition) if user.is_authenticated else Study.objects.none()


def _veiled(user: Someone) -> tuple[int, ...]:
    return tuple(veiled_studies(user).order_by("pk").values_list("pk", flat=True))


def _sight(user: Someone, datasets: Iterable[int], studies: QuerySet[Study]) -> Sight:
    datasets = tuple(sorted(datasets))
    others = dict(studies.exclude(dataset__in=datasets).order_by().values_list("pk", "organisation"))
    owners = set(Dataset.objects.filter(pk__in=datasets).values_list("organisation", flat=True))
    all_owners = tuple(sorted(owners | set(others.values())))
    return Sight(datasets, tuple(sorted(others)), all_owners, _veiled(user))


def studies_in(sight: Sight) -> QuerySet[Study]:
    return Study.objects.filter(sight.condition())


def series_in(sight: Sight) -> QuerySet[Series]:
    return Series.objects.filter(sight.condition("study__"), sight.not_veiled())


def instances_in(sight: Sight) -> QuerySet[Instance]:
    """Held ones are in nobody's sight."""
    return Instance.objects.filter(
        sight.condition("series__study__"), sight.not_veiled("series__"), hold=Instance.Hold.NONE
    )
