"""What a read still owes before it can be handed in: labels without a state, questions without an answer.

The reading room asks the same in `static/viewer/src/forms/missing.ts`; both are tested with
`tests/annotations/reading/missing_cases.json`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.models import Annotation, Read
from annotations.reading.journal.answers import STATE, is_answer
from annotations.reading.shown import series_of

NOTHING_THERE = ("absent", "not_assessed")

type Said = Mapping[tuple[str, str, str], Any]
"""By (of, id, answer): what was said."""


@dataclass(frozen=True)
class Owed:
    """One thing that is missing. `what`: label, question, or clash (a label is said not to be there, yet is
    marked). `of` and `about` name what it is about, as in answers."""

    what: str
    key: str
    of: str
    about: str


@dataclass(frozen=True)
class Things:
    """What a read may be asked about: studies and series (with their modality) of the case, and its marks."""

    studies: Sequence[str]
    series: Sequence[tuple[str, str]]
    marks: Sequence[tuple[str, Mapping[str, Any]]]


def said_in(answers: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Any]:
    """From the values of answers."""
    return {(one["of"], one["id"], one["answer"]): one.get("value") for one in answers}


def owed(
    labels: Sequence[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]], things: Things, said: Said
) -> list[Owed]:
    """In the order of the schema; of each question, in the order of the case."""
    found = []
    for label in labels:
        states = {value["state"] for _, value in things.marks if value["label"] == label["key"]}
        stated = said.get(("label", label["key"], STATE))
        if stated in NOTHING_THERE and "present" in states:
            found.append(Owed("clash", label["key"], "label", label["key"]))
        elif label.get("required") and not states and stated is None:
            found.append(Owed("label", label["key"], "label", label["key"]))
    by_key = {question["key"]: question for question in questions}
    for question in questions:
        if not question["required"]:
            continue
        for about in subjects(question, things):
            if said.get((question["of"], about, question["key"])) is None and is_asked(
                question, about, by_key, said
            ):
                found.append(Owed("question", question["key"], question["of"], about))
    return found


def subjects(question: Mapping[str, Any], things: Things) -> list[str]:
    """What a question asks about, by id. Of marks those that say that something is there."""
    only = question["only"]
    match question["of"]:
        case "case":
            return [""]
        case "study":
            return list(things.studies)
        case "series":
            return [series for series, modality in things.series if not only or modality in only]
        case _:
            return [
                mark
                for mark, value in things.marks
                if value["state"] not in NOTHING_THERE and (not only or value["label"] in only)
            ]


def is_asked(
    question: Mapping[str, Any], about: str, by_key: Mapping[str, Mapping[str, Any]], said: Said
) -> bool:
    """Whether what it waits for has been answered so, all the way up."""
    when = question["when"]
    if not when:
        return True
    other = by_key.get(when["question"])
    if other is None:
        return False
    its = "" if other["of"] == "case" else about
    answer = said.get((other["of"], its, other["key"]))
    given = answer if isinstance(answer, list) else [answer]
    return any(one in when["is"] for one in given) and is_asked(other, its, by_key, said)


def owed_by(read: Read) -> list[str]:
    """What this read owes as it stands, in words. Four queries."""
    schema = read.schema
    asks = any(one.get("required") for one in [*schema.labels, *schema.questions])
    if not asks and not read.annotations.filter(value__answer=STATE).exists():
        return []
    rows = Annotation.objects.filter(read=read, value__isnull=False).order_by("pk")
    values = [(str(row.annotation_id), row.value or {}) for row in rows]
    marks = [(identity, value) for identity, value in values if not is_answer(value)]
    answers = [value for _, value in values if is_answer(value)]
    series = list(series_of(read.case))
    things = Things(
        studies=list(
            read.case.studies.order_by("case_studies__position").values_list("public_id", flat=True)
        ),
        series=[(one.public_id, one.modality) for one in series],
        marks=marks,
    )
    names = _Names(read, marks, series)
    return [names.of(one) for one in owed(schema.labels, schema.questions, things, said_in(answers))]


class _Names:
    """The words for what is missing."""

    def __init__(
        self, read: Read, marks: Sequence[tuple[str, Mapping[str, Any]]], series: Sequence[Any]
    ) -> None:
        self.labels = {label["key"]: label["name"] for label in read.schema.labels}
        self.questions = {question["key"]: question["text"] for question in read.schema.questions}
        self.series = {one.public_id: f"series {one.number or ''}".strip() for one in series}
        self.studies = {
            study.public_id: f"study of {study.date:%d %b %Y}" if study.date else "study without date"
            for study in read.case.studies.all()
        }
        counts: dict[str, int] = {}
        self.marks: dict[str, str] = {}
        for identity, value in marks:
            key = value["label"]
            counts[key] = counts.get(key, 0) + 1
            self.marks[identity] = f"{self.labels.get(key, key)} {counts[key]}"

    def of(self, owed: Owed) -> str:
        if owed.what == "label":
            return f"{self.labels[owed.key]} (mark it, or state it absent)"
        if owed.what == "clash":
            return f"{self.labels[owed.key]} (stated not there, yet marked as present)"
        about = {"study": self.studies, "series": self.series, "annotation": self.marks}.get(owed.of, {})
        where = f", {about[owed.about]}" if owed.about in about else ""
        return f"“{self.questions[owed.key]}”{where}"
