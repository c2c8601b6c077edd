"""The project's rule: when do readers disagree about a lesion? Pure but for the design it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.models import ReadingDesign

WORDS_OF_STATES = {
    "present": "present",
    "absent": "absent",
    "indeterminate": "indeterminate",
    "not_assessed": "not assessed",
}


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


def disagreements(design: ReadingDesign, lesion: LesionFacts) -> list[str]:
    """Why the lesion needs a person, a sentence each; none where the readers agree by the rule."""
    found = []
    missing = [letter for letter in lesion.readers if letter not in lesion.labels]
    if design.unmatched_lesion and missing:
        found.append(
            f"Only {_list(list(lesion.labels))} marked it."
            if len(missing) > len(lesion.labels)
            else f"{_list(missing)} {'has' if len(missing) == 1 else 'have'} not marked it."
        )
    worst = min((pair for pair in lesion.pairs if pair.dice is not None), key=_dice, default=None)
    if worst is not None and "dice" in past_limits(design, worst):
        found.append(
            f"{worst.first} and {worst.second} overlap with Dice {worst.dice:.2f}, "
            f"less than {design.dice_below:.2f}."
        )
    widest = max(
        (pair for pair in lesion.pairs if pair.longest_apart_mm is not None), key=_apart, default=None
    )
    if widest is not None and "longest_mm" in past_limits(design, widest):
        found.append(
            f"The longest diameters of {widest.first} and {widest.second} are "
            f"{widest.longest_apart_mm:.1f} mm apart, more than {design.diameter_apart_mm:.1f} mm."
        )
    if design.category_differs:
        found += _categories(lesion)
    return found


def differ(said: Mapping[str, Any]) -> bool:
    """Whether at least two different answers were given. Who gave none contradicts nobody."""
    given = [_comparable(value) for value in said.values() if value is not None]
    return any(value != given[0] for value in given[1:])


def sentence_of(text: str, said: Mapping[str, Any]) -> str:
    return f"“{text}” is answered differently: {_told(said)}."


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


def _categories(lesion: LesionFacts) -> list[str]:
    found = []
    if differ(lesion.labels):
        named = {letter: lesion.names.get(key, key) for letter, key in lesion.labels.items()}
        found.append(f"It has different labels: {_told(named)}.")
    if differ(lesion.states):
        states = {letter: WORDS_OF_STATES.get(state, state) for letter, state in lesion.states.items()}
        found.append(f"It is called {_told(states)}.")
    found += [sentence_of(text, said) for text, said in lesion.answers.items() if differ(said)]
    return found


def _told(said: Mapping[str, Any]) -> str:
    """Such as: 4 by A and B, 2 by C."""
    by_value: dict[str, list[str]] = {}
    for letter, value in said.items():
        if value is not None:
            by_value.setdefault(_word(value), []).append(letter)
    return ", ".join(f"{value} by {_list(letters)}" for value, letters in by_value.items())


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
