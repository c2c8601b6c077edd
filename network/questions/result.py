"""What is known of a question so far: node by node, dataset by dataset, and in all what was told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from network.federation.nodes import is_online
from network.models import Listing, Node, Question, QuestionPart
from network.questions.bodies import COUNTED
from network.questions.policies import OPEN

LATE_AFTER = timedelta(seconds=60)
"""A node that is there and takes longer than this is late; its answer still counts when it comes."""

type Counts = dict[str, int | None]


@dataclass(frozen=True)
class Row:
    """One dataset. `is_told`: its counts are known, None then is fewer than may be told. Otherwise `words`
    say why nothing is known of it."""

    title: str
    slug: str
    organisation: str
    country: str
    version: str
    counts: Counts
    is_told: bool
    words: str

    @property
    def cells(self) -> list[str | int]:
        """What its row says, under `COUNTED`."""
        return [few() if count is None else count for count in self.counts.values()]


@dataclass(frozen=True)
class Part:
    """One node. `verdict`: "", "good", "warn" or "bad"; `words` say how far it is."""

    node: str
    country: str
    state: str
    verdict: str
    icon: str
    title: str
    words: str
    changed_at: datetime
    rows: list[Row]

    @property
    def subjects(self) -> int:
        return sum(row.counts["subjects"] or 0 for row in self.rows if row.is_told)


@dataclass(frozen=True)
class Result:
    """`totals` add what was told and nothing else; unless `is_all`, there is more, so they say "at least"."""

    question: Question
    parts: list[Part]
    totals: dict[str, int]
    is_all: bool
    is_open: bool
    """Whether a node may still answer."""

    @property
    def rows(self) -> Iterator[tuple[Part, Row]]:
        return ((part, row) for part in self.parts for row in part.rows)

    @property
    def answered(self) -> int:
        return sum(1 for part in self.parts if part.state not in OPEN)

    @property
    def told(self) -> int:
        return sum(1 for _, row in self.rows if row.is_told)

    @property
    def few(self) -> int:
        """Datasets with fewer subjects than may be told."""
        return sum(1 for _, row in self.rows if row.is_told and row.counts["subjects"] is None)


def few() -> str:
    return gettext("fewer than %d") % settings.DISCLOSURE_MINIMUM


def result_of(question: Question) -> Result:
    """Three queries."""
    parts = list(question.parts.select_related("node").order_by("pk"))
    listings: dict[int | None, list[Listing]] = {}
    asked = [part.node_id for part in parts if part.node_id is not None]
    shown = Listing.objects.filter(is_listed=True).exclude(version="")
    is_theirs = Q(node__in=asked)
    if len(asked) < len(parts):
        is_theirs |= Q(node=None)
    for listing in (
        shown.filter(is_theirs).defer("words", "figures", "description", "terms").order_by("title")
    ):
        listings.setdefault(listing.node_id, []).append(listing)
    told = [_part(question, part, listings.get(part.node_id, [])) for part in parts]
    rows = [row for part in told for row in part.rows]
    return Result(
        question=question,
        parts=told,
        totals={name: _sum(rows, name) for name in COUNTED},
        is_all=all(row.is_told and row.counts["subjects"] is not None for row in rows),
        is_open=question.withdrawn_at is None and any(part.state in OPEN for part in told),
    )


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(row.counts[name] or 0 for row in rows if row.is_told)


def _part(question: Question, part: QuestionPart, listings: Iterable[Listing]) -> Part:
    state, verdict, icon, title, words = _told(question, part)
    answers = {row["dataset"]: row for row in part.answer}
    known = {listing.slug for listing in listings}
    rows = [_row(part, listing, answers.get(listing.slug)) for listing in listings]
    rows += [_gone(row) for slug, row in answers.items() if slug not in known]
    return Part(
        node=part.node.name if part.node else settings.NODE_NAME,
        country=part.node.country if part.node else "",
        state=state,
        verdict=verdict,
        icon=icon,
        title=title,
        words=words,
        changed_at=part.changed_at,
        rows=rows,
    )


def _row(part: QuestionPart, listing: Listing, answer: dict | None) -> Row:
    return Row(
        title=listing.title,
        slug=listing.slug,
        organisation=listing.organisation,
        country=listing.country,
        version=answer["version"] if answer else listing.version,
        counts={name: answer[name] if answer else None for name in COUNTED},
        is_told=answer is not None,
        words="" if answer else _why_nothing(part, listing),
    )


def _gone(answer: dict) -> Row:
    """A dataset that was counted and isn't listed any more."""
    counts = {name: answer[name] for name in COUNTED}
    return Row(answer["dataset"], "", "", "", answer["version"], counts, True, "")


