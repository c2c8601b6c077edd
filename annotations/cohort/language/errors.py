"""What is wrong with a cohort expression, where, and what would be right."""

from collections.abc import Iterable
from difflib import get_close_matches

KNOWN_MAX = 50
"""How many known names an error lists."""


class CohortError(ValueError):
    """`reason` is a sentence, `place` a JSON pointer such as /all/1/field or, in text, "character 17".

    `known` lists what would have been understood there, the closest first.
    """

    def __init__(self, reason: str, *, place: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason, self.place, self.known = reason, place, list(known)[:KNOWN_MAX]

    def as_json(self) -> dict[str, object]:
        return {"reason": self.reason, "place": self.place, "known": self.known}

    def __str__(self) -> str:
        return f"{self.reason} (at {self.place})" if self.place else self.reason


def unknown(what: str, name: object, known: Iterable[str], place: str) -> CohortError:
    """For a name that nobody knows: `what` is “field”, “operator”, …"""
    names = list(known)
    shown = shortened(name)
    close = get_close_matches(str(name), names, n=3, cutoff=0.6)
    if not close:  # a name without the level before it
        close = [one for one in names if one.rpartition(".")[2] == str(name)][:3]
    if close:
        hint = f"Did you mean {close[0]}?"
    elif names and len(names) <= 12:
        hint = f"Known: {', '.join(names)}."
    elif names:
        hint = f"Known: {', '.join(names[:12])}, and {len(names) - 12} more."
    else:
        hint = "None is known here."
    ordered = [*close, *(one for one in names if one not in close)]
    return CohortError(f"There is no {what} {shown}. {hint}", place=place, known=ordered)


def shortened(value: object) -> str:
    """What was sent, in quotes, cut where it is long."""
    text = value if isinstance(value, str) else repr(value)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
