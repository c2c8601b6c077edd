"""Releases as JSON, as far as the one who asks may know them."""

from typing import Any

from django.db.models import Count, Q, Sum
from rest_framework.request import Request
from rest_framework.reverse import reverse

from accounts.permissions import Someone
from annotations.cohort import policies, uses
from annotations.cohort.formats import FORMATS
from annotations.cohort.selections import PARTS
from annotations.models import Release, ReleaseCase

ABOUT_ALL = "About all cases"
WORD_OF_PART = {part: word for word, part in PARTS.items()}


def line(request: Request, release: Release) -> dict[str, Any]:
    project = release.project
    return {
        "name": f"{project.slug}@{release.number}",
        "project": {"slug": project.slug, "name": project.name},
        "number": release.number,
        "title": release.title,
        "licence": release.licence,
        "state": release.state,
        "cases_total": release.cases_total,
        "cases_done": release.cases_done,
        "problem": release.problem,
        "frozen_at": release.frozen_at,
        "ready_at": release.ready_at,
        "manifest_sha256": release.manifest_sha256,
        "url": reverse(
            "api-release", kwargs={"slug": project.slug, "number": release.number}, request=request
        ),
    }


def whole(request: Request, release: Release) -> dict[str, Any]:
    user = request.user
    use = uses.use_of(user, release)
    withdrawn = ReleaseCase.objects.filter(release=release, withdrawn_at__isnull=False)
    return line(request, release) | {
        "purpose": release.purpose,
        "citation": release.citation,
        "changelog": release.changelog,
        "content": release.content,
        "split": release.split,
        "sequestered": release.sequestered,
        "formats": _formats(user, release),
        "parts": _parts(user, release),
        "changes": release.changes,
        "certificate": release.certificate,
        "withdrawn_cases": [
            {"case": number, "at": at, "reason": reason}
            for number, at, reason in withdrawn.values_list("number", "withdrawn_at", "withdrawn_because")
        ],
        "agreement": {"text": release.agreement, "is_accepted": use is not None}
        if release.agreement
        else None,
        "use": {"purpose": use.purpose, "at": use.at} if use else None,
    }


def _formats(user: Someone, release: Release) -> list[dict[str, Any]]:
    """Of what can be fetched, in the order of pages; what is about all comes last."""
    there = policies.files_for(user, release).filter(withdrawn_at=None).order_by()
    found = {
        key: (files, size)
        for key, files, size in there.values("format")
        .annotate(files=Count("pk"), bytes=Sum("size"))
        .values_list("format", "files", "bytes")
    }
    titles = {key: one.title for key, one in FORMATS.items()} | {"": ABOUT_ALL}
    return [
        {"format": key, "title": title, "files": found[key][0], "bytes": found[key][1]}
        for key, title in titles.items()
        if key in found
    ]


def _parts(user: Someone, release: Release) -> list[dict[str, Any]]:
    """How many cases each part has, and what of them can be fetched."""
    there = policies.files_for(user, release).filter(withdrawn_at=None, release_case__isnull=False).order_by()
    found = {
        part: (files, size)
        for part, files, size in there.values("release_case__part")
        .annotate(files=Count("pk"), bytes=Sum("size"))
        .values_list("release_case__part", "files", "bytes")
    }
    cases = ReleaseCase.objects.filter(release=release).order_by().values("part")
    counted = dict(cases.annotate(n=Count("pk", filter=Q(withdrawn_at=None))).values_list("part", "n"))
    return [
        {
            "part": word,
            "cases": counted[part],
            "files": found.get(part, (0, 0))[0],
            "bytes": found.get(part, (0, 0))[1],
        }
        for word, part in PARTS.items()
        if part in counted
    ]
