"""Two releases beside each other: cases that only one of them holds, and what changed in the others."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.cohort import policies, splits, uses
from annotations.models import LabelFact, Release, ReleaseCase, ReleaseFile, ReleaseRead
from annotations.views.frame import open_project, show
from annotations.views.releases import TAB

CASES_A_PAGE = 50
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
ICONS = {ADDED: "plus", REMOVED: "minus", CHANGED: "pencil"}


@dataclass(frozen=True)
class Row:
    """A case that isn't the same in both. `marks`: by label, how often it was drawn before and after."""

    number: int
    what: str
    marks: list[str]

    @property
    def icon(self) -> str:
        return ICONS[self.what]

    @property
    def words(self) -> str:
        return {
            ADDED: gettext("new in this release"),
            REMOVED: gettext("no longer in it"),
            CHANGED: gettext("handed in anew"),
        }[self.what]


@login_required
@require_safe
def compare(request: SignedInRequest, slug: str, number: int, other: int) -> HttpResponse:
    """What release `number` holds that `other` doesn't, and the other way round."""
    opened = open_project(request, slug, "download_releases")
    release = policies.release_or_404(request.user, slug, number)
    earlier = policies.release_or_404(request.user, slug, other)
    closed_by = any(policies.cases_that_close(request.user, one).exists() for one in (release, earlier))
    context: dict[str, Any] = {} if closed_by else _differences(request, release, earlier)
    return show(
        request,
        opened,
        TAB,
        "releases/compare.html",
        release=release,
        other=earlier,
        closed_by=closed_by,
        changes_url="" if closed_by else _changes_url(request.user, release, earlier),
        **context,
    )


def _differences(request: SignedInRequest, release: Release, earlier: Release) -> dict[str, Any]:
    held = {one.pk: _held(one) for one in (release, earlier)}
    now, before = held[release.pk], held[earlier.pk]
    what = dict.fromkeys(now.keys() - before.keys(), ADDED) | dict.fromkeys(
        before.keys() - now.keys(), REMOVED
    )
    both = now.keys() & before.keys()
    what |= {number: CHANGED for number in both if now[number] != before[number]}
    found = Paginator(sorted(what), CASES_A_PAGE).get_page(request.GET.get("page"))
    on_page = list(found.object_list)
    counts = {
        one.pk: _labels(one, on_page, manages=policies.manages(request.user, one))
        for one in (release, earlier)
    }
    names = {
        label["key"]: label["name"]
        for one in (earlier, release)
        for schema in policies.schemas_of(one)
        for label in schema.labels
    }
    rows = [
        Row(
            number,
            what[number],
            _marks(counts[earlier.pk].get(number), counts[release.pk].get(number), names),
        )
        for number in on_page
    ]
    tally = Counter(what.values())
    return {
        "page": found,
        "rows": rows,
        "tally": [
            (gettext("cases added"), tally[ADDED]),
            (gettext("cases removed"), tally[REMOVED]),
            (gettext("cases whose reads were handed in anew"), tally[CHANGED]),
            (gettext("cases as they were"), len(both) - tally[CHANGED]),
        ],
    }


def _held(release: Release) -> dict[int, frozenset[int]]:
    """The submissions that a release pins, by the number of their case."""
    found: dict[int, set[int]] = {}
    rows = ReleaseRead.objects.filter(release_case__release=release, release_case__withdrawn_at=None)
    for case, submission in rows.order_by().values_list("release_case__number", "submission"):
        found.setdefault(case, set()).add(submission)
    return {case: frozenset(submissions) for case, submissions in found.items()}


def _labels(release: Release, numbers: Iterable[int], *, manages: bool) -> dict[int, dict[str, int]]:
    """How often each label was marked, by case; nothing of cases whose marks are sequestered from them."""
    cases = ReleaseCase.objects.filter(release=release, number__in=numbers)
    if release.sequestered != Release.Sequestered.NOTHING and not manages:
        cases = cases.exclude(part=splits.TEST)
    facts = LabelFact.objects.filter(submission__release_reads__release_case__in=cases.values("pk"))
    at = "submission__release_reads__release_case__number"
    found: dict[int, dict[str, int]] = {number: {} for number in cases.values_list("number", flat=True)}
    rows = facts.filter(submission__release_reads__release_case__release=release).order_by()
    for case, label, n in rows.values_list(at, "label").annotate(n=Sum("count")):
        found[case][label] = n
    return found


def _marks(before: dict[str, int] | None, after: dict[str, int] | None, names: dict[str, str]) -> list[str]:
    """ "Tumour 2 → 3"; of a case that only one of the two holds, "Tumour 3". The same number isn't told."""
    labels = sorted({*(before or ()), *(after or ())}, key=lambda key: names.get(key, key))
    said = []
    for label in labels:
        numbers = [side.get(label, 0) for side in (before, after) if side is not None]
        if any(numbers) and (len(numbers) == 1 or numbers[0] != numbers[1]):
            said.append(f"{names.get(label, label)} {' → '.join(map(str, numbers))}")
    return said


def _changes_url(user: User, release: Release, earlier: Release) -> str:
    """The file that says mark by mark what changed, where it was compared with this very release."""
    is_given_out = release.state == Release.State.READY and uses.use_of(user, release) is not None
    if not is_given_out or (release.changes or {}).get("since") != earlier.number:
        return ""
    if not ReleaseFile.objects.filter(release=release, path="changes.json", withdrawn_at=None).exists():
        return ""
    project = release.project
    return reverse("api-release-file", args=[project.slug, release.number, "changes.json"])
