"""What is kept of a comparison of two submissions, and whether the project's rule calls it a disagreement."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.measures.agreement.labels import TOLERANCE_MM, LabelNumbers, compare
from annotations.measures.agreement.lesions import Lesion
from annotations.models import Case, Comparison, ReadingDesign
from annotations.reading.adjudication.rule import LesionFacts, PairNumbers, differ, disagreements
from annotations.reading.handed_in import HandedIn, compared_answer, shared_questions
from annotations.reading.journal.values import STATES

ANSWERS = ""
"""In place of a label: the row that holds what was answered about the case as a whole."""
NOT_ASSESSED = "A reader says that this was not assessed."
NOT_ASKED = "The labels of one reader did not have this one yet."
WITHOUT_JUDGEMENT = (NOT_ASSESSED, NOT_ASKED)


def disagrees(row: Comparison, design: ReadingDesign) -> bool:
    """By the project's rule, from what is kept. What lies in places without a way between needs a person."""
    reason = row.numbers.get("not_compared")
    if reason in WITHOUT_JUDGEMENT:
        return False
    if row.label == ANSWERS:
        answers = row.numbers["answers"]
        return design.category_differs and any(differ(_said(answer)) for answer in answers)
    return bool(reason) or any(
        disagreements(design, _facts(lesion, row.numbers["answers"])) for lesion in row.numbers["lesions"]
    )


def _facts(lesion: dict[str, Any], answers: Sequence[dict[str, Any]]) -> LesionFacts:
    marked = {letter: side for letter, side in _said(lesion).items() if side is not None}
    longest = [side["longest_mm"] for side in marked.values()]
    apart_mm = abs(longest[0] - longest[1]) if len(longest) == 2 and None not in longest else None
    return LesionFacts(
        readers=["A", "B"],
        labels=dict.fromkeys(marked, "same"),
        states={letter: side["state"] for letter, side in marked.items()},
        answers={
            answer["name"]: _said(answer)
            for answer in answers
            if len(marked) == 2 and answer["about"] == marked["A"]["id"]
        },
        pairs=[PairNumbers("A", "B", lesion["dice"], lesion["hd95_mm"], apart_mm)]
        if len(marked) == 2
        else [],
    )


def _said(of_two: dict[str, Any]) -> dict[str, Any]:
    return {"A": of_two["first"], "B": of_two["second"]}


# What is kept -----------------------------------------------------------------------------------


def rows_of_pair(case: Case, first: HandedIn, second: HandedIn) -> Iterator[Comparison]:
    """Unsaved, and not yet judged: one a label, and one of what was answered about the case."""
    labels = list(dict.fromkeys((*first.labels, *second.labels)))
    for label in labels:
        yield _row(case, first, second, label)
    answers = _case_answers(first, second, labels)
    yield Comparison(
        case=case,
        first=first.submission,
        second=second.submission,
        label=ANSWERS,
        numbers={"answers": answers},
    )


def _row(case: Case, first: HandedIn, second: HandedIn, label: str) -> Comparison:
    row = Comparison(case=case, first=first.submission, second=second.submission, label=label)
    presence = [first.presence(label), second.presence(label)]
    row.numbers = {"tolerance_mm": TOLERANCE_MM, "presence": presence, "lesions": [], "answers": []}
    if label not in first.labels or label not in second.labels:
        row.numbers["not_compared"] = NOT_ASKED
        return row
    if not first.looked_for(label) or not second.looked_for(label):
        row.numbers["not_compared"] = NOT_ASSESSED
        return row
    mine, theirs = first.lesions(label), second.lesions(label)
    found = compare(mine, theirs)
    row.dice, row.surface_dice, row.hd95_mm = found.dice, found.surface_dice, found.hd95_mm
    row.first_volume_mm3, row.second_volume_mm3 = found.first_volume_mm3, found.second_volume_mm3
    row.matched = len(found.matching.pairs)
    row.unmatched = len(found.matching.only_first) + len(found.matching.only_second)
    row.both_empty = not mine and not theirs
    lesions = list(_lesions(found, mine, theirs))
    questions = [one for one in shared_questions(first, second) if one["of"] == "annotation"]
    answers = [
        compared_answer(question, one["first"]["id"], *(side.answers.get(question["key"]) for side in sides))
        for one, sides in lesions
        if len(sides) == 2
        for question in questions
        if any(question["key"] in side.answers for side in sides)
    ]
    row.numbers |= {
        "lesions": [one for one, _ in lesions],
        "answers": answers,
        "f1": found.matching.f1,
        "hd95_missing": found.hd95_missing,
        "series_differ": found.series_differ,
        "places": list(found.places),
    }
    if found.not_compared:
        row.numbers["not_compared"] = found.not_compared
    return row


def _lesions(
    found: LabelNumbers, first: Sequence[Lesion], second: Sequence[Lesion]
) -> Iterator[tuple[dict[str, Any], list[Lesion]]]:
    """What is kept of each lesion, with the lesions that it is for the readers who have it."""
    for pair, hd95_mm in zip(found.matching.pairs, found.lesion_hd95_mm, strict=True):
        one, other = first[pair.first], second[pair.second]
        dice = pair.overlap.dice if pair.overlap else None
        if dice is None and one.voxels is not None and other.voxels is not None:
            dice = 0.0  # masks side by side, matched by the distance of their centres
        numbers = {
            "first": _told(one),
            "second": _told(other),
            "dice": dice,
            "hd95_mm": hd95_mm,
            "apart_mm": pair.apart_mm,
        }
        yield numbers, [one, other]
    for side, lesions, only in (
        ("first", first, found.matching.only_first),
        ("second", second, found.matching.only_second),
    ):
        for at in only:
            alone = {"first": None, "second": None, "dice": None, "hd95_mm": None, "apart_mm": None}
            yield alone | {side: _told(lesions[at])}, [lesions[at]]


def _told(lesion: Lesion) -> dict[str, Any]:
    return {
        "id": lesion.identity,
        "series": lesion.series,
        "longest_mm": lesion.longest_mm,
        "short_mm": lesion.short_mm,
        "volume_mm3": lesion.volume_mm3,
        "state": lesion.category,
    }


def _case_answers(first: HandedIn, second: HandedIn, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Whether each label is there, and each question that is not about a mark."""
    names = {label["key"]: label["name"] for label in (*first.schema.labels, *second.schema.labels)}
    found = [
        {
            "question": f"presence:{label}",
            "name": names[label],
            "about": "",
            "level": "nominal",
            "choices": list(STATES),
            "first": first.presence(label),
            "second": second.presence(label),
        }
        for label in labels
    ]
    for question in shared_questions(first, second):
        if question["of"] == "annotation":
            continue
        abouts = sorted(
            {
                about
                for said in (first.said, second.said)
                for of, about, answer in said
                if (of, answer) == (question["of"], question["key"])
            }
        )
        for about in abouts:
            key = (question["of"], about, question["key"])
            found.append(compared_answer(question, about, first.said.get(key), second.said.get(key)))
    return found
