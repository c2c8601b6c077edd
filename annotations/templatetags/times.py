"""How pages say how long something took."""

from django import template

register = template.Library()

MINUTE_S, HOUR_S = 60, 3600


@register.simple_tag
def duration(seconds: float) -> str:
    """ "40 s", "12 min", "1 h 05 min": nobody asks for the seconds of an hour."""
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    minutes = round(seconds / MINUTE_S)
    if minutes < HOUR_S // MINUTE_S:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
