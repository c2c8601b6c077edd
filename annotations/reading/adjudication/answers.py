"""What readers answered about the case, its studies, series and labels, and where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from annotations.models import Annotation, Edit, LabelSchema, Read
from annotations.reading.adjudication.readers import ReaderOf
from annotations.reading.adjudication.rule import differ
from annotations.reading.journal.answers import PROPOSAL, STATE, annotation_of, is_answer
from annotations.reading.journal.values import STATES

type Key = tuple[str, str, str]
"""What an answer is about, which one of these, and the question."""

NAMES_OF_STATES = {
    "present": "Present",
    "absent": "Absent",
    "indeterminate": "Indeterminate",
    "not_assessed": "Not assessed",
}


@dataclass(frozen=True)
class AnswerOf:
    """One question with what each reader said (by read, null: nothing), and what the adjudication says."""

    answer: str
    of: str
    about: str
    text: str
    type: str
    options: Sequence[Mapping[str, Any]] = ()
    unit: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)
    chosen: Any = None

    @property
    def differs(self) -> bool:
        return differ(self.said)


def answers_about_the_case(
    readers: Sequence[ReaderOf], schema: LabelSchema, chosen: Mapping[Key, Any]
) -> list[AnswerOf]:
    """All that anybody answered and `schema` asks, but for answers about marks. One query.

    A label counts as present where a reader marked it, whatever else they stated.
    """
    said = {reader.id: _said(values) for reader, values in _values(readers).items()}
    keys = sorted({key for answers in said.values() for key in answers}, key=_order(schema))
    return [
        AnswerOf(
            answer=answer,
            of=of,
            about=about,
            said={reader: answers.get((of, about, answer)) for reader, answers in said.items()},
            chosen=chosen.get((of, about, answer)),
            **asked,
        )
        for of, about, answer in keys
        if (asked := _asked(schema, of, about, answer)) is not None
    ]


def answers_of(adjudication: Read) -> dict[Key, Any]:
    """What the adjudication itself says now; answers about marks are among them. One query."""
    rows = Annotation.objects.filter(read=adjudication, value__has_key="answer")
    found = {}
    for value in rows.values_list("value", flat=True):
        if value is not None and is_answer(value):
            found[value["of"], value["id"], value["answer"]] = value.get("value")
    return found


def question_of(schema: LabelSchema, key: str) -> Mapping[str, Any] | None:
    return next((one for one in schema.questions if one["key"] == key), None)


def of_lesion(
    schema: LabelSchema, said_by_question: Mapping[str, Mapping[str, Any]], chosen: Mapping[str, Any]
) -> list[AnswerOf]:
    """About one lesion: `said_by_question` as `numbers` keeps it, `chosen` by question."""
    found = []
    for question in schema.questions:
        key = question["key"]
        if question["of"] == "annotation" and (key in said_by_question or key in chosen):
            found.append(
                AnswerOf(
                    answer=key,
                    of="annotation",
                    about="",
                    said=said_by_question.get(key, {}),
                    chosen=chosen.get(key),
                    **_words(question),
                )
            )
    return found


def _values(readers: Sequence[ReaderOf]) -> dict[ReaderOf, list[tuple[UUID, Any]]]:
    """The marks and answers that each reader handed in, without their voxels."""
    if not readers:
        return {}
    pinned = Q()
    for reader in readers:
        pinned |= Q(read=reader.read, number__lte=reader.submission.edit_number)
    latest = (
        Edit.objects.filter(pinned, frame_number=0)
        .order_by("read_id", "annotation_id", "-number")
        .distinct("read_id", "annotation_id")
        .values_list("read_id", "annotation_id", "value")
    )
    found: dict[int, list[tuple[UUID, Any]]] = {}
    for read_id, identity, value in latest:
        if value is not None:
            found.setdefault(read_id, []).append((identity, value))
    return {reader: found.get(reader.read.pk, []) for reader in readers}


def _said(values: Sequence[tuple[UUID, Any]]) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    marked = set()
    for _identity, value in values:
        if not is_answer(value):
            if value["state"] == "present":
                marked.add(value["label"])
        elif annotation_of(value) is None and value["answer"] != PROPOSAL:
            found[value["of"], value["id"], value["answer"]] = value.get("value")
    return found | {("label", label, STATE): "present" for label in marked}


def _asked(schema: LabelSchema, of: str, about: str, answer: str) -> dict[str, Any] | None:
    """The words of a question; None where this schema doesn't ask it."""
    if answer == STATE:
        label = next((one for one in schema.labels if one["key"] == about), None)
        options = [{"key": state, "name": NAMES_OF_STATES[state], "code": None} for state in STATES]
        return {"text": label["name"], "type": STATE, "options": options} if label else None
    question = question_of(schema, answer)
    return _words(question) if question and question["of"] == of else None


def _words(question: Mapping[str, Any]) -> dict[str, Any]:
    names = ("text", "type", "options", "unit")
    return {name: question[name] for name in names}


def _order(schema: LabelSchema) -> Any:
    """As the schema asks: first questions, then labels."""
    questions = {one["key"]: index for index, one in enumerate(schema.questions)}
    labels = {one["key"]: index for index, one in enumerate(schema.labels)}

    def order(key: Key) -> tuple[int, int, str]:
        _of, about, answer = key
        if answer == STATE:
            return 1, labels.get(about, len(labels)), about
        return 0, questions.get(answer, len(questions)), about

    return order
