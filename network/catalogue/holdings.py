"""The numbers of the front page: sums over what listings tell.

A subject with studies in two datasets is counted in both: what nodes tell has no names to compare. Four
questions to the database, whatever is held.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Sum
from django.db.models.fields.json import KT

from atlas.models import Dataset
from network.catalogue.public import listed
from network.models import ListingFacet

COLUMNS = {"CT": "CT", "MR": "MR", "PT": "PET", "MG": "MG", "US": "US"}
"""DICOM's code and the column it stands in; what else is an image stands under "Other"."""

OTHER = "Other"
NOT_IMAGES = ("SEG", "SR", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG", "KO", "PR", "DOC")
LABELS = ("two_readers", "one_reader", "measurements", "none")


@dataclass
class Told:
    """A sum of numbers some of which may not be told."""

    told: int = 0
    hidden: int = 0
    """How many listings keep theirs."""

    def add(self, number: int | None) -> None:
        if number is None:
            self.hidden += 1
        else:
            self.told += number

    @property
    def number(self) -> int | None:
        """None: something is there, and may not be told."""
        return self.told if self.told or not self.hidden else None


@dataclass
class OrganRow:
    """One line of the body chart. `followed`: subjects with two time points or more."""

    organ: str
    subjects: Told = field(default_factory=Told)
    followed: Told = field(default_factory=Told)
    datasets: int = 0
    by_modality: dict[str, Told] = field(default_factory=dict)

    @property
    def followed_share(self) -> float | None:
        if not self.subjects.told or not self.followed.told:
            return None
        return min(1.0, self.followed.told / self.subjects.told)


@dataclass
class Holdings:
    """Subjects, unless a name says otherwise."""

    rows: dict[str, OrganRow]
    subjects: Told = field(default_factory=Told)
    studies: Told = field(default_factory=Told)
    images: Told = field(default_factory=Told)
    datasets: int = 0
    organisations: int = 0
    countries: int = 0
    by_country: dict[str, Told] = field(default_factory=lambda: defaultdict(Told))
    labels: dict[str, Told] = field(default_factory=lambda: defaultdict(Told))
    median_interval_days: float | None = None

    @property
    def times_a_subject(self) -> float | None:
        return self.studies.told / self.subjects.told if self.subjects.told and self.studies.told else None

    @property
    def columns(self) -> list[str]:
        has_others = any(OTHER in row.by_modality for row in self.rows.values())
        return [*COLUMNS.values(), *([OTHER] if has_others else [])]

    @property
    def most_in_a_row(self) -> int:
        return max((row.subjects.told for row in self.rows.values()), default=0)

    @property
    def most_in_a_cell(self) -> int:
        return max((one.told for row in self.rows.values() for one in row.by_modality.values()), default=0)


def holdings() -> Holdings:
    held = Holdings({organ: OrganRow(organ) for organ in Dataset.Organ.values})
    organisations, countries = set(), set()
    intervals: list[tuple[float, int]] = []
    listings = listed().annotate(
        followed=KT("figures__followed"),
        interval=KT("figures__median_interval_days"),
        **{f"labelled_{name}": KT(f"figures__labels__{name}") for name in LABELS},
    )
    for (
        organ, subjects, studies, images, code, node, organisation, followed, interval, *labelled
    ) in listings.values_list(
        "organ", "subjects", "studies", "images", "country", "node", "organisation_slug", "followed",
        "interval", *(f"labelled_{name}" for name in LABELS),
    ):  # fmt: skip
        row = held.rows.setdefault(organ, OrganRow(organ))
        row.datasets += 1
        held.datasets += 1
        for total in (row.subjects, held.subjects, held.by_country[code]):
            total.add(subjects)
        held.studies.add(studies)
        held.images.add(images)
        row.followed.add(_whole(followed))
        organisations.add((node, organisation))
        countries.add(code)
        if interval is not None:
            intervals.append((float(interval), subjects or 1))
        for name, text in zip(LABELS, labelled, strict=True):
            held.labels[name].add(_whole(text))
    held.organisations, held.countries = len(organisations), len(countries)
    held.median_interval_days = weighted_median(intervals)
    _count_modalities(held)
    return held


def _count_modalities(held: Holdings) -> None:
    cells = (
        ListingFacet.objects.filter(facet="modality", listing__in=listed().values("pk"))
        .exclude(value__in=NOT_IMAGES)
        .order_by()
        .values_list("listing__organ", "value")
        .annotate(told=Sum("subjects"), datasets=Count("pk"), numbers=Count("subjects"))
    )
    for organ, code, told, datasets, numbers in cells:
        cell = held.rows[organ].by_modality.setdefault(COLUMNS.get(code, OTHER), Told())
        cell.told += told or 0
        cell.hidden += datasets - numbers


def weighted_median(values: Iterable[tuple[float, int]]) -> float | None:
    """The value that half of the weight lies below; of (value, weight)."""
    every = sorted(values)
    half, before = sum(weight for _, weight in every) / 2, 0
    for value, weight in every:
        before += weight
        if before >= half:
            return value
    return None


def _whole(text: str | None) -> int | None:
    return None if text is None else int(float(text))


def organisation_names() -> dict[str, str]:
    """By slug, of what is listed."""
    return dict(listed().order_by("organisation_slug").values_list("organisation_slug", "organisation"))


def growth(figures: Iterable[list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """Months with what came in them, over several listings: [("2026-11", n)], in order, without gaps."""
    months: Counter[str] = Counter()
    for listing in figures:
        for month, number in listing:
            months[month] += number
    return sorted(months.items())
