"""One look at all reads of a case: its lesions, numbers, and what the readers disagree about by the rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.models import Case, LabelSchema, ReadingDesign
from annotations.reading.adjudication.answers import AnswerOf, answers_about_the_case, question_of
from annotations.reading.adjudication.groups import Found, Handed, handed_in, matched
from annotations.reading.adjudication.numbers import numbers_of, pairs_of
from annotations.reading.adjudication.readers import ReaderOf
from annotations.reading.adjudication.rule import LesionFacts, PairNumbers, Reason, differ, disagreements
from annotations.reading.frames import frames_of
from annotations.reading.shown import series_of


@dataclass(frozen=True)
class Seen:
    """One lesion with its numbers, and why it needs a person."""

    found: Found
    numbers: dict[str, Any]
    disagreements: list[Reason]


@dataclass(frozen=True)
class Look:
    """Lesions that readers disagree about come first. `reasons` are about the case, without any letter."""

    handed: list[Handed]
    lesions: list[Seen]
    answers: list[AnswerOf]
    answers_disagree: list[AnswerOf]
    reasons: list[Reason]


def schema_of(readers: Sequence[ReaderOf]) -> LabelSchema:
    """The newest version that any of them read by: it has all labels of the others, or what became of
    them."""
    return max((reader.read.schema for reader in readers), key=lambda schema: schema.version)


def look_at(
    case: Case,
    readers: Sequence[ReaderOf],
    design: ReadingDesign,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Look:
    """One lesion at a time: no more than its own box is in memory, beside what the readers drew.

    `progress` hears how many lesions are measured, of how many.
    """
    schema = schema_of(readers)
    handed = handed_in(readers)
    frames = {one.public_id: frames_of(one) for one in series_of(case)}
    lesions = []
    groups = matched(handed, order=[label["key"] for label in schema.labels])
    for done, found in enumerate(groups):
        if progress is not None:
            progress(done, len(groups))
        numbers = numbers_of(found, handed, design, frames)
        facts = _facts(found, numbers, readers, schema)
        lesions.append(Seen(found, numbers, disagreements(design, facts)))
    lesions.sort(key=lambda seen: not seen.disagreements)
    answers = answers_about_the_case(readers, schema, {})
    differing = [answer for answer in answers if answer.differs] if design.category_differs else []
    return Look(handed, lesions, answers, differing, _reasons(lesions, differing, readers, schema))


def _facts(
    found: Found, numbers: dict[str, Any], readers: Sequence[ReaderOf], schema: LabelSchema
) -> LesionFacts:
    letters = {reader.id: reader.letter for reader in readers}
    answers = {}
    for key, said in numbers["answers"].items():
        question = question_of(schema, key)
        if question is not None:
            answers[question["text"]] = {letters[reader]: value for reader, value in said.items()}
    pairs = [
        PairNumbers(letters[one.first], letters[one.second], one.dice, one.hd95_mm, one.longest_apart_mm)
        for one in pairs_of(numbers)
    ]
    return LesionFacts(
        readers=[reader.letter for reader in readers],
        labels={letters[reader]: marked.label for reader, marked in found.members.items()},
        states={letters[reader]: marked.lesion.category for reader, marked in found.members.items()},
        answers=answers,
        pairs=pairs,
        names={label["key"]: label["name"] for label in schema.labels},
    )


def _reasons(
    lesions: Sequence[Seen],
    differing: Sequence[AnswerOf],
    readers: Sequence[ReaderOf],
    schema: LabelSchema,
) -> list[Reason]:
    """For those who decide whether to look: what kind of disagreement, and about how much."""
    names = {label["key"]: label["name"] for label in schema.labels}
    found: list[Reason] = []
    for seen in lesions:
        if not seen.disagreements:
            continue
        states = {marked.lesion.category for marked in seen.found.members.values()}
        differ_in = {
            "labels": len(seen.found.labels) > 1,
            "states": len(states) > 1,
            "answers": any(differ(each) for each in seen.numbers["answers"].values()),
        }
        found.append(
            {
                "code": "lesion",
                "label": names.get(seen.found.label, seen.found.label),
                "marked_by": len(seen.found.members),
                "of": len(readers),
                "least_dice": seen.numbers["least_dice"],
                "most_apart_mm": seen.numbers["most_apart_mm"],
                "differ": [what for what, does in differ_in.items() if does],
            }
        )
    return found + [{"code": "case_answer", "text": answer.text} for answer in differing]
