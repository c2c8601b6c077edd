"""What the pages of releases draw: the plots of a data card, and the parts of a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from annotations.cohort.formats import FORMATS
from annotations.views.release_recalls import holders_of, open_in
from atlas.models import Instance

register = template.Library()

WIDTH, BASE, TOP, LOW = 260, 112, 24, 132  # of a plot: the floor of its bars, the highest, and the edge
SLOT_WIDEST, GAP = 44, 2
LETTER = 6.2  # how wide one is at 11 px, about
BARS_WITH_NUMBERS = 9
BARS_MOST = 24
"""More than this, or words that don't fit under them, are told as lines of a table."""


@dataclass(frozen=True)
class Column:
    """One bar of a plot, in its coordinates."""

    x: float
    width: float
    y: float
    height: float
    word: str
    told: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Plot:
    """A plot of the data card: bars over words where they fit, else lines."""

    title: str
    unit: str
    rows: list[tuple[str, int]]
    drawing: SafeString | None

    @property
    def most(self) -> int:
        return max((n for _, n in self.rows), default=0)


@register.simple_tag
def card_plots(card: Sequence[dict[str, Any]] | None) -> list[Plot]:
    """The plots of `Release.card`, {title, unit, n, rows: [[word, count], …]} each, without empty ones."""
    found = []
    for one in card or ():
        rows = [(str(word), int(n)) for word, n in one["rows"]]
        if any(n for _, n in rows):
            unit = ", ".join(part for part in (_said(one.get("unit")), _n(one.get("n"))) if part)
            drawing = _drawn(one["title"], rows, is_scale=one.get("kind") == "histogram")
            found.append(Plot(one["title"], unit, rows, drawing))
    return found


def _said(unit: str | None) -> str:
    return gettext(unit) if unit else ""


def _n(count: int | None) -> str:
    return f"n\N{NO-BREAK SPACE}{intcomma(count)}" if count is not None else ""


def columns_of(rows: Sequence[tuple[str, int]]) -> list[Column]:
    """Where the bars stand: side by side from the left, the highest up to the top."""
    slot = min(SLOT_WIDEST, (WIDTH - 8) / len(rows))
    most = max(n for _, n in rows)
    columns = []
    for place, (word, n) in enumerate(rows):
        height = max((BASE - TOP) * n / most, 1.5 if n else 0)
        columns.append(
            Column(4 + place * slot, slot - GAP, BASE - height, height, word, intcomma(n) if n else "")
        )
    return columns


def _drawn(title: str, rows: Sequence[tuple[str, int]], *, is_scale: bool) -> SafeString | None:
    """None where the words can't stand under their bars; of a scale some may be left out."""
    columns = columns_of(rows)
    slot = columns[0].width + GAP
    if len(columns) > BARS_MOST:
        return None
    widest = max(len(word) for word, _ in rows) * LETTER
    if widest > slot and not is_scale:
        return None
    step = max(1, -int(-(widest + 4) // slot)) if is_scale else 1
    has_numbers = len(columns) <= BARS_WITH_NUMBERS and max(len(one.told) for one in columns) * LETTER <= slot
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"/>',
        (_rounded(one.x, one.y, one.width, one.height) for one in columns if one.height),
    )
    numbers = format_html_join(
        "",
        '<text class="n" x="{}" y="{}">{}</text>',
        ((*_rounded(one.middle, one.y - 4), one.told) for one in columns if has_numbers and one.told),
    )
    words = format_html_join(
        "",
        '<text class="word" x="{}" y="127">{}</text>',
        ((*_rounded(one.middle), one.word) for place, one in enumerate(columns) if place % step == 0),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}'
        '<line x1="2" x2="{}" y1="{}" y2="{}"/></svg>',
        *(WIDTH, LOW, gettext("Bars: %(title)s") % {"title": title}, bars, numbers, words),
        *(*_rounded(columns[-1].x + columns[-1].width + 2), BASE, BASE),
    )


def _rounded(*places: float) -> list[str]:
    return [f"{place:.1f}" for place in places]


@register.simple_tag
def split_bar(parts: Sequence[tuple[str, int]]) -> SafeString:
    """The parts of a split side by side, as wide as they hold subjects; the table below tells the same."""
    total = sum(n for _, n in parts) or 1
    drawn, x = [], 0.0
    for place, (word, n) in enumerate(parts):
        width = 100 * n / total
        if n:
            drawn.append((f"{x:.2f}", f"{width:.2f}", place % 3 + 1, f"{word} {intcomma(n)}"))
        x += width
    return format_html(
        '<svg class="split-bar" width="100%" height="24" aria-hidden="true">{}</svg>',
        format_html_join(
            "",
            '<svg x="{}%" width="{}%" height="24"><rect class="part-{}" width="100%" height="24"/>'
            '<text x="8" y="16">{}</text></svg>',
            drawn,
        ),
    )


@register.inclusion_tag("releases/parts/recalls_open.html", takes_context=True)
def open_recalls(context: dict[str, Any]) -> dict[str, Any]:
    """What waits for this person's word that their copies are deleted, on pages outside of releases. One
    query."""
    return {"notices": open_in(context["user"]), "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("releases/parts/holders.html", takes_context=True)
def releases_that_hold(context: dict[str, Any], image: Instance) -> dict[str, Any]:
    """Which releases give out cases with the study of an image in quarantine, and which were recalled."""
    return {"holders": holders_of(image.series.study, context["user"]), "image": image}


@register.filter
def format_title(key: str) -> str:
    return FORMATS[key].title if key in FORMATS else gettext("About the release")
