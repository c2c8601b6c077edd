"""The house style in templates: icons, dates, numbers, plural words, small plots. Loaded everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from math import log

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django_countries import countries
from lucide.templatetags.lucide import lucide

from accounts.models import User

register = template.Library()

NOTHING = "–"  # stands in a cell that has no value


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """A Lucide icon in the colour of its text. Hidden from screen readers unless it has a label."""
    meaning = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    # Lucide escapes what it is given.
    return mark_safe(lucide(name, size=size, stroke_width="1.75", **{"class": "icon"}, **meaning))  # noqa: S308


@register.simple_tag
def avatar(person: User) -> SafeString:
    """The initials of a person in a circle; their name stands beside it."""
    return format_html('<span class="avatar" aria-hidden="true">{}</span>', person.initials)


@register.filter
def number(value: int | None) -> str:
    """45758 as 45,758."""
    return NOTHING if value is None else intcomma(value)


@register.filter
def plural(count: int, words: str) -> str:
    """`{{ n|plural:"case,cases" }}`: "1 case", "2,000 cases"."""
    one, many = words.split(",")
    return f"{intcomma(count)}\N{NO-BREAK SPACE}{ngettext(one, many, count)}"


@register.filter
def said(words: object) -> str:
    """What an app below tells in English, in the reader's language: `{{ role.title|said }}`."""
    return gettext(str(words)) if words else ""


@register.filter
def day(value: date | datetime | None) -> str:
    """22 Nov 2026."""
    return NOTHING if value is None else format_date(_local(value), "j M Y")


@register.filter
def moment(value: datetime | None) -> str:
    """The time of day for today, otherwise day and time."""
    if value is None:
        return NOTHING
    value = _local(value)
    same_day = value.date() == timezone.localdate()
    return f"{gettext('today')} {format_date(value, 'H:i')}" if same_day else format_date(value, "j M Y, H:i")


@register.filter
def day_only(value: date | datetime | None) -> str:
    """For a column of due dates: "today", 24 Nov, or 24 Nov 2027 when it is another year."""
    if value is None:
        return NOTHING
    value = _local(value)
    that_day, today = (value.date() if isinstance(value, datetime) else value), timezone.localdate()
    if that_day == today:
        return gettext("today")
    return format_date(value, "j M" if that_day.year == today.year else "j M Y")


def _local[D: date | datetime](value: D) -> D:
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)  # type: ignore[return-value]
    return value


@register.filter
def country(code: str) -> str:
    """The name of an ISO 3166-1 alpha-2 code, in the reader's language."""
    return countries.name(code) or code


