"""Own datasets are counted anew, in versions.

Counts change only when enough subjects differ from those of the last version, so that two versions can't be
subtracted to tell of a few. Until then the last version stands. What a dataset is called and described as is
no count, and may change at any time: then the same counts get another version.
"""

import dataclasses
import hashlib
import json
import logging
import secrets
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from atlas.archive.storage import ObjectMissing, new_key, storage
from atlas.archive.tasks import delete_superseded
from atlas.models import Dataset, Study
from network import figures
from network.catalogue import pictures
from network.disclosure import LIMIT_STEPS
from network.facts.building import NO_FACTS, build
from network.facts.columns import Facts, written
from network.facts.counting import policy
from network.facts.held import facts_of, forget, forget_all
from network.facts.keys import keys_of
from network.listings import words
from network.listings.differences import difference_between
from network.listings.looked_at import state_of
from network.models import Listing, ListingFacet, ListingVersion

logger = logging.getLogger(__name__)

FIRST = "1.0.0"
NOTE_LENGTH_MAX = 500


def publish(dataset: Dataset, note: str = "", *, seen: str = "") -> ListingVersion | None:
    """Count a dataset anew. None: nothing changed, or too little to be told apart from the last version.

    seen: its `state_of`, where the caller has just asked for it. Raises KeyUnusable where the key of the
    node's counts can't be read, ObjectMissing where the facts of the last version are lost.
    """
    with transaction.atomic():
        listing = _locked(dataset)
        seen = seen or state_of(dataset)  # before anything is read: what comes meanwhile is news next time
        version = _published(listing, dataset, note)
        Listing.objects.filter(pk=listing.pk).update(looked_at=seen)
        return version


def _published(listing: Listing, dataset: Dataset, note: str) -> ListingVersion | None:
    last = _last(listing)
    if last is None:
        return _write(listing, build(dataset), _Step("First version.", None), note)
    before = facts_of([last.facts_key])
    out: list[str] = before.about.get("left_out", [])
    now = build(dataset, leaving_out=out)
    difference = difference_between(before, now)
    if difference.any and (difference.together >= enough() or _has_told_nothing(listing)):
        full = build(dataset) if out else now
        return _write(listing, full, _Step(difference.sentence, last, difference.takes_back), note)
    if difference.takes_back:
        taken_back = _with_keys(_public_ids(dataset), difference.taken_back)
        here = set(now.keys.tolist()) - difference.taken_back
        return take_out(listing, last, before, here, note, left_out=taken_back)
    return _rewrite(listing, last, note)


def _has_told_nothing(listing: Listing) -> bool:
    """Whether there never was a number that another one could be subtracted from."""
    return not ListingVersion.objects.filter(listing=listing).exclude(figures__subjects=None).exists()


def say_anew(dataset: Dataset) -> ListingVersion | None:
    """Words or terms have changed, nothing is read. None: they are what they were."""
    with transaction.atomic():
        listing = _locked(dataset)
        last = _last(listing)
        return publish(dataset) if last is None else _rewrite(listing, last, "")


def publish_changed() -> list[ListingVersion]:
    """Publish every own dataset that is listed and has changed. One whose facts are lost stays as it is, for
    what it would tell now can't be compared with what it told."""
    found = []
    listings = Listing.objects.filter(node=None, is_listed=True).select_related("dataset__organisation")
    for listing in listings.defer("words", "figures"):
        dataset = _own(listing)
        try:
            seen = state_of(dataset)
            version = say_anew(dataset) if seen == listing.looked_at else publish(dataset, seen=seen)
        except ObjectMissing:
            logger.error(  # nothing is wrong in the code
                "The facts of dataset %s are not in storage, so it isn't counted anew. Bring the object back "
                "from the backup: verify_archive names it.",
                dataset.slug,
            )
            version = say_anew(dataset)
        if version is not None:
            found.append(version)
    return found


def require_policy() -> int:
    """Versions from when fewer subjects were enough to be told of are counted anew, from the facts that they
    were made of. Returns of how many datasets. One query where there are none."""
    lax = ListingVersion.objects.exclude(facts_key="").filter(
        listing__node=None, listing__is_listed=True, minimum__lt=policy().minimum
    )
    those = Dataset.objects.filter(listing__versions__in=lax).select_related("organisation")
    told = [say_anew(dataset) for dataset in those.order_by("listing")]  # in one order, whoever else comes
    return len(told)


