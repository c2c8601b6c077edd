"""Taking in what a node answers to a question of this one."""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from network.federation.messages import Refused
from network.models import Message, Node, Question, QuestionPart
from network.questions import letters, news
from network.questions.bodies import Malformed, uid_of
from network.questions.checking import REASONS, Said, Wrong, checked, holds, published_by
from network.questions.policies import OPEN

FINAL = (QuestionPart.State.ANSWERED, QuestionPart.State.REFUSED)


def receive_answer(node: Node | None, body: dict[str, Any]) -> None:
    """An answer of another node, or (None) of this one. Runs in the caller's transaction.

    What can't be right is kept as WRONG, with the reason. Raises Refused for an answer to what this node
    wasn't asked, or that comes too late.
    """
    part = _part_of(node, body)
    question = part.question
    if part.state == QuestionPart.State.WRONG:
        raise Refused("An earlier answer to this question couldn't be right, so nothing more is taken in.")
    try:
        said = checked(body, published_by(node))
        if _is_known_already(part, said):
            return
        if question.withdrawn_at is not None:
            raise Refused("The question was withdrawn.")
        if part.state == QuestionPart.State.GONE:
            raise Refused("You left the network before you answered. Nobody waits for it any more.")
        if part.state == QuestionPart.State.LATE or question.expires_at <= timezone.now():
            raise Refused("The question had expired before the answer came.")
        _require_same(part, said)
    except Wrong as error:
        part.state, part.reason, part.answer = QuestionPart.State.WRONG, str(error)[:500], []
        part.save(update_fields=["state", "reason", "answer", "changed_at"])
        news.announce(question)
        return
    had_a_person = part.state == QuestionPart.State.PERSON
    part.state, part.reason, part.answer = said.state, REASONS[said.reason], said.rows
    part.save(update_fields=["state", "reason", "answer", "changed_at"])
    news.announce(question)
    if had_a_person and not question.parts.filter(state__in=OPEN).exists():
        letters.write_to_asker(question)


def _part_of(node: Node | None, body: dict[str, Any]) -> QuestionPart:
    """Locked. Raises Refused."""
    try:
        uid = uid_of(body.get("question"))
    except Malformed as error:
        raise Refused(str(error)) from None
    parts = QuestionPart.objects.select_for_update(of=("self",)).select_related("question")
    part = parts.filter(question__public_id=uid, node=node).first()
    if part is None:
        raise Refused("This question wasn't put to you.")
    return part


def _is_known_already(part: QuestionPart, said: Said) -> bool:
    """The same answer again, or an earlier part of it that comes after the whole."""
    if said.state == part.state and REASONS[said.reason] == part.reason and said.rows == part.answer:
        return True
    is_earlier = part.state in FINAL and said.state == QuestionPart.State.PERSON
    return is_earlier and holds(said.rows, part.answer)


def _require_same(part: QuestionPart, said: Said) -> None:
    """What was told stays told. Raises Wrong."""
    if part.state in FINAL or not holds(part.answer, said.rows):
        raise Wrong("It answered twice, and not the same.")


def note_fetched(message: Message) -> None:
    """The node has confirmed that it has the question."""
    parts = QuestionPart.objects.select_for_update(of=("self",)).select_related("question")
    part = parts.filter(message=message, state=QuestionPart.State.WAITING).first()
    if part is None:
        return
    if message.refused:
        part.state = QuestionPart.State.REFUSED
        part.reason = f"The node refused the question: {message.refused}"[:500]
    else:
        part.state = QuestionPart.State.FETCHED
    part.save(update_fields=["state", "reason", "changed_at"])
    news.announce(part.question)


def note_late() -> int:
    """Parts of questions that have expired without an answer. Returns how many there were."""
    return _end(Q(question__expires_at__lte=timezone.now()), QuestionPart.State.LATE)


def note_gone() -> int:
    """Parts that wait for nodes that have left. Returns how many there were. What they told stays."""
    return _end(Q(node__state=Node.State.LEFT), QuestionPart.State.GONE)


def _end(which: Q, state: QuestionPart.State) -> int:
    rows = QuestionPart.objects.filter(which, state__in=OPEN, question__withdrawn_at=None)
    questions = list(Question.objects.filter(pk__in=rows.values("question")))
    found = rows.update(state=state, changed_at=timezone.now())
    for question in questions:
        news.announce(question)
    return found
