"""What an answer may say. Answers are objects of the journal like marks, under an id that names the question.

An answer is {answer, of, id, value}: the question's key, what it is about and which one of these ("" for the
case), and what was said. Three things are answered:

- a question of the schema, of the case, a study, a series or an annotation;
- `state` of a label: whether the case shows it (present, absent, indeterminate, not_assessed);
- `proposal` of an imported object: accepted or rejected, with the time `at`.

The id of the object follows from question and subject, so that one question never has two answers.
"""

import math
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from django.utils.dateparse import parse_datetime

from annotations.reading.journal.scope import Scope
from annotations.reading.journal.sent import Refused
from annotations.reading.journal.values import NOTE_LENGTH_MAX, STATES

NAMESPACE = UUID("8f0c6a52-9c55-5f1c-9f6e-2a1f52e7c0d4")
STATE, PROPOSAL = "state", "proposal"
VERDICTS = ("accepted", "rejected")
NUMBER_MAX = 1e12


def is_answer(value: Any) -> bool:
    return isinstance(value, dict) and "answer" in value


def answer_id(*, answer: str, of: str, about: str) -> UUID:
    """The object that holds this answer."""
    return uuid5(NAMESPACE, f"{of}/{about}/{answer}")


def annotation_of(value: Any) -> UUID | None:
    """The annotation that an answer is about; None for all else."""
    if not is_answer(value) or value.get("of") != "annotation":
        return None
    try:
        return UUID(value.get("id"))
    except (TypeError, ValueError, AttributeError):
        return None


def check_answer(
    identity: UUID, value: dict[str, Any], marks: Collection[UUID], scope: Scope, *, is_new: bool = True
) -> None:
    """Raises Refused, with the first thing that is wrong. `marks`: annotations that the read has or had.

    A question that is no longer asked takes no new answer; those it has may change.
    """
    answer, of, about = value.get("answer"), value.get("of"), value.get("id")
    allowed = {"answer", "of", "id", "value"} | ({"at"} if answer == PROPOSAL else set())
    if not (isinstance(answer, str) and isinstance(of, str) and isinstance(about, str)):
        raise Refused("An answer names its question, what it is about (`of`) and which one (`id`).")
    if set(value) - allowed:
        raise Refused(f"An answer has no place for {', '.join(sorted(set(value) - allowed))[:80]}.")
    if (answer == STATE) != (of == "label") or (answer == PROPOSAL) != (of == "imported"):
        raise Refused("Labels have a state, what came with the images a verdict, all else answers.")
    _check_about(of, about, marks, scope)
    if answer == STATE:
        if value.get("value") not in STATES:
            raise Refused(f"The state of a label is one of {', '.join(STATES)}.")
    elif answer == PROPOSAL:
        _check_verdict(value)
    else:
        _check_question(answer, of, value.get("value"), scope, is_new)
    if identity != answer_id(answer=answer, of=of, about=about):
        raise Refused("This is not the id that the answer to this question has.")


def _check_about(of: str, about: str, marks: Collection[UUID], scope: Scope) -> None:
    if of == "case":
        known = about == ""
    elif of == "annotation":
        known = _is_in(about, marks)
    else:
        things: dict[str, Collection[str]] = {
            "study": scope.studies,
            "series": scope.series,
            "label": scope.labels,
            "imported": scope.imported,
        }
        known = about in things.get(of, ())
    if not known:
        raise Refused("What this answer is about is not in this read. Reload the page.")


def _is_in(about: str, marks: Collection[UUID]) -> bool:
    try:
        return UUID(about) in marks
    except ValueError:
        return False


def _check_verdict(value: dict[str, Any]) -> None:
    if value.get("value") not in VERDICTS:
        raise Refused(f"A proposal is {' or '.join(VERDICTS)}.")
    try:
        at = parse_datetime(value["at"])
    except (KeyError, TypeError, ValueError):
        at = None
    if at is None:
        raise Refused("A verdict has its time in `at`, in ISO 8601.")


def _check_question(answer: str, of: str, said: Any, scope: Scope, is_new: bool) -> None:
    question = scope.questions.get(answer)
    if question is None or question["of"] != of or (is_new and question.get("retired")):
        raise Refused(f"This read's questions have no {answer[:60]!r} about this.")
    keys = [option["key"] for option in question["options"]]
    match question["type"]:
        case "choice" | "code":
            right = isinstance(said, str) and said in keys
        case "choices":
            right = isinstance(said, list) and bool(said) and all(one in keys for one in said)
            right = right and len(said) == len({str(one) for one in said})
        case "number":
            right = _is_number(said, question)
        case "date":
            right = _is_date(said)
        case _:
            right = isinstance(said, str) and bool(said.strip()) and len(said) <= NOTE_LENGTH_MAX
    if not right:
        raise Refused(f"This is no answer to “{question['text'][:100]}”.")


def _is_number(said: Any, question: dict[str, Any]) -> bool:
    if type(said) not in (int, float) or not math.isfinite(said) or abs(said) > NUMBER_MAX:
        return False
    least, most = question["least"], question["most"]
    return (least is None or said >= least) and (most is None or said <= most)


def _is_date(said: Any) -> bool:
    try:
        return isinstance(said, str) and date.fromisoformat(said).isoformat() == said
    except ValueError:
        return False
