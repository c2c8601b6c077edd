"""Why readers disagree, as sentences in the language of who reads them.

Kept is a reason: its `code` and the values that it speaks of. What was kept as a sentence, before there were
codes, stays the sentence it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, ngettext

type Reason = Mapping[str, Any] | str

STATES: dict[str, Callable[[], str]] = {
    "present": lambda: gettext("present"),
    "absent": lambda: gettext("absent"),
    "indeterminate": lambda: gettext("indeterminate"),
    "not_assessed": lambda: gettext("not assessed"),
}


def sentences(reasons: Iterable[Reason]) -> list[str]:
    return [sentence(reason) for reason in reasons]


def sentence(reason: Reason) -> str:
    """Readers are named by their letters."""
    if isinstance(reason, str):
        return reason
    return SENTENCES[reason["code"]](reason)


def _only_marked(reason: Mapping[str, Any]) -> str:
    readers = reason["readers"]
    said = ngettext("Only %(readers)s marked it.", "Only %(readers)s marked it.", len(readers))
    return said % {"readers": listed(readers)}


def _not_marked(reason: Mapping[str, Any]) -> str:
    readers = reason["readers"]
    said = ngettext("%(readers)s has not marked it.", "%(readers)s have not marked it.", len(readers))
    return said % {"readers": listed(readers)}


def _dice(reason: Mapping[str, Any]) -> str:
    said = gettext("%(first)s and %(second)s overlap with Dice %(dice).2f, less than %(below).2f.")
    return said % reason


def _longest(reason: Mapping[str, Any]) -> str:
    said = gettext(
        "The longest diameters of %(first)s and %(second)s are %(apart_mm).1f mm apart, "
        "more than %(above_mm).1f mm."
    )
    return said % reason


def _labels(reason: Mapping[str, Any]) -> str:
    return gettext("It has different labels: %(said)s.") % {"said": _told(reason["said"])}


def _states(reason: Mapping[str, Any]) -> str:
    said = [(STATES[state]() if state in STATES else state, readers) for state, readers in reason["said"]]
    return gettext("It is called %(said)s.") % {"said": _told(said)}


def _answer(reason: Mapping[str, Any]) -> str:
    values = {"question": reason["text"], "said": _told(reason["said"])}
    return gettext("“%(question)s” is answered differently: %(said)s.") % values


def _lesion(reason: Mapping[str, Any]) -> str:
    """Of a whole lesion, without any letter: for those who decide whether to look."""
    counts = {"n": reason["marked_by"], "of": reason["of"]}
    said = [gettext("marked by %(n)s of %(of)s readers") % counts]
    if reason["least_dice"] is not None:
        said.append(gettext("Dice from %(dice).2f") % {"dice": reason["least_dice"]})
    if reason["most_apart_mm"]:
        said.append(
            gettext("diameters up to %(apart_mm).1f mm apart") % {"apart_mm": reason["most_apart_mm"]}
        )
    differing = {
        "labels": gettext("different labels"),
        "states": gettext("not the same state"),
        "answers": gettext("different answers"),
    }
    said += [words for what, words in differing.items() if what in reason["differ"]]
    return f"{reason['label']}: {', '.join(said)}."


def _case_answer(reason: Mapping[str, Any]) -> str:
    return gettext("“%(question)s” is answered differently.") % {"question": reason["text"]}


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "only_marked": _only_marked,
    "not_marked": _not_marked,
    "dice": _dice,
    "longest": _longest,
    "labels": _labels,
    "states": _states,
    "answer": _answer,
    "lesion": _lesion,
    "case_answer": _case_answer,
}
"""A code keeps its meaning and its values for ever: they lie in the database."""


def listed(words: Sequence[str]) -> str:
    """Such as: A, B and C."""
    if len(words) < 2:
        return "".join(words)
    return gettext("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def _told(said: Iterable[Sequence[Any]]) -> str:
    """Such as: 4 by A and B, 2 by C."""
    return ", ".join(
        gettext("%(value)s by %(readers)s") % {"value": value, "readers": listed(readers)}
        for value, readers in said
    )