def before_serving() -> str:
    """No page is read before what it tells is as strict as the node is now. Returns what was done, in a
    sentence, or nothing."""
    count = require_policy()
    forget_all()
    return f"More subjects are needed for a number now. Datasets counted anew: {count}." if count else ""


def take_out(
    listing: Listing,
    last: ListingVersion,
    before: Facts | None,
    here: Set[int],
    note: str = "",
    *,
    left_out: Iterable[str] = (),
    erased: frozenset[str] = frozenset(),
) -> ListingVersion:
    """Subjects are gone, fewer than may be told apart: so others, chosen by chance, aren't counted either
    until enough has changed. `here`: keys of those who may be counted on; `left_out`: public ids of those who
    are here, and of whom something was taken back; `erased`: of those who are gone, whose rows are still
    there. `before`: None where it is lost; then any of those who are here may have been counted."""
    dataset = _own(listing)
    public_ids = [each for each in _public_ids(dataset) if each not in erased]
    out = {*left_out, *(before.about.get("left_out", ()) if before else ())} & set(public_ids)
    counted = set(before.keys.tolist()) if before else here
    gone = len(counted - here) if before else len(erased)
    if gone:
        might = _with_keys(public_ids, counted & here)
        missing = max(0, enough() - gone)
        out.update(secrets.SystemRandom().sample(might, min(len(might), missing)))
    facts = build(dataset, leaving_out=out | erased)
    facts = dataclasses.replace(facts, about={"left_out": sorted(out)})
    return _write(listing, facts, _Step("Subjects were taken out.", last, True), note)


def leave_out_no_more(version: ListingVersion, facts: Facts, public_id: str) -> None:
    """Somebody who wasn't counted is erased: the same facts, and the same version, without a word of them. So
    those who came meanwhile aren't counted earlier than they would be."""
    left = [each for each in facts.about.get("left_out", []) if each != public_id]
    stored = _stored(dataclasses.replace(facts, about={**facts.about, "left_out": left}))
    ListingVersion.objects.filter(pk=version.pk).update(**stored)
    _discard(version.facts_key)


def enough() -> int:
    """So many subjects make a difference that may be told."""
    return policy().minimum + LIMIT_STEPS - 1


def _locked(dataset: Dataset) -> Listing:
    listing, made = Listing.objects.get_or_create(
        dataset=dataset,
        defaults={
            "slug": dataset.slug,
            "title": dataset.name,
            "organisation": dataset.organisation.name,
            "organisation_slug": dataset.organisation.slug,
            "country": str(dataset.organisation.country),
        },
    )
    return listing if made else Listing.objects.select_for_update().get(pk=listing.pk)


def _own(listing: Listing) -> Dataset:
    if listing.dataset is None:
        raise ValueError(f"{listing.slug} is another node's: only own datasets are counted.")
    return listing.dataset


def _last(listing: Listing) -> ListingVersion | None:
    """The one with facts."""
    return ListingVersion.objects.filter(listing=listing).exclude(facts_key="").first()


def _with_keys(public_ids: list[str], keys: Set[int]) -> list[str]:
    """Those of the subjects that have these keys."""
    return [each for each, key in zip(public_ids, keys_of(public_ids).tolist(), strict=True) if key in keys]


def _public_ids(dataset: Dataset) -> list[str]:
    found = Study.objects.filter(dataset=dataset).order_by("subject__public_id")
    return list(found.values_list("subject__public_id", flat=True).distinct())


# A version ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """What is new, and after which version. `is_major`: what was published before holds no more."""

    sentence: str
    last: ListingVersion | None
    is_major: bool = False


def _write(listing: Listing, facts: Facts, step: _Step, note: str) -> ListingVersion:
    """The facts, counted: a version with an object of its own, which takes the place of the last one's."""
    _describe(listing)
    told = figures.of_version(facts, policy(), _of_dataset(listing))
    version = ListingVersion.objects.create(
        listing=listing,
        version=_next(step.last, 0 if step.is_major else 1),
        note=(note or step.sentence)[:NOTE_LENGTH_MAX],
        figures=told,
        digest=_digest(listing, told),
        minimum=policy().minimum,
        **_stored(facts),
    )
    if step.last is not None:
        ListingVersion.objects.filter(pk=step.last.pk).update(facts_key="", facts_size=0, facts_sha256="")
        _discard(step.last.facts_key)
    _show(listing, version)
    return version


