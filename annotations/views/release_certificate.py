"""What reading a release back has found, from `Release.certificate`, in the words of its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.translation import gettext

from annotations.cohort.formats import FORMATS
from annotations.models import Release

EXACT_MM = 0.0005
"""What rounds to 0.000 mm is told as exact."""


@dataclass(frozen=True)
class Back:
    """How a format came back when its files were read again."""

    verdict: str
    icon: str
    words: str


@dataclass(frozen=True)
class Line:
    verdict: str
    words: str
    value: str

    @property
    def icon(self) -> str:
        return {"good": "circle-check", "warn": "info", "bad": "triangle-alert"}[self.verdict]


@dataclass(frozen=True)
class Certificate:
    lines: list[Line]
    checked: str


def came_back(release: Release, key: str) -> Back | None:
    """None until it is checked."""
    if not release.certificate:
        return None
    row = next((one for one in release.certificate["formats"] if one["format"] == key), None)
    if row is None:
        return Back("", "minus", gettext("not read back"))
    if row.get("files_that_differ") or row.get("voxels_that_differ"):
        return Back("bad", "triangle-alert", gettext("differs"))
    distance = row.get("largest_surface_distance_mm")
    if distance is not None and distance > EXACT_MM:
        return Back("warn", "info", gettext("within %(distance)s mm") % {"distance": _mm(distance)})
    if row.get("overlapping_flattened"):
        return Back("warn", "info", gettext("exact, overlaps cut"))
    return Back("good", "shield-check", gettext("exact"))


def certificate_of(release: Release) -> Certificate | None:
    """None until all files are read back."""
    kept = release.certificate
    if not kept:
        return None
    totals: Mapping[str, Any] = kept["totals"]
    differ = totals.get("voxels_that_differ", 0)
    lines = [
        Line("good", gettext("Files read back"), intcomma(totals.get("files", 0))),
        Line("good", gettext("Voxels compared"), intcomma(totals.get("voxels_compared", 0))),
        Line("bad" if differ else "good", gettext("Voxels that differ"), intcomma(differ)),
        *_kept(totals, "masks_on_the_grid", "masks", gettext("Masks with the image's shape and place")),
        *_kept(totals, "empty_kept", "empty", gettext("Empty segments kept (“looked, nothing there”)")),
        *_kept(totals, "overlapping_kept", "overlapping", gettext("Overlapping segments kept")),
    ]
    for name, words in (
        ("numbers_compared", gettext("Measured numbers compared")),
        ("coordinates_compared", gettext("Coordinates compared")),
        ("regions_compared", gettext("Contoured regions compared")),
    ):
        if totals.get(name):
            lines.append(Line("good", words, intcomma(totals[name])))
    if flattened := totals.get("overlapping_flattened"):
        words = gettext("Segments cut by a later one, in label maps only")
        lines.append(Line("warn", words, intcomma(flattened)))
    for row in kept["formats"]:
        distance = row.get("largest_surface_distance_mm")
        if distance is not None:
            title = FORMATS[row["format"]].title if row["format"] in FORMATS else row["format"]
            words = gettext("%(format)s, largest surface distance") % {"format": title}
            verdict = "warn" if distance > EXACT_MM else "good"
            lines.append(Line(verdict, words, f"{_mm(distance)}\N{NO-BREAK SPACE}mm"))
    if (off := totals.get("largest_place_mm")) is not None:
        lines.append(Line("good", gettext("Largest distance of a voxel from its place"), f"{off:.3f} mm"))
    return Certificate(lines, _checked(release, kept))


def _kept(totals: Mapping[str, Any], name: str, of: str, words: str) -> list[Line]:
    whole = totals.get(of, 0)
    if not whole:
        return []
    kept = totals.get(name, 0)
    return [Line("good" if kept == whole else "warn", words, f"{intcomma(kept)} / {intcomma(whole)}")]


def _checked(release: Release, kept: Mapping[str, Any]) -> str:
    said = [gettext("Read back by %(programs)s.") % {"programs": ", ".join(kept["read_by"])}]
    if release.ready_at:
        told = {
            "day": format_date(timezone.localtime(release.ready_at), "j M Y"),
            "version": kept["writer_version"],
        }
        said.append(gettext("Checked %(day)s, written by version %(version)s.") % told)
    if kept.get("cases_not_told"):
        words = gettext("%(n)s sequestered cases were read back, too, and are not counted here.")
        said.append(words % {"n": intcomma(kept["cases_not_told"])})
    return " ".join(said)


def _mm(distance: float) -> str:
    return f"{distance:.1f}" if distance >= 0.1 or not distance else f"{distance:.2g}"
