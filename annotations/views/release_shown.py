"""What the page of a release says of its formats, its cohort, and how it may be used."""

from dataclasses import dataclass
from math import ceil

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext, ngettext

from accounts.models import User
from annotations.cohort import summary
from annotations.cohort.formats import FORMATS
from annotations.models import MarkFact, ReferenceStandard, Release, ReleaseCase, ReleaseFile, ReleaseRead
from annotations.reading.policies import cases_being_read_by
from annotations.views.release_certificate import Back, came_back
from annotations.views.release_snippets import Snippets, snippets_of
from annotations.views.release_split import references_of

SHORT = {
    "seg": "SEG",
    "labelmap": "Label map",
    "labelmap_rle": "Map, RLE",
    "sr": "SR",
    "rtstruct": "RTSTRUCT",
    "json": "JSON",
    "originals": "Originals",
}
"""What fits on a tab."""


@dataclass(frozen=True)
class FormatRow:
    key: str
    title: str
    short: str
    holds: str
    files: int
    size: int
    back: Back | None
    archive: str = ""
    snippets: Snippets | None = None


def format_rows(release: Release, files: QuerySet[ReleaseFile], api: str) -> list[FormatRow]:
    """The formats of these files in the order of pages, what is about all last. One query."""
    counted = {
        key: (n, size)
        for key, n, size in files.filter(withdrawn_at=None)
        .order_by()
        .values_list("format")
        .annotate(n=Count("pk"), size=Sum("size"))
    }
    rows = [
        FormatRow(
            key,
            one.title,
            SHORT.get(key, one.title),
            one.holds,
            *counted[key],
            came_back(release, key),
            f"{api}/archive/?formats={key}",
            snippets_of(release, key, api),
        )
        for key, one in FORMATS.items()
        if key in counted
    ]
    if "" in counted:
        title, holds = gettext("About the release"), gettext("labels, splits, changes, data card, manifest")
        rows.append(FormatRow("", title, "", holds, *counted[""], None))
    return rows


def progress_words(release: Release) -> str:
    """How long writing will take; without an estimate, why there is none."""
    if release.state != Release.State.WRITING:
        return ""
    now = summary.progress(release)
    if now.done == now.total:
        return gettext("What spans the cases is being written.")
    if not now.workers:
        return gettext("It waits for a worker.")
    if now.seconds_left is None:
        return gettext("How long it takes is known after a few cases.")
    minutes = ceil(now.seconds_left / 60)
    if minutes < 90:
        return gettext("About %(n)s min left.") % {"n": minutes}
    return gettext("About %(n)s h left.") % {"n": round(minutes / 60)}


# The cohort ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flow:
    """From all cases of the project to those frozen. `rows`: all, then why how many stayed out."""

    rows: list[tuple[str, int]]
    frozen: int
    withdrawn: int


def flow_of(release: Release, user: User) -> Flow:
    """For whoever reads a case of the project now, why cases stayed out is one number: how far others are
    with a case says something about it."""
    withdrawn = len(release.withdrawn_cases)
    frozen = ReleaseCase.objects.filter(release=release).count()
    if not release.left_out:
        return Flow([], frozen, withdrawn)
    reasons = [(words, n) for words, n in release.left_out["reasons"] if n]
    if cases_being_read_by(user).filter(project=release.project_id).exists():
        reasons = [(gettext("stayed out"), sum(n for _, n in reasons))] if reasons else []
    rows = [(gettext("Cases in the project"), release.left_out["cases_in_project"]), *reasons]
    return Flow(rows, frozen, withdrawn)


def lesions_of(release: Release, *, manages: bool) -> int:
    """Outlined ones of the reference, without those that this person may not learn of."""
    marks = MarkFact.objects.filter(
        submission__in=references_of(release, with_sequestered=manages).values("pk")
    )
    return marks.filter(kind="segment", state="present").count()


# Use ------------------------------------------------------------------------------------------------


def reference_words(release: Release) -> str:
    """How many cases have a reference standard, and how it came about."""
    reads = ReleaseRead.objects.filter(release_case__release=release, release_case__withdrawn_at=None)
    counts = reads.aggregate(
        every=Count("release_case", distinct=True),
        reads=Count("pk"),
        with_reference=Count("pk", filter=Q(is_reference=True)),
        adjudicated=Count("pk", filter=Q(is_reference=True, submission__read__kind="adjudication")),
        agreed=Count(
            "pk",
            filter=Q(
                is_reference=True,
                submission__read__case__reference__how=ReferenceStandard.How.AGREED,
            ),
        ),
    )
    said = []
    if counts["adjudicated"]:
        n = counts["adjudicated"]
        words = ngettext("%(n)s case adjudicated", "%(n)s cases adjudicated", n)
        said.append(words % {"n": intcomma(n)})
    if counts["agreed"]:
        words = ngettext("%(n)s where readers agreed", "%(n)s where readers agreed", counts["agreed"])
        said.append(words % {"n": intcomma(counts["agreed"])})
    if single := counts["with_reference"] - counts["adjudicated"] - counts["agreed"]:
        words = ngettext(
            "%(n)s accepted read of one reader", "%(n)s accepted reads of one reader each", single
        )
        said.append(words % {"n": intcomma(single)})
    if rest := counts["every"] - counts["with_reference"]:
        words = ngettext("%(n)s case without", "%(n)s cases without", rest)
        said.append(words % {"n": intcomma(rest)})
    if release.content != Release.Content.REFERENCE:
        words = ngettext("%(n)s accepted read in all", "%(n)s accepted reads in all", counts["reads"])
        said.append(words % {"n": intcomma(counts["reads"])})
    return ", ".join(said) or gettext("none")


def influence_words(release: Release, *, manages: bool) -> str:
    """How many marks of the reference go back to a proposal; "" where no fact is known yet."""
    marks = MarkFact.objects.filter(
        submission__in=references_of(release, with_sequestered=manages).values("pk")
    )
    counts = marks.aggregate(every=Count("pk"), proposed=Count("pk", filter=~Q(origin="reader")))
    if not counts["every"]:
        return ""
    if not counts["proposed"]:
        return gettext("no mark goes back to a proposal")
    told = {"proposed": intcomma(counts["proposed"]), "every": intcomma(counts["every"])}
    return gettext("%(proposed)s of %(every)s marks go back to a proposal; each says which") % told


def citation_of(release: Release) -> str:
    """As the lead wrote it; else from project, release and year."""
    if release.citation:
        return release.citation
    project = release.project
    title = f": {release.title}" if release.title else ""
    digest = f", SHA-256 {release.manifest_sha256[:16]}" if release.manifest_sha256 else ""
    return (
        f"{project.organisation.name}. {project.name}, release {release.number}{title}. "
        f"{release.frozen_at:%Y}{digest}."
    )