def _stored(facts: Facts) -> dict[str, Any]:
    """In an object of their own, as a version names it."""
    data = written(facts)
    key = new_key(".facts")
    storage().put_durable(key, data)
    return {
        "facts_key": key,
        "facts_size": len(data),
        "facts_sha256": hashlib.sha256(data).hexdigest(),
    }


def _discard(key: str) -> None:
    """An object that no version has any more goes once the caller's transaction is over, by a job where this
    process is killed before."""
    delete_superseded.defer(keys=[key])

    def gone() -> None:
        forget(key)
        storage().delete(key)

    transaction.on_commit(gone)


def _rewrite(listing: Listing, last: ListingVersion, note: str) -> ListingVersion | None:
    """The same facts under other words, or counted anew where more subjects are needed now to be told of;
    None where nothing is other than it was."""
    _describe(listing)
    minimum, told, is_counted_anew = last.minimum, dict(last.figures), False
    if last.minimum < policy().minimum:
        told, minimum = _told_under_policy(listing, last)
        is_counted_anew = True
    own = {name: {value: told["subjects"]} for name, value in _of_dataset(listing).items() if value}
    counted = {name: values for name, values in told["facets"].items() if name not in _of_dataset(listing)}
    told["facets"] = own | counted
    digest = _digest(listing, told)
    if digest == last.digest and minimum == last.minimum:
        return None
    sentence = (
        "More subjects are needed for a number." if is_counted_anew else "Other words, the same counts."
    )
    version = ListingVersion.objects.create(
        listing=listing,
        version=_next(last, 1 if is_counted_anew else 2),
        note=(note or sentence)[:NOTE_LENGTH_MAX],
        figures=told,
        digest=digest,
        minimum=minimum,
        facts_key=last.facts_key,
        facts_size=last.facts_size,
        facts_sha256=last.facts_sha256,
    )
    ListingVersion.objects.filter(pk=last.pk).update(facts_key="", facts_size=0, facts_sha256="")
    _show(listing, version)
    return version


def _told_under_policy(listing: Listing, last: ListingVersion) -> tuple[dict[str, Any], int]:
    """(figures of the facts of the last version, of how many subjects at the least). Nothing is told where
    the facts are lost; they are counted when they are back."""
    try:
        facts, minimum = facts_of([last.facts_key]), policy().minimum
    except ObjectMissing:
        facts, minimum = NO_FACTS, last.minimum
    return figures.of_version(facts, policy(), _of_dataset(listing)), minimum


def _next(last: ListingVersion | None, part: int) -> str:
    """Semantic: `part` is 0 for the major, 1 for the minor, 2 for the patch number."""
    if last is None:
        return FIRST
    numbers = [int(number) for number in last.version.split(".")]
    return ".".join(str(number) for number in [*numbers[:part], numbers[part] + 1, *([0] * (2 - part))])


def _describe(listing: Listing) -> None:
    """What the dataset says of itself, as the catalogue has it."""
    dataset = _own(listing)
    listing.slug = dataset.slug
    listing.title = dataset.name
    listing.description = dataset.description
    listing.organ = dataset.organ
    listing.licence = dataset.licence
    listing.organisation = dataset.organisation.name
    listing.organisation_slug = dataset.organisation.slug
    listing.country = str(dataset.organisation.country)


def _of_dataset(listing: Listing) -> dict[str, str]:
    return {
        "organ": listing.organ,
        "country": listing.country,
        "organisation": listing.organisation_slug,
        "access": listing.access,
        "licence": listing.licence,
    }


def _digest(listing: Listing, told: Mapping[str, Any]) -> str:
    said = [told, listing.title, listing.description, listing.organisation, listing.terms]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _show(listing: Listing, version: ListingVersion) -> None:
    """The listing tells what its last version does."""
    listing.version = version.version
    listing.published_at = timezone.now()
    listing.figures = version.figures
    for name in figures.COUNTED:
        setattr(listing, name, version.figures[name])
    listing.save()
    replace_facets([listing])
    words.write([listing.pk])
    pictures.choose(listing)


def replace_facets(listings: Iterable[Listing]) -> None:
    """Rows of facets as the figures have them."""
    every = list(listings)
    ListingFacet.objects.filter(listing__in=every).delete()
    ListingFacet.objects.bulk_create(
        [
            ListingFacet(listing=listing, facet=facet, value=value, subjects=subjects)
            for listing in every
            for facet, values in listing.figures.get("facets", {}).items()
            for value, subjects in values.items()
        ],
        batch_size=2000,
    )