def _why_nothing(part: QuestionPart, listing: Listing) -> str:
    if listing.answers == Listing.Answers.NEVER:
        return gettext("takes no questions")
    if part.state == QuestionPart.State.WRONG:
        return gettext("not counted: the answer can't be right")
    if part.state == QuestionPart.State.PERSON:
        return gettext("a person decides")
    if part.state in OPEN:
        return gettext("no answer yet")
    return gettext("not answered")


# A node's state in words ------------------------------------------------------------------------------


def _told(question: Question, part: QuestionPart) -> tuple[str, str, str, str, str]:
    """State, verdict, icon, title, and a sentence."""
    S = QuestionPart.State
    state, rows = part.state, len(part.answer)
    if state == S.ANSWERED:
        said = ngettext("Answered for %d dataset.", "Answered for %d datasets.", rows) % rows
        return state, "good", "circle-check", gettext("Answered"), said
    if state == S.WRONG:
        said = gettext("Nothing of it is shown or counted. %s") % part.reason
        return state, "bad", "triangle-alert", gettext("Its answer can't be right"), said
    if state == S.REFUSED:
        return state, "", "circle-slash", gettext("Not answered"), gettext(part.reason) if part.reason else ""
    if question.withdrawn_at is not None:
        said = gettext("You withdrew the question before it had answered.")
        return state, "", "circle-slash", gettext("Withdrawn"), said
    if state == S.LATE:
        said = gettext("The question expired before it answered.")
        return state, "warn", "clock-alert", gettext("No answer in time"), said
    if state == S.GONE:
        said = gettext("It left before it had answered. Ask again to hear from those who take part now.")
        if rows:
            said = (
                ngettext(
                    "It had answered for %d dataset when it left.",
                    "It had answered for %d datasets when it left.",
                    rows,
                )
                % rows
            )
        return state, "warn", "wifi-off", gettext("Has left the network"), said
    if state == S.PERSON:
        said = gettext(
            "The node has it, and asks the people who decide. They have time until the question expires."
        )
        if rows:
            said = (
                ngettext(
                    "Answered for %d dataset; for the others a person decides.",
                    "Answered for %d datasets; for the others a person decides.",
                    rows,
                )
                % rows
            )
        return state, "warn", "user-round", gettext("A person decides"), said
    return _waiting(part)


def _waiting(part: QuestionPart) -> tuple[str, str, str, str, str]:
    node: Node | None = part.node
    state = part.state
    if node is not None and not is_online(node):
        said = gettext("It answers when it is back, if that is before the question expires.")
        return state, "warn", "wifi-off", gettext("Offline"), said
    if timezone.now() - part.changed_at > LATE_AFTER:
        said = gettext("The node is there and hasn't answered. What it says later still counts.")
        return state, "warn", "clock-alert", gettext("Late"), said
    if state == QuestionPart.State.FETCHED:
        return state, "", "circle-dashed", gettext("Counting"), gettext("The node has the question.")
    return state, "", "clock", gettext("Asked"), gettext("The node fetches the question in a moment.")


# For programs and tables ------------------------------------------------------------------------------


def as_json(result: Result) -> dict[str, object]:
    question = result.question
    return {
        "id": question.public_id,
        "words": question.words,
        "expression": question.expression,
        "asked_at": question.asked_at,
        "expires_at": question.expires_at,
        "withdrawn_at": question.withdrawn_at,
        "is_open": result.is_open,
        "is_all": result.is_all,
        "at_least": result.totals,
        "fewer_than": settings.DISCLOSURE_MINIMUM,
        "nodes": [
            {
                "node": part.node,
                "country": part.country,
                "state": part.state,
                "title": part.title,
                "words": part.words,
                "changed_at": part.changed_at,
                "datasets": [_row_as_json(row) for row in part.rows],
            }
            for part in result.parts
        ],
    }


def _row_as_json(row: Row) -> dict[str, object]:
    return {
        "dataset": row.slug,
        "title": row.title,
        "organisation": row.organisation,
        "country": row.country,
        "version": row.version,
        "is_told": row.is_told,
        "words": row.words,
        **row.counts,
    }


def as_table(result: Result) -> Iterator[list[object]]:
    """Lines of a CSV, the names first. What is fewer than may be told says so."""
    yield ["node", "dataset", "title", "organisation", "country", "version", *COUNTED, "remark"]
    for part, row in result.rows:
        counts = row.cells if row.is_told else [None] * len(COUNTED)
        remark = row.words or (part.title if part.state == QuestionPart.State.WRONG else "")
        yield [part.node, row.slug, row.title, row.organisation, row.country, row.version, *counts, remark]
