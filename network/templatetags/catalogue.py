"""What only pages of the catalogue write: numbers that may be kept back."""

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from network.catalogue.wording import value_words
from network.templatetags.house import number

register = template.Library()


@register.filter
def told(value: int | None) -> str | SafeString:
    """45,758, or "<10" for what may not be told: fewer, or what would give a smaller count away."""
    if value is not None:
        return number(value)
    least = settings.DISCLOSURE_MINIMUM
    words = gettext("Fewer than %(least)d, or hidden because it would tell such a number") % {"least": least}
    return format_html('<abbr class="few" title="{}">&lt;{}</abbr>', words, least)


@register.filter
def access_words(value: str) -> str:
    """A key of Listing.Access in words."""
    return value_words("access", value)


@register.filter
def percent(value: float | None) -> str:
    """0.61 as 61 %."""
    return "–" if value is None else f"{100 * value:.0f}\N{NO-BREAK SPACE}%"