@register.filter
def size(byte_count: int | None) -> str:
    """Bytes as people read them: 512 B, 4.2 MB, 1.3 GB (powers of 1000)."""
    if byte_count is None:
        return NOTHING
    amount = float(byte_count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


@register.filter
def share(part: int, whole: int) -> str:
    """61 % of the whole; a dash where there is no whole."""
    return f"{100 * part / whole:.0f}\N{NO-BREAK SPACE}%" if whole else NOTHING


SPOILED = {
    "volume": "reconstructions and volumes",
    "millimetres": "millimetres",
    "units": "units of values",
    "suv": "SUV",
    "link": "links to other series",
}


@register.filter
def spoiled(spoils: Sequence[str]) -> str:
    """What a finding of the quality gate takes away: ["units", "suv"] as "No units of values, no SUV."."""
    words = [SPOILED[name] for name in spoils if name in SPOILED]
    return f"No {', no '.join(words)}." if words else ""


@register.simple_tag
def bar(value: float, longest: float, ground: bool = False) -> SafeString:
    """A bar of data ink, as long as the value is of the longest; the number stands beside it."""
    width = f"{100 * value / longest:.1f}" if longest else "0"
    return format_html(
        '<svg class="hbar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{}'
        '<rect width="{}" height="8"/></svg>',
        SafeString('<rect class="ground" width="100" height="8"/>') if ground else "",
        width,
    )


@register.filter
def heat(value: int, most: int) -> str:
    """The class of a cell in a matrix of counts, `heat-1` to `heat-10`: logarithmic, nothing for zero."""
    if not value or not most:
        return ""
    return f"heat-{max(1, round(10 * log(value + 1) / log(most + 1)))}"


@register.simple_tag
def timeline(days: Sequence[date | None], span_days: int = 730, width: int = 168) -> SafeString:
    """Time points as dots to scale: the first at the left, the last one filled. Undated ones are left out.

    `span_days` is what the full width stands for, the same in every row of a table.
    """
    dated = sorted(value for value in days if value is not None)
    if not dated:
        return format_html('<span class="faint">{}</span>', gettext("no dates"))
    left, usable = 6, width - 12
    offsets = [(value - dated[0]).days for value in dated]
    scale = usable / max(span_days, offsets[-1], 1)
    places = [f"{left + offset * scale:.1f}" for offset in offsets]
    dots = format_html_join(
        "", '<circle cx="{}" cy="8" r="{}"{}/>',
        ((x, 4 if last else 3, SafeString(' class="last"') if last else "")
         for x, last in ((x, i == len(places) - 1) for i, x in enumerate(places))),
    )  # fmt: skip
    words = gettext("1 time point")
    if len(dated) > 1:
        told = {"points": len(dated), "days": offsets[-1]}
        words = gettext("%(points)d time points over %(days)d days") % told
    return format_html(
        '<svg class="timeline" width="{}" height="16" role="img" aria-label="{}">'
        '<line x1="{}" x2="{}" y1="8" y2="8"/>{}</svg>',
        width, words, places[0], places[-1], dots,
    )  # fmt: skip


# How a state is told: its icon, and the verdict it carries. The word comes from the model.
STATES: dict[str, tuple[str, str]] = {
    # reads
    "assigned": ("circle", ""),
    "in_progress": ("circle-dashed", ""),
    "submitted": ("send", ""),
    "returned": ("rotate-ccw", "warn"),
    "accepted": ("circle-check", "good"),
    "set_aside": ("archive", ""),
    # series, uploads, releases
    "arriving": ("circle-dashed", ""),
    "receiving": ("circle-dashed", ""),
    "waiting": ("clock", ""),
    "reading": ("circle-dashed", ""),
    "writing": ("circle-dashed", ""),
    "ready": ("circle-check", "good"),
    "done": ("circle-check", "good"),
    "broken": ("triangle-alert", "bad"),
    "failed": ("triangle-alert", "bad"),
    "cancelled": ("circle-slash", ""),
    # clinical files
    "mapping": ("columns-3", "warn"),
    "undone": ("undo-2", ""),
}


@register.simple_tag
def state(row: object, word: str = "") -> SafeString:
    """The `state` of a read, series, upload or release as a tag; `word` replaces the model's."""
    value = str(row.state)  # type: ignore[attr-defined]
    image, verdict = STATES[value]
    words = word or said(row.get_state_display())  # type: ignore[attr-defined]
    return format_html('<span class="tag {}">{}{}</span>', verdict, icon(image, 12), words)


@register.inclusion_tag("components/empty.html")
def empty(title: str, why: str = "", url: str = "", action: str = "", image: str = "") -> dict[str, str]:
    """An empty state: says why, and offers one way on."""
    return {"title": title, "why": why, "url": url, "action": action, "image": image}


@register.inclusion_tag("components/notice.html")
def notice(verdict: str, sentence: str, url: str = "", action: str = "") -> dict[str, str]:
    """A sentence across the page: `good`, `warn`, `bad`, or "" for plain."""
    image = {"good": "circle-check", "warn": "triangle-alert", "bad": "triangle-alert"}.get(verdict, "info")
    return {"verdict": verdict, "sentence": sentence, "url": url, "action": action, "image": image}
