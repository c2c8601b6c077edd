"""Whether another node's answer can be right. What can't be is shown as such and counted nowhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

from network.models import Listing, ListingVersion, Node, QuestionPart
from network.questions.bodies import COUNTED, Malformed, require_keys

STATES = (QuestionPart.State.PERSON, QuestionPart.State.ANSWERED, QuestionPart.State.REFUSED)
REASONS = {
    "": "",
    "decided": _("The node's people decided not to answer it."),
    "nothing": _("None of its datasets takes questions now."),
    "not_understood": _("The node doesn't understand it: its software may be older."),
    "too_many": _("The node has answered as many questions as it answers in a day. Ask again tomorrow."),
}
"""Why a node answers nothing: its code, and what we say. Another node's own sentences aren't shown."""

SUBJECTS_MIN = 10
"""No node tells of fewer subjects; one may tell of more only (settings.DISCLOSURE_MINIMUM)."""

ROW = ("dataset", "version", *COUNTED)


class Wrong(ValueError):
    """This answer can't be right; the sentence says why."""


@dataclass(frozen=True)
class Published:
    """One listing as the catalogue has it: what its node itself said of each version."""

    slug: str
    totals: Mapping[str, Mapping[str, int | None]]
    """By version, of subjects, studies, series and images."""


@dataclass(frozen=True)
class Said:
    """An answer that may be right. Its rows name datasets by their slug in this catalogue."""

    state: str
    reason: str
    rows: list[dict[str, Any]]


def published_by(node: Node | None) -> dict[str, Published]:
    """By the slug that the node itself has for it. Two queries. None: this node."""
    listings = Listing.objects.filter(node=node).defer("words", "figures", "description", "terms")
    older = ListingVersion.objects.filter(listing__node=node)
    totals: dict[int, dict[str, Mapping[str, int | None]]] = {}
    told = older.values_list("listing", "version", *(f"figures__{name}" for name in COUNTED))
    for pk, version, *counts in told:
        totals.setdefault(pk, {})[version] = dict(zip(COUNTED, counts, strict=True))
    start = f"{node.slug}--" if node else ""
    return {
        one.slug.removeprefix(start): Published(
            one.slug,
            {
                **totals.get(one.pk, {}),
                **({one.version: {name: getattr(one, name) for name in COUNTED}} if one.version else {}),
            },
        )
        for one in listings
    }


def checked(body: Mapping[str, Any], published: Mapping[str, Published]) -> Said:
    """The answer that a node sent. Raises Wrong."""
    try:
        require_keys(body, "question", "state", "reason", "answers")
    except Malformed as error:
        raise Wrong(f"Its answer has the wrong shape. {error}") from None
    state, reason, rows = body["state"], body["reason"], body["answers"]
    if state not in STATES or not isinstance(reason, str) or reason not in REASONS:
        raise Wrong("Its answer says neither that it is one, nor why there is none.")
    if not isinstance(rows, list) or len(rows) > len(published):
        raise Wrong(f"Its answer is no list of at most {len(published)} datasets, as many as it publishes.")
    if state == QuestionPart.State.REFUSED and rows:
        raise Wrong("It refuses to answer, and answers.")
    found = [_row(row, published) for row in rows]
    if len({row["dataset"] for row in found}) < len(found):
        raise Wrong("It answers twice for one dataset.")
    return Said(str(state), reason, sorted(found, key=lambda row: row["dataset"]))


def _row(row: object, published: Mapping[str, Published]) -> dict[str, Any]:
    try:
        given = require_keys(row, *ROW)
    except Malformed as error:
        raise Wrong(f"What it says of a dataset has the wrong shape. {error}") from None
    slug = given["dataset"]
    known = published.get(slug) if isinstance(slug, str) else None
    if known is None:
        raise Wrong("It answers for a dataset that it doesn't publish here.")
    version = given["version"]
    totals = known.totals.get(version) if isinstance(version, str) else None
    if totals is None:
        raise Wrong(f"It answers for a version of {known.slug} that it hasn't published here.")
    counts = {name: _count(known.slug, name, given[name], totals[name]) for name in COUNTED}
    if counts["subjects"] is None and any(count is not None for count in counts.values()):
        raise Wrong(f"It tells images of {known.slug}, and of fewer subjects than may be told.")
    return {"dataset": known.slug, "version": version, **counts}


def _count(slug: str, name: str, value: object, total: int | None) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        raise Wrong(f"Its count of {name} of {slug} is no whole number.")
    if value < 0:
        raise Wrong(f"Its count of {name} of {slug} is less than nothing.")
    if name == "subjects" and value < SUBJECTS_MIN:
        raise Wrong(f"It counts under {SUBJECTS_MIN} subjects of {slug}: so few may not be told.")
    if total is None or value > total:
        raise Wrong(f"It counts more {name} of {slug} than it says there are.")
    return value


def holds(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> bool:
    """Whether all that was told before is told again, and the same."""
    told = {row["dataset"]: row for row in now}
    return all(told.get(row["dataset"]) == row for row in before)
