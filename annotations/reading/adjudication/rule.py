"""The project's rule: when do readers disagree about a lesion? Pure but for the design it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.models import ReadingDesign

type Reason = dict[str, Any]
"""Why readers disagree: a code and its values, kept so. `words` makes sentences of it."""


@dataclass(frozen=True)
class PairNumbers:
    """Two readers on one lesion, by their letters. None: it can't be told."""

    first: str
    second: str
    dice: float | None = None
    hd95_mm: float | None = None
    longest_apart_mm: float | None = None


@dataclass(frozen=True)
class LesionFacts:
    """What the rule asks about one lesion, by letter; `names` are those of labels by key."""

    readers: Sequence[str]
    labels: Mapping[str, str]  # of those who marked it
    states: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Any]]  # by the text of the question
    pairs: Sequence[PairNumbers] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def past_limits(design: ReadingDesign, pair: PairNumbers) -> list[str]:
    """Which numbers of a pair the rule calls a disagreement."""
    past = []
    if design.dice_below is not None and pair.dice is not None and pair.dice < design.dice_below:
        past.append("dice")
    apart = design.diameter_apart_mm
    if apart is not None and pair.longest_apart_mm is not None and pair.longest_apart_mm > apart:
        past.append("longest_mm")
    return past


def disagreements(design: ReadingDesign, lesion: LesionFacts) -> list[Reason]:
    """Why the lesion needs a person, as `words` tells it; none where the readers agree by the rule."""
    found: list[Reason] = []
    missing = [letter for letter in lesion.readers if letter not in lesion.labels]
    if design.unmatched_lesion and missing:
        found.append(
            {"code": "only_marked", "readers": list(lesion.labels)}
            if len(missing) > len(lesion.labels)
            else {"code": "not_marked", "readers": missing}
        )
    worst = min((pair for pair in lesion.pairs if pair.dice is not None), key=_dice, default=None)
    if worst is not None and "dice" in past_limits(design, worst):
        found.append(_of_pair("dice", worst) | {"dice": worst.dice, "below": design.dice_below})
    widest = max(
        (pair for pair in lesion.pairs if pair.longest_apart_mm is not None), key=_apart, default=None
    )
    if widest is not None and "longest_mm" in past_limits(design, widest):
        limits = {"apart_mm": widest.longest_apart_mm, "above_mm": design.diameter_apart_mm}
        found.append(_of_pair("longest", widest) | limits)
    if design.category_differs:
        found += _categories(lesion)
    return found


def _of_pair(code: str, pair: PairNumbers) -> Reason:
    return {"code": code, "first": pair.first, "second": pair.second}


def differ(said: Mapping[str, Any]) -> bool:
    """Whether at least two different answers were given. Who gave none contradicts nobody."""
    given = [_comparable(value) for value in said.values() if value is not None]
    return any(value != given[0] for value in given[1:])


def in_words(design: ReadingDesign) -> str:
    """The rule as one sentence."""
    kinds = ReadingDesign.Adjudication
    if design.adjudication == kinds.NEVER:
        return "Nothing is adjudicated."
    if design.adjudication == kinds.ALWAYS:
        return "Every case that several people read is adjudicated."
    when = []
    if design.dice_below is not None:
        when.append(f"Dice is under {design.dice_below:.2f}")
    if design.unmatched_lesion:
        when.append("a reader lacks a lesion")
    if design.diameter_apart_mm is not None:
        when.append(f"longest diameters are more than {design.diameter_apart_mm:g} mm apart")
    if design.category_differs:
        when.append("answers differ")
    if not when:
        return "No difference between readers counts as a disagreement."
    return f"A case is adjudicated where {_list(when, 'or')}."


def _categories(lesion: LesionFacts) -> list[Reason]:
    found: list[Reason] = []
    if differ(lesion.labels):
        named = {letter: lesion.names.get(key, key) for letter, key in lesion.labels.items()}
        found.append({"code": "labels", "said": _said(named)})
    if differ(lesion.states):
        found.append({"code": "states", "said": _said(lesion.states)})
    for text, said in lesion.answers.items():
        if differ(said):
            found.append({"code": "answer", "text": text, "said": _said(said)})
    return found


def _said(said: Mapping[str, Any]) -> list[list[Any]]:
    """Who said what, by what was said: [["4", ["A", "B"]], ["2", ["C"]]]."""
    by_value: dict[str, list[str]] = {}
    for letter, value in said.items():
        if value is not None:
            by_value.setdefault(_word(value), []).append(letter)
    return [[value, letters] for value, letters in by_value.items()]


def _word(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _comparable(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _list(words: Sequence[str], joint: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _dice(pair: PairNumbers) -> float:
    return 1.0 if pair.dice is None else pair.dice


def _apart(pair: PairNumbers) -> float:
    return pair.longest_apart_mm or 0.0
