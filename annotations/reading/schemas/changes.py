"""What differs between two versions of the labels, and what someone has to decide. Pure.

A `Change` says of one label, question or answer what becomes of it. What no longer takes what was said with
it needs a decision, under the name that `journal.mapping` knows it by.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.reading.journal.mapping import KEEP, LEAVE_OUT, TO
from annotations.reading.schemas.labels import in_use

type Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Content:
    """The labels and questions of a version."""

    labels: Sequence[Entry]
    questions: Sequence[Entry]


@dataclass(frozen=True)
class Choice:
    """One way to decide: keep, leave_out, or `to:` the key of something of this name."""

    value: str
    name: str = ""


@dataclass(frozen=True)
class Change:
    """`what` is label, kind, question or option; `sort` is same, added, renamed, changed or removed.

    `details` names what else changed. `decision` is how `journal.mapping` calls it; "" where nothing is to be
    decided. `part` is the kind of mark, or the key of the answer, of a part of a label or question.
    """

    what: str
    sort: str
    key: str
    name: str
    before: str = ""
    part: str = ""
    details: tuple[str, ...] = ()
    decision: str = ""
    choices: tuple[Choice, ...] = ()
    color: str = ""


def changes_between(before: Content, after: Content) -> list[Change]:
    """In the order of the labels and questions before, new ones last; parts follow what they belong to."""
    return [*_of_labels(before, after), *_of_questions(before, after)]


def to_decide(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.decision]


# Labels -----------------------------------------------------------------------------------------


def _of_labels(before: Content, after: Content) -> Iterator[Change]:
    now = {label["key"]: label for label in after.labels}
    known = {label["key"] for label in before.labels}
    for label in before.labels:
        new = now.get(label["key"])
        if label.get("retired") and (new is None or new.get("retired")):
            continue
        if new is None or new.get("retired"):
            yield Change(
                "label",
                "removed",
                label["key"],
                label["name"],
                decision=f"label:{label['key']}",
                choices=_instead_of(label, after),
                color=label["color"],
            )
            continue
        yield from _of_label(label, new, after)
    for label in in_use(after.labels):
        if label["key"] not in known:
            yield Change("label", "added", label["key"], label["name"], color=label["color"])


def _of_label(label: Entry, new: Entry, after: Content) -> Iterator[Change]:
    details = [name for name in ("color", "code", "required") if label.get(name) != new.get(name)]
    gone = [kind for kind in label["kinds"] if kind not in new["kinds"]]
    if set(new["kinds"]) - set(label["kinds"]):
        details.append("kinds")
    if label.get("retired"):
        details.append("used_again")
    renamed = label["name"] != new["name"]
    sort = "renamed" if renamed else "changed" if details or gone else "same"
    yield Change(
        "label",
        sort,
        label["key"],
        new["name"],
        label["name"] if renamed else "",
        details=tuple(details),
        color=new["color"],
    )
    for kind in gone:
        takers = [
            Choice(f"{TO}{other['key']}", other["name"])
            for other in in_use(after.labels)
            if kind in other["kinds"]
        ]
        yield Change(
            "kind",
            "removed",
            label["key"],
            new["name"],
            part=kind,
            decision=f"kind:{label['key']}:{kind}",
            choices=(Choice(KEEP), *takers, Choice(LEAVE_OUT)),
            color=new["color"],
        )


def _instead_of(label: Entry, after: Content) -> tuple[Choice, ...]:
    """Labels that take all of its kinds come first: nothing else changes for those marks."""
    others = [other for other in in_use(after.labels) if other["key"] != label["key"]]
    others.sort(key=lambda other: not set(label["kinds"]) <= set(other["kinds"]))
    named = [Choice(f"{TO}{other['key']}", other["name"]) for other in others]
    return (Choice(KEEP), *named, Choice(LEAVE_OUT))


# Questions --------------------------------------------------------------------------------------


def _of_questions(before: Content, after: Content) -> Iterator[Change]:
    now = {question["key"]: question for question in after.questions}
    known = {question["key"] for question in before.questions}
    for question in before.questions:
        new = now.get(question["key"])
        if question.get("retired") and (new is None or new.get("retired")):
            continue
        if new is None or new.get("retired") or new["of"] != question["of"]:
            kept = () if new is not None and not new.get("retired") else (Choice(KEEP),)
            yield Change(
                "question",
                "removed",
                question["key"],
                question["text"],
                decision=f"question:{question['key']}",
                choices=(*kept, *_asked_instead(question, after), Choice(LEAVE_OUT)),
            )
            continue
        yield from _of_question(question, new)
    for question in in_use(after.questions):
        if question["key"] not in known:
            yield Change("question", "added", question["key"], question["text"])


def _of_question(question: Entry, new: Entry) -> Iterator[Change]:
    names = ("only", "unit", "least", "most", "required", "when")
    details = [name for name in names if question.get(name) != new.get(name)]
    if question.get("retired"):
        details.append("used_again")
    unfit = _is_unfit(question["type"], new["type"])
    if question["type"] != new["type"]:
        details.append("type")
    there = {option["key"]: option for option in new["options"]}
    gone = [option for option in question["options"] if option["key"] not in there]
    if set(there) - {option["key"] for option in question["options"]}:
        details.append("options")
    renamed = question["text"] != new["text"]
    sort = "renamed" if renamed else "changed" if details or gone else "same"
    yield Change(
        "question",
        sort,
        question["key"],
        new["text"],
        question["text"] if renamed else "",
        details=tuple(details),
        decision=f"question:{question['key']}" if unfit else "",
        choices=(Choice(LEAVE_OUT),) if unfit else (),
    )
    if not new["options"] or unfit:
        return
    for option in gone:
        others = tuple(Choice(f"{TO}{other['key']}", other["name"]) for other in new["options"])
        yield Change(
            "option",
            "removed",
            question["key"],
            option["name"],
            new["text"],
            part=option["key"],
            decision=f"option:{question['key']}:{option['key']}",
            choices=(*others, Choice(LEAVE_OUT)),
        )


def _is_unfit(before: str, after: str) -> bool:
    """Whether answers of one type may be no answers of the other. Any answer can be told as a text."""
    lists = ("choice", "code", "choices")
    if before == after or after == "text" or (before in lists and after == "choices"):
        return False
    return not (before in ("choice", "code") and after in ("choice", "code"))


def _asked_instead(question: Entry, after: Content) -> list[Choice]:
    """Questions about the same thing whose answers are of the same type, or a text."""
    return [
        Choice(f"{TO}{other['key']}", other["text"])
        for other in in_use(after.questions)
        if other["key"] != question["key"]
        and other["of"] == question["of"]
        and not _is_unfit(question["type"], other["type"])
    ]
