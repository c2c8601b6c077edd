"""How many subjects, studies, series and images an expression finds: disclosed, of published versions."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.conf import settings

from accounts.models import Organisation
from annotations.cohort.language.expression import Expression
from annotations.cohort.language.shared import require_shared
from atlas.archive.storage import ObjectMissing
from network.disclosure import Cell, Policy
from network.facts.evaluating import cells
from network.facts.held import facts_of
from network.figures import COUNTED, totals, within
from network.models import Listing, ListingVersion


@dataclass(frozen=True, slots=True)
class Counts:
    """None: fewer subjects than may be told, or none."""

    subjects: int | None
    studies: int | None
    series: int | None
    images: int | None

    def as_json(self) -> dict[str, int | None]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answered:
    """What one dataset says. `version`: which of its versions was counted."""

    listing: Listing
    version: str
    counts: Counts


def policy() -> Policy:
    return Policy(settings.DISCLOSURE_MINIMUM)


def count(listing: Listing, expression: Expression) -> Counts:
    """Of one own listing, whether it answers questions or not. Raises CohortError where it can't be asked
    across nodes, and ListingVersion.DoesNotExist where nothing was published yet."""
    require_shared(expression)
    for _ in range(2):  # it may be published anew between the two lines
        version = ListingVersion.objects.exclude(facts_key="").get(listing=listing)
        try:
            facts = facts_of([version.facts_key])
            break
        except ObjectMissing:
            continue
    else:
        raise ListingVersion.DoesNotExist("The facts of the last version are not in storage.")
    return _told(cells(facts, expression, _policy_of(version))[0], version)


def answer(
    expression: Expression, *, decided: bool = False, organisations: Iterable[Organisation] | None = None
) -> list[Answered]:
    """Of the own listings that answer by themselves; `decided`: a person has said yes, so those that ask a
    person answer as well (only those of `organisations`, where they are named). By slug.

    Raises CohortError where it can't be asked across nodes.
    """
    require_shared(expression)
    deciding = None if organisations is None else {each.pk for each in organisations}
    for attempt in range(2):
        versions = _last_versions()
        if not versions:
            return []
        try:
            found = _cells(versions, expression)
            break
        except ObjectMissing:
            if attempt:
                raise
    return [
        Answered(version.listing, version.version, _told(found[version.pk], version))
        for version in versions
        if _answers(version.listing, decided, deciding)
    ]


def _policy_of(version: ListingVersion) -> Policy:
    """The node's, or the stricter one that the version was counted under."""
    return Policy(max(policy().minimum, version.minimum))


def _cells(versions: Iterable[ListingVersion], expression: Expression) -> dict[int, Cell]:
    """By primary key. Versions of one policy, so nearly always all, are counted together."""
    together: dict[Policy, list[ListingVersion]] = {}
    for version in versions:
        together.setdefault(_policy_of(version), []).append(version)
    found: dict[int, Cell] = {}
    for of_these, each in together.items():
        told = cells(facts_of([version.facts_key for version in each]), expression, of_these)
        found |= {version.pk: cell for version, cell in zip(each, told, strict=True)}
    return found


def _last_versions() -> list[ListingVersion]:
    """Of all own listings that are listed, by slug: the same ones whoever asks, so their facts are one."""
    return list(
        ListingVersion.objects.exclude(facts_key="")
        .filter(listing__node=None, listing__is_listed=True)
        .select_related("listing__dataset")
        .defer(
            "figures",
            "listing__figures",
            "listing__words",
            "listing__description",
            "listing__terms",
            "listing__dataset__description",
        )
        .order_by("listing__slug")
    )


def _answers(listing: Listing, decided: bool, deciding: set[int] | None) -> bool:
    if listing.answers == Listing.Answers.ITSELF:
        return True
    if listing.answers == Listing.Answers.NEVER or not decided:
        return False
    return deciding is None or (listing.dataset is not None and listing.dataset.organisation_id in deciding)


def _told(cell: Cell, version: ListingVersion) -> Counts:
    """Never more than its listing says, unless that was counted when fewer subjects were enough."""
    told = totals(cell, _policy_of(version))
    if version.minimum < policy().minimum:
        return Counts(**told)
    return Counts(**within(told, {name: getattr(version.listing, name) for name in COUNTED}))
