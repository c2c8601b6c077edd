"""certificate.json: what reading back the files of all cases has found, in numbers that give away nobody.

Times are not in it: the same release by the same version gives the same bytes.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from annotations.cohort.certificate import contours, reports, shapes
from annotations.cohort.certificate.checking import added
from annotations.cohort.certificate.places import PLACE_MM, PLACE_SHARE
from annotations.cohort.formats import FORMATS
from annotations.cohort.material import ReleaseMaterial, withheld_of
from annotations.models import Release, ReleaseCase, ReleaseFile

CERTIFICATE = "certificate.json"
RECORD = "certificate"
"""Under this name a case's record holds which of its files were read back: [[format, path, SHA-256], …]."""

_NOT_COUNTED = ("format", "read_by")


def certificate_of(material: ReleaseMaterial) -> dict[str, Any]:
    """The document. Memory doesn't grow with the number of cases.

    Cases of which anything is sequestered were read back as all others, and only that is told: what they
    hold must not be worked out from sums.
    """
    release = material.release
    rows: dict[str, dict[str, Any]] = {}
    read_by: set[str] = set()
    cases = withheld = 0
    for release_case in material.cases():
        is_withheld = withheld_of(release, release_case) is not None
        cases, withheld = cases + 1, withheld + is_withheld
        if not is_withheld:
            _count(rows, release_case)
        read_by |= {name for row in release_case.checks for name in row["read_by"]}
    digests = _digests(material)
    formats = [
        {"format": key, **rows[key], "checked_sha256": digests[key].hexdigest()}
        for key in FORMATS
        if key in rows and key in digests
    ]
    return {
        "format": "atlas certificate",
        "version": 1,
        "project": {"slug": release.project.slug, "name": release.project.name},
        "number": release.number,
        "frozen_at": release.frozen_at.isoformat(),
        "writer_version": release.writer_version,
        "read_by": sorted(read_by),
        "compared_with": "the journal's marks as they were accepted, on the positions of their images, and "
        "stored pixels × slope + intercept",
        "tolerances": {
            "voxels": "none",
            "place_mm": PLACE_MM,
            "place_share_of_slice_distance": PLACE_SHARE,
            "place_share_of_voxel": 0.5,
            "surface_share_of_pixel": contours.SURFACE_SHARE,
            "number_share": reports.NUMBER_SHARE,
            "point_mm": shapes.POINT_MM,
        },
        "cases": cases,
        "cases_not_told": withheld,
        "formats": formats,
        "totals": _totals(formats),
        "not_read_back": _not_read_back(release, rows),
        "checked_sha256_is_of": "the lines '<SHA-256>  <path>' of a format's files that were read back, in "
        "the order of cases and of writing, each with a line feed",
    }


def numbers_for_the_page(document: dict[str, Any]) -> dict[str, Any]:
    """What `Release.certificate` keeps: rows by format, their sums, and who read."""
    return {
        name: document[name]
        for name in (
            "writer_version",
            "read_by",
            "tolerances",
            "cases",
            "cases_not_told",
            "formats",
            "totals",
            "not_read_back",
        )
    }


def _count(rows: dict[str, dict[str, Any]], release_case: ReleaseCase) -> None:
    for row in release_case.checks:
        counts = {name: value for name, value in row.items() if name not in _NOT_COUNTED}
        rows[row["format"]] = added(rows.get(row["format"], {}), counts)


def _totals(formats: list[dict[str, Any]]) -> dict[str, Any]:
    """Over all formats; the same mask in two formats counts twice, as it was read back twice."""
    totals: dict[str, Any] = {}
    for row in formats:
        totals = added(totals, {k: v for k, v in row.items() if k not in ("format", "checked_sha256")})
    return totals


def _digests(material: ReleaseMaterial) -> dict[str, Any]:
    """One running SHA-256 a format, over the files that were read back."""
    digests: dict[str, Any] = {}
    for format_key, path, sha256 in _checked(material):
        digest = digests.setdefault(format_key, hashlib.sha256())
        digest.update(f"{sha256}  {path}\n".encode())
    return digests


def _checked(material: ReleaseMaterial) -> Iterator[list[str]]:
    for _, record in material.records(RECORD):
        yield from record


def _not_read_back(release: Release, rows: dict[str, dict[str, Any]]) -> list[str]:
    """Formats of the release of which no file was: tables, documents, images as they came."""
    written = ReleaseFile.objects.filter(release=release, withdrawn_at=None).exclude(format="")
    keys = set(written.order_by().values_list("format", flat=True).distinct())
    return sorted(keys - set(rows))
