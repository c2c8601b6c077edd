"""What the pages of projects and reads draw: swatches of labels, reads a week, ways to a decision."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from annotations.reading.overview import Decision
from annotations.reading.questions import ABOUT, TYPES
from annotations.reading.schemas import KINDS
from annotations.reading.schemas.changes import Change
from atlas.models import Project, Study

register = template.Library()

BAR_WIDTH, BAR_GAP, BARS_HEIGHT = 7, 2, 24


@register.simple_tag
def swatch(color: str) -> SafeString:
    """A label's colour as it is on the images; the label's name stands beside it."""
    return format_html(
        '<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">'
        '<rect width="12" height="12" rx="2" fill="{}"/></svg>',
        color,
    )


@register.simple_tag
def kind_word(kind: str) -> str:
    """A kind of mark in words."""
    return KINDS.get(kind, kind)


@register.simple_tag
def type_word(kind: str) -> str:
    """What an answer is, in words."""
    return gettext(TYPES.get(kind, kind))


@register.simple_tag
def about_words(question: dict[str, Any], labels: Sequence[dict[str, Any]]) -> str:
    """What a question asks about: “Each finding: Tumour, Lymph node”."""
    about = gettext(ABOUT.get(question["of"], question["of"]))
    names = {label["key"]: label["name"] for label in labels}
    only = ", ".join(names.get(one, one) for one in question["only"])
    return f"{about}: {only}" if only else about


CHANGED = {
    "color": gettext_noop("another colour"),
    "code": gettext_noop("another code"),
    "required": gettext_noop("required or not"),
    "kinds": gettext_noop("further kinds of marks"),
    "used_again": gettext_noop("used again"),
    "only": gettext_noop("asked of something else"),
    "unit": gettext_noop("another unit"),
    "least": gettext_noop("another least"),
    "most": gettext_noop("another most"),
    "when": gettext_noop("asked under another condition"),
    "type": gettext_noop("another kind of answer"),
    "options": gettext_noop("further answers"),
}


@register.simple_tag
def change_words(change: Change) -> str:
    """What becomes of a label, a question, or a part of one: “new name, was Lesion; another colour”."""
    if change.sort == "added":
        return gettext("New")
    if change.what == "kind":
        return gettext("No longer taken")
    if change.what == "option":
        return gettext("No longer an answer")
    if change.sort == "removed":
        return gettext("Removed")
    told = [gettext("new name, was “%(name)s”") % {"name": change.before}] if change.sort == "renamed" else []
    told += [gettext(CHANGED[name]) for name in change.details]
    said = "; ".join(told) or gettext("Takes less than before")
    return said[:1].upper() + said[1:]


@register.simple_tag
def weeks(counts: Sequence[int], most: int) -> SafeString:
    """Reads a week as bars, this week the last and darkest. All rows of a table share `most`."""
    width = len(counts) * (BAR_WIDTH + BAR_GAP) - BAR_GAP
    bars = []
    for place, count in enumerate(counts):
        height = max(round((BARS_HEIGHT - 2) * count / most, 1), 1) if count and most else 0
        kind = "now" if place == len(counts) - 1 else "past"
        bars.append((kind, place * (BAR_WIDTH + BAR_GAP), BARS_HEIGHT - height, BAR_WIDTH, height))
    words = f"{sum(counts)} in {len(counts)} weeks, {counts[-1] if counts else 0} this week"
    return format_html(
        '<svg class="weeks" width="{}" height="{}" role="img" aria-label="{}">'
        '<line x1="0" x2="{}" y1="{}" y2="{}"/>{}</svg>',
        width, BARS_HEIGHT, words, width, BARS_HEIGHT - 0.5, BARS_HEIGHT - 0.5,
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', bars),
    )  # fmt: skip


@register.simple_tag
def decision_link(decision: Decision, project: Project) -> SafeString:
    """The way to where something is decided."""
    if decision.page == "worklist":
        url, query = reverse("worklist"), f"project={project.slug}"
    else:
        url, query = reverse(decision.page, args=[project.slug]), decision.query
    return format_html('<a href="{}{}">{}</a>', url, f"?{query}" if query else "", decision.action)


@register.simple_tag
def with_page(query: str, page: int) -> str:
    """The same list, another page of it."""
    return f"?{query}&page={page}" if query else f"?page={page}"


@register.simple_tag
def frames_of(study: Study) -> int:
    """How many images of a study can be shown."""
    return sum(series.frame_count for series in study.series.all())


@register.simple_tag
def agreement_cells(found: dict[int, tuple[str, str, int]] | None, person: int) -> SafeString:
    """Two cells of a table: a reader's median Dice with the others, and its interval."""
    value, interval, n = (found or {}).get(person, ("–", "", 0))
    kind = "num" if n else "num faint"
    return format_html(
        '<td class="{}" title="{}">{}</td><td class="faint nowrap">{}</td>',
        kind,
        f"n {n}" if n else "",
        value,
        interval,
    )
