"""Who accessed what, when and why: the lines of the audit trail about one organisation's images.

Why somebody saw an image follows from what they held then: a grant, whose request says the purpose; the use
they stated for a release; or a role, which needs no request.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext

from accounts import audit, permissions
from accounts.models import AuditRecord, ExternalIdentity, Organisation, User
from annotations.models import Release, ReleaseCase, ReleaseUse
from atlas.access import DOWNLOADED, VIEWED
from atlas.models import Dataset, Series
from network.models import AccessGrant, Node

audit.register("access_log.used")

PAGE_SIZE = 50
RELEASE_DOWNLOADED = "release.downloaded"
LOG_USED = "access_log.used"

WHAT = {VIEWED: "viewed", DOWNLOADED: "downloaded", RELEASE_DOWNLOADED: "downloaded from a release"}


@dataclass(frozen=True)
class Wanted:
    """What the log is narrowed by; nothing asks for everything."""

    person: str = ""
    """Public id of a user."""
    dataset: str = ""
    """Slug."""
    what: str = ""
    """A verb of WHAT."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    user_name: str
    user_id: str
    node: str
    """Where the person comes from; empty: this node."""
    verb: str
    what: str
    dataset: str
    subject: str
    study_uid: str
    series_uid: str
    modality: str
    release: str
    why: str
    request: str
    """Public id of the request that access was granted for."""
    mode: str
    use_terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Lines, newest first. `older`: ask for those before this moment; None: these are the last."""

    lines: list[Line]
    older: datetime | None


def records_of(organisation: Organisation, wanted: Wanted) -> QuerySet[AuditRecord]:
    """The lines about its images, newest first."""
    datasets = Dataset.objects.filter(organisation=organisation)
    if wanted.dataset:
        datasets = datasets.filter(slug=wanted.dataset)
    ids = list(datasets.values_list("pk", flat=True))
    known = Series.objects.filter(pk=OuterRef("object_id"), study__dataset__in=ids)
    # Of a series that was erased since, the line itself names the dataset.
    of_series = Q(object_type="series", verb__in=(VIEWED, DOWNLOADED)) & (
        Q(facts__dataset__in=ids) | Q(Exists(known))
    )
    released = ReleaseCase.objects.filter(
        release=OuterRef("object_id"), case__case_studies__study__dataset__in=ids
    )
    of_release = Q(object_type="release", verb=RELEASE_DOWNLOADED) & Q(Exists(released))
    found = AuditRecord.objects.filter(of_series | of_release)
    if wanted.person:
        found = found.filter(actor__public_id=wanted.person)
    if wanted.what:
        found = found.filter(verb=wanted.what)
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lt=wanted.until)
    return found.select_related("actor").order_by("-at", "-pk")


def page_of(
    organisation: Organisation, wanted: Wanted, before: datetime | None, size: int = PAGE_SIZE
) -> Page:
    """One page, by moment rather than by number: a long log costs no more than a short one."""
    found = records_of(organisation, wanted)
    rows = list(found.filter(at__lt=before)[: size + 1] if before else found[: size + 1])
    if len(rows) <= size:
        return Page(_lines(organisation, rows), None)
    # What was written at one moment stays on one page.
    kept = [row for row in rows if row.at > rows[-1].at] or list(found.filter(at=rows[-1].at))
    return Page(_lines(organisation, kept), kept[-1].at)


def every_line(organisation: Organisation, wanted: Wanted, size: int = 500) -> Iterator[Line]:
    """All of them, newest first, a page at a time."""
    before = None
    while True:
        page = page_of(organisation, wanted, before, size)
        yield from page.lines
        if page.older is None:
            return
        before = page.older


def people_of(organisation: Organisation) -> QuerySet[User]:
    """Whom the log can be narrowed to: those who were ever granted one of its datasets."""
    grants = AccessGrant.objects.filter(dataset__organisation=organisation)
    return User.objects.filter(pk__in=grants.order_by().values("user")).order_by("last_name", "username")


def record_use(by: User | None, organisation: Organisation, how: str) -> None:
    """Reading the log is itself written down. `how`: page, csv, messages or command."""
    audit.record(by, LOG_USED, organisation, how=how)


# In words -----------------------------------------------------------------------------------------


def _lines(organisation: Organisation, rows: list[AuditRecord]) -> list[Line]:
    reasons = _Reasons(organisation, rows)
    return [reasons.line(row) for row in rows]


class _Reasons:
    """What lines of one page need, asked for once."""

    def __init__(self, organisation: Organisation, rows: Iterable[AuditRecord]) -> None:
        rows = list(rows)
        people = {row.actor_id for row in rows if row.actor_id}
        series = [row.object_id for row in rows if row.object_type == "series" and row.object_id]
        found = Series.objects.filter(pk__in=series).select_related("study__subject", "study__dataset")
        self.series = {one.pk: one for one in found}
        self.datasets = Dataset.objects.filter(organisation=organisation).in_bulk()
        releases = [row.object_id for row in rows if row.object_type == "release"]
        self.releases = Release.objects.select_related("project").in_bulk([pk for pk in releases if pk])
        uses = [row.facts.get("use") for row in rows if row.object_type == "release"]
        self.uses = ReleaseUse.objects.in_bulk([pk for pk in uses if pk])
        self.grants: dict[tuple[int, int], list[AccessGrant]] = {}
        held = AccessGrant.objects.filter(user__in=people, dataset__organisation=organisation)
        for grant in held.select_related("part__request").order_by("-pk"):
            self.grants.setdefault((grant.user_id, grant.dataset_id), []).append(grant)
        outside = ExternalIdentity.objects.filter(user__in=people)
        names = dict(Node.objects.values_list("address", "name"))
        self.nodes = {one.user_id: names.get(one.issuer, one.issuer) for one in outside}
        self.roles = self._roles(organisation, people)

    def _roles(self, organisation: Organisation, people: set[int]) -> dict[int, str]:
        """One that lets them see images, in words: the organisation's before a dataset's, the strongest."""
        held = permissions.held_roles(people, [organisation, *self.datasets.values()])
        looking = {
            person: [role.title for role in roles if "view_images" in role.permissions]
            for person, roles in held.items()
        }
        return {person: titles[0] for person, titles in looking.items() if titles}

    def line(self, row: AuditRecord) -> Line:
        series = self.series.get(row.object_id or 0) if row.object_type == "series" else None
        release = self.releases.get(row.object_id or 0) if row.object_type == "release" else None
        dataset = series.study.dataset if series else self.datasets.get(row.facts.get("dataset", 0))
        grant = self._grant(row, dataset)
        request = grant.part.request if grant and grant.part else None
        user = row.actor
        return Line(
            at=row.at,
            who=user.display_name if user else "",
            user_name=user.username if user else "",
            user_id=user.public_id if user else "",
            node=self.nodes.get(user.pk, "") if user else "",
            verb=row.verb,
            what=gettext(WHAT[row.verb]),
            dataset=dataset.name if dataset else "",
            subject=series.study.subject.pseudonym if series else "",
            study_uid=series.study.study_instance_uid if series else "",
            series_uid=series.series_instance_uid if series else "",
            modality=series.modality if series else "",
            release=f"{release.project.name}, {release.number}" if release else "",
            why=self._why(row, grant),
            request=request.public_id if request else "",
            mode=grant.mode if grant else "",
            use_terms=tuple(request.use_terms) if request else (),
        )

    def _grant(self, row: AuditRecord, dataset: Dataset | None) -> AccessGrant | None:
        """What they held at that moment."""
        if dataset is None or row.actor_id is None:
            return None
        for grant in self.grants.get((row.actor_id, dataset.pk), []):
            end = min(filter(None, (grant.ends_at, grant.withdrawn_at)))
            if grant.starts_at <= row.at < end:
                return grant
        return None

    def _why(self, row: AuditRecord, grant: AccessGrant | None) -> str:
        use = self.uses.get(row.facts.get("use", 0))
        if use:
            return use.purpose
        if grant and grant.part:
            return grant.part.request.title
        role = self.roles.get(row.actor_id or 0)
        if role:
            return gettext("By role: %s") % gettext(role)
        return gettext("By work on a project")
