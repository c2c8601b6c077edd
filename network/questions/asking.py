"""Putting a question to every node that may know something, and taking it back."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from annotations.cohort.language import CohortError, Expression, as_json
from annotations.cohort.language.shared import require_shared
from network.federation import messages
from network.federation.nodes import members
from network.models import Listing, Node, Question, QuestionPart
from network.questions import holding, news
from network.questions.bodies import question_body
from network.questions.checking import REASONS
from network.questions.offered import require_known
from network.questions.policies import OPEN
from network.questions.wording import words_of

audit.register("question.asked", "question.withdrawn")

LIFE = timedelta(days=7)
"""People at the nodes may have to decide, so a question outlives a weekend."""

PER_HOUR = 60
PER_DAY = 300
"""Of one person. Each answer tells a little; nobody learns more by asking all day."""


TOO_MANY_AN_HOUR = gettext_noop(
    "You have asked %(most)d questions within an hour, as many as anyone may. "
    "The next can be asked in %(minutes)d minutes; the answers so far stay."
)
TOO_MANY_A_DAY = gettext_noop(
    "You have asked %(most)d questions within a day, as many as anyone may. "
    "The next can be asked in %(minutes)d minutes; the answers so far stay."
)


class TooMany(Exception):
    """This person has asked enough for now. `wait_s`: until the next may be asked; `words` with `told` in
    them: the sentence, for a page to translate."""

    def __init__(self, wait_s: int, most: int, words: str) -> None:
        self.words, self.told = words, {"most": most, "minutes": max(1, round(wait_s / 60))}
        super().__init__(words % self.told)
        self.wait_s = max(1, wait_s)


@transaction.atomic
def ask(*, by: User, expression: Expression) -> Question:
    """Put a question to this node and to those that joined it. Raises CohortError for what can't be asked
    across nodes, TooMany for whoever asks too often."""
    require_shared(expression)
    require_known(expression)
    asked = _who_answers()
    if not asked:
        raise CohortError("Nobody can be asked: no node lists a dataset yet.")
    _require_pause(by)
    question = Question.objects.create(
        asked_by=by,
        expression=as_json(expression),
        words=words_of(expression),
        expires_at=timezone.now() + LIFE,
    )
    body = question_body(question.public_id, question.expression, question.expires_at)
    told = [node for node, takes in asked if takes and node is not None]
    sent = messages.send_to(told, "question", body, expires_at=question.expires_at)
    by_node = {message.node_id: message for message in sent}
    parts = [QuestionPart(question=question, node=node) for node, _ in asked]
    for part, (_, takes) in zip(parts, asked, strict=True):
        part.message = by_node.get(part.node_id) if part.node_id else None
        if not takes:
            part.state, part.reason = QuestionPart.State.REFUSED, REASONS["nothing"]
    QuestionPart.objects.bulk_create(parts)
    if any(node is None and takes for node, takes in asked):
        holding.hold(None, body)
    audit.record(by, "question.asked", question, nodes=len(asked))
    return question


def _who_answers() -> list[tuple[Node | None, bool]]:
    """This node (None) and the members that list datasets, and whether any of them takes questions."""
    takes: dict[int | None, bool] = {}
    listed = Listing.objects.filter(is_listed=True).exclude(version="").order_by()
    for node_id, answers in listed.values_list("node", "answers").distinct():
        takes[node_id] = takes.get(node_id, False) or answers != Listing.Answers.NEVER
    here: list[tuple[Node | None, bool]] = [(None, takes[None])] if None in takes else []
    return here + [(node, takes[node.pk]) for node in members() if node.pk in takes]


def _require_pause(by: User) -> None:
    """One question of a person at a time passes here, so the limits are exact."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    now = timezone.now()
    for limit, span, words in (
        (PER_HOUR, timedelta(hours=1), TOO_MANY_AN_HOUR),
        (PER_DAY, timedelta(days=1), TOO_MANY_A_DAY),
    ):
        recent = Question.objects.filter(asked_by=by, asked_at__gt=now - span).order_by("-asked_at")
        first = recent.values_list("asked_at", flat=True)[limit - 1 : limit].first()
        if first is not None:
            raise TooMany(round((first + span - now).total_seconds()), limit, words)


@transaction.atomic
def withdraw(*, by: User, question: Question) -> None:
    """Take a question back: nodes that haven't answered are told. Twice changes nothing."""
    question = Question.objects.select_for_update(of=("self",)).get(pk=question.pk)
    if question.withdrawn_at is not None:
        return
    question.withdrawn_at = timezone.now()
    question.save(update_fields=["withdrawn_at"])
    body = {"question": question.public_id}
    for part in question.parts.filter(state__in=OPEN).select_related("node", "message"):
        if part.node is None:
            holding.drop(None, body)
        else:
            messages.send(part.node, "question.withdrawn", body, expires_at=question.expires_at)
    audit.record(by, "question.withdrawn", question)
    news.announce(question)
