"""How far the reads of a case agree, computed by a job: every two submissions, label by label.

Submissions never change, so what was compared once stays, but for whether the project's rule calls it a
disagreement. Rows of rounds that a later one replaced go. In memory are, beside the runs as they are stored,
the masks of one label of one pair.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.measures.agreement.labels import TOLERANCE_MM, LabelNumbers, compare
from annotations.measures.agreement.lesions import Lesion
from annotations.models import Case, Comparison, Read, ReadingDesign, ReferenceStandard, Submission
from annotations.reading.adjudication.deciding import decide
from annotations.reading.adjudication.rule import LesionFacts, PairNumbers, disagreements
from annotations.reading.broadcasts import announce_cases
from annotations.reading.designs import design_of, is_case_read
from annotations.reading.handed_in import HandedIn, compared_answer, shared_questions
from annotations.reading.journal.values import STATES

ATTEMPTS = 3
ANSWERS = ""
"""In place of a label: the row that holds what was answered about the case as a whole."""
NOT_ASSESSED = "A reader says that this was not assessed."
NOT_ASKED = "The labels of one reader did not have this one yet."


def compare_case(case_id: int) -> None:
    """Compare the submissions of a case (its primary key), then have the case decided. Twice changes nothing.

    Submissions that arrive meanwhile are compared, too.
    """
    case = Case.objects.select_related("project").get(pk=case_id)
    for _ in range(ATTEMPTS):
        pairs = pairs_of(case)
        rows = list(_rows(case, pairs))
        if _written(case, pairs, rows):
            break
    decide(case)


def pairs_of(case: Case) -> list[tuple[Submission, Submission]]:
    """Which submissions are compared: the latest of every two reads, and of each read and adjudication with
    the reference standard. The lower primary key comes first. Two queries."""
    latest = {
        submission.read_id: submission
        for submission in Submission.objects.filter(read__case=case, read__kind=Read.Kind.READ)
        .exclude(read__state=Read.State.SET_ASIDE)
        .select_related("read__schema")
        .order_by("round")
    }
    submissions = sorted(latest.values(), key=lambda one: one.pk)
    pairs = list(combinations(submissions, 2))
    reference = ReferenceStandard.objects.filter(case=case).select_related("submission__read__schema").first()
    if reference is not None and reference.submission not in submissions:
        pairs += [_in_order(one, reference.submission) for one in submissions]
    return pairs


def _in_order(one: Submission, other: Submission) -> tuple[Submission, Submission]:
    return (one, other) if one.pk < other.pk else (other, one)


# Computing --------------------------------------------------------------------------------------


def _rows(case: Case, pairs: Sequence[tuple[Submission, Submission]]) -> Iterator[Comparison]:
    """Of the pairs that have none yet."""
    compared = set(Comparison.objects.filter(case=case).values_list("first", "second").distinct())
    design = design_of(case.project)
    handed: dict[int, HandedIn] = {}
    for one, other in pairs:
        if (one.pk, other.pk) in compared:
            continue
        first, second = (handed.setdefault(each.pk, HandedIn(each)) for each in (one, other))
        yield from _rows_of_pair(case, first, second, design)


def _rows_of_pair(
    case: Case, first: HandedIn, second: HandedIn, design: ReadingDesign
) -> Iterator[Comparison]:
    labels = list(dict.fromkeys((*first.labels, *second.labels)))
    for label in labels:
        yield _row(case, first, second, label, design)
    answers = _case_answers(first, second, labels)
    yield Comparison(
        case=case,
        first=first.submission,
        second=second.submission,
        label=ANSWERS,
        disagrees=design.category_differs and any(map(_differ, answers)),
        numbers={"answers": answers},
    )


def _row(case: Case, first: HandedIn, second: HandedIn, label: str, design: ReadingDesign) -> Comparison:
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
    row.disagrees = bool(found.not_compared) or any(
        _disagree(design, one, sides, {each["question"]: each["name"] for each in answers})
        for one, sides in lesions
    )
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


# The project's rule -----------------------------------------------------------------------------


def _disagree(
    design: ReadingDesign, numbers: dict[str, Any], sides: Sequence[Lesion], names: dict[str, str]
) -> bool:
    letters = ["A", "B"]
    marked = [letter for letter, name in zip(letters, ("first", "second"), strict=True) if numbers[name]]
    longest = [one.longest_mm for one in sides]
    apart = None
    if len(longest) == 2 and longest[0] is not None and longest[1] is not None:
        apart = abs(longest[0] - longest[1])
    facts = LesionFacts(
        readers=letters,
        labels=dict.fromkeys(marked, "same"),
        states={letter: one.category for letter, one in zip(marked, sides, strict=True)},
        answers={
            name: {letter: one.answers.get(key) for letter, one in zip(marked, sides, strict=True)}
            for key, name in names.items()
        },
        pairs=[PairNumbers("A", "B", numbers["dice"], numbers["hd95_mm"], apart)] if len(sides) == 2 else [],
    )
    return bool(disagreements(design, facts))


def _differ(answer: dict[str, Any]) -> bool:
    said = [answer["first"], answer["second"]]
    return None not in said and said[0] != said[1]


# Writing ----------------------------------------------------------------------------------------


@transaction.atomic
def _written(case: Case, pairs: Sequence[tuple[Submission, Submission]], rows: Sequence[Comparison]) -> bool:
    """False where other submissions count by now: then nothing is written."""
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    current = {(one.pk, other.pk) for one, other in pairs}
    if {(one.pk, other.pk) for one, other in pairs_of(case)} != current:
        return False
    there = Comparison.objects.filter(case=case)
    outdated = [
        row for row, *pair in there.values_list("pk", "first", "second") if tuple(pair) not in current
    ]
    there.filter(pk__in=outdated).delete()
    Comparison.objects.bulk_create(rows, ignore_conflicts=True)
    if is_case_read(case) and (rows or case.compared_at is None):
        Case.objects.filter(pk=case.pk).update(compared_at=timezone.now())
    if rows or outdated:
        announce_cases(case.project, [case.number])
    return True
