"""What a value written under an earlier version of the labels says under a later one.

Each version keeps in `mapping` what the lead decided about what it no longer has, by what it was:

- `label:<key>`, `kind:<label>:<kind>`, `question:<key>`, `option:<question>:<key>`
- as `keep`, `leave_out`, or `to:<key>` of what takes its place.

A key is never given to something else, so decisions of several versions follow one another. Where nobody
decided, `Undecided` is raised: then the value stays as it is, and so does the version of its read.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from annotations.models import LabelSchema, Read
from annotations.reading.journal.answers import PROPOSAL, STATE, answer_id

NAMESPACE = UUID("5b1c5a0e-6c0d-5a55-8d52-0f8f0c9a7d13")
KEEP, LEAVE_OUT, TO = "keep", "leave_out", "to:"
STEPS_MAX = 50  # of decisions that follow one another; a circle ends here

type Value = dict[str, Any]


class Undecided(Exception):
    """What this value says is no longer asked, and nobody said what becomes of it."""


def group_of_change(read: Read, version: int) -> UUID:
    """The group of the edits by which a read moved to a version of its labels."""
    return uuid5(NAMESPACE, f"{read.public_id}/{version}")


def versions_by_group(read: Read) -> dict[UUID, int]:
    """The groups by which this read may have moved, each with its version. No query."""
    return {group_of_change(read, version): version for version in range(2, read.schema.version + 1)}


class Mapper:
    """From any earlier version to one: `decisions` newest first, `labels` and `questions` of that one.

    `option_names` are those of the answers that questions have or had, by question, then key.
    """

    def __init__(
        self,
        *,
        labels: Sequence[Mapping[str, Any]],
        questions: Sequence[Mapping[str, Any]],
        decisions: Sequence[Mapping[str, str]],
        option_names: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.labels = {label["key"]: label for label in labels}
        self.questions = {question["key"]: question for question in questions}
        self.decisions = list(decisions)
        self.option_names = dict(option_names or {})

    def mark(self, value: Value) -> Value | None:
        """The value of a mark; None: it is left out. Raises Undecided."""
        label = self._label(value["label"], value["kind"])
        if label is None:
            return None
        return value if label == value["label"] else value | {"label": label}

    def answer(self, value: Value) -> tuple[UUID, Value] | None:
        """An answer with its identity; None: it is left out. Raises Undecided."""
        if value["answer"] == PROPOSAL:
            found: Value | None = value
        elif value["answer"] == STATE:
            label = self._label(value["id"], None)
            found = None if label is None else value | {"id": label}
        else:
            found = self._to_question(value)
        if found is None:
            return None
        return answer_id(answer=found["answer"], of=found["of"], about=found["id"]), found

    def value(self, value: Value) -> Value | None:
        """Of a mark or answer of the past, as undo may bring it back; what can't be told now is left out."""
        try:
            if "answer" not in value:
                return self.mark(value)
            found = self.answer(value)
            return found[1] if found and found[1]["answer"] == value["answer"] else None
        except Undecided:
            return value

    def _decided(self, what: str) -> str | None:
        return next((one[what] for one in self.decisions if what in one), None)

    # Labels -------------------------------------------------------------------------------------

    def _label(self, key: str, kind: str | None) -> str | None:
        for _ in range(STEPS_MAX):
            label = self.labels.get(key)
            if label is not None and (kind is None or kind in label["kinds"]):
                return key
            # A kind that a label no longer takes stays where nobody said otherwise: it does no harm there.
            what = f"label:{key}" if label is None else f"kind:{key}:{kind}"
            decided = self._decided(what) or (None if label is None else KEEP)
            if decided == LEAVE_OUT:
                return None
            if decided == KEEP and label is not None:
                return key
            if decided is None or not decided.startswith(TO):
                break
            key = decided.removeprefix(TO)
        raise Undecided

    # Answers ------------------------------------------------------------------------------------

    def _to_question(self, value: Value) -> Value | None:
        key, said = value["answer"], value["value"]
        names = self.option_names.get(key, {})
        for _ in range(STEPS_MAX):
            question = self.questions.get(key)
            if question is not None and question["of"] == value["of"]:
                converted = self._converted(said, question, names)
                return None if converted is None else value | {"answer": key, "value": converted}
            decided = self._decided(f"question:{key}")
            if decided == LEAVE_OUT:
                return None
            if decided is None or not decided.startswith(TO):
                break
            key = decided.removeprefix(TO)
        raise Undecided

    def _converted(
        self, said: Any, question: Mapping[str, Any], names: Mapping[str, str]
    ) -> str | float | list[str] | None:
        """An answer as this question takes it; None: left out. Raises Undecided."""
        kind = question["type"]
        if kind in ("choice", "code", "choices"):
            given = said if isinstance(said, list) else [said]
            kept = [self._option(str(one), question, names) for one in given]
            chosen = list(dict.fromkeys(one for one in kept if one is not None))
            if kind == "choices":
                return chosen or None
            if len(chosen) > 1:
                return self._unfit(question)
            return chosen[0] if chosen else None
        if kind == "number":
            number = _as_number(said)
            return self._unfit(question) if number is None else number
        if kind == "date":
            return said if _is_date(said) else self._unfit(question)
        given = said if isinstance(said, list) else [said]
        return ", ".join(names.get(str(one), str(one)) for one in given)

    def _option(self, key: str, question: Mapping[str, Any], names: Mapping[str, str]) -> str | None:
        there = {option["key"] for option in question["options"]}
        by_name = {option["name"].casefold(): option["key"] for option in question["options"]}
        for _ in range(STEPS_MAX):
            if key in there:
                return key
            decided = self._decided(f"option:{question['key']}:{key}")
            if decided == LEAVE_OUT:
                return None
            if decided is None or not decided.startswith(TO):
                break
            key = decided.removeprefix(TO)
        # Of another question, or a text: an answer of the same name says the same.
        same = by_name.get(names.get(key, key).casefold())
        return same if same is not None else self._unfit(question)

    def _unfit(self, question: Mapping[str, Any]) -> str | None:
        """An answer that this question can't take is left out where the lead said so. Raises Undecided."""
        if self._decided(f"question:{question['key']}") != LEAVE_OUT:
            raise Undecided
        return None


def mapper_to(schema: LabelSchema) -> Mapper:
    """From the versions before this one to it. One query."""
    all_versions = LabelSchema.objects.filter(project=schema.project_id, is_draft=False)
    versions = list(all_versions.filter(version__lte=schema.version).order_by("-version"))
    names: dict[str, dict[str, str]] = {}
    for version in reversed(versions):
        for question in version.questions:
            of_question = names.setdefault(question["key"], {})
            of_question |= {option["key"]: option["name"] for option in question["options"]}
    return Mapper(
        labels=schema.labels,
        questions=schema.questions,
        decisions=[version.mapping for version in versions],
        option_names=names,
    )


def _as_number(said: Any) -> float | None:
    if type(said) in (int, float):
        return said
    try:
        number = float(said)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _is_date(said: Any) -> bool:
    try:
        return isinstance(said, str) and date.fromisoformat(said).isoformat() == said
    except ValueError:
        return False
