"""Questions at the node that answers them: by itself where its organisations allow it, otherwise after one of
their people has said yes."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts import audit
from accounts.models import Organisation, User
from annotations.cohort.language import CohortError, Expression, as_json, parse
from annotations.cohort.language.shared import require_shared
from atlas.api.errors import Conflict
from network.facts import counting
from network.federation import catalogue, messages
from network.federation.messages import Refused
from network.listings.publishing import require_policy
from network.models import HeldPart, HeldQuestion, Listing, Node, QuestionPart
from network.questions import answering, letters, news, policies
from network.questions.bodies import COUNTED, Malformed, expiry_of, require_keys, uid_of
from network.questions.wording import words_of

audit.register("question.received", "question.decided")

PER_DAY = 3000
"""Questions of a hub that this node looks at in a day: whoever holds its key can't ask without end."""


def receive_question(hub: Node, body: dict[str, Any]) -> None:
    """A question of the hub. Raises Refused for what is none."""
    hold(hub, body)


def hold(hub: Node | None, body: dict[str, Any]) -> None:
    """Keep a question and answer what this node answers by itself. Twice changes nothing.

    Runs in the caller's transaction. Raises Refused for what is no question, or has expired.
    """
    try:
        given = require_keys(body, "question", "expression", "expires_at")
        uid, expires_at = uid_of(given["question"]), expiry_of(given["expires_at"])
    except Malformed as error:
        raise Refused(f"This is no question. {error}") from None
    if expires_at <= timezone.now():
        raise Refused("The question has expired.")
    try:
        expression = parse(given["expression"])
        require_shared(expression)
    except CohortError:
        return _reply(hub, uid, QuestionPart.State.REFUSED, "not_understood", [])
    known = HeldQuestion.objects.filter(hub=hub, uid=uid).first()
    if known is not None:
        if known.expression != as_json(expression):
            raise Refused("This question was asked before, in other words.")
        return None
    recent = HeldQuestion.objects.filter(hub=hub, received_at__gt=timezone.now() - timedelta(days=1))
    if hub is not None and recent.count() >= PER_DAY:
        return _reply(hub, uid, QuestionPart.State.REFUSED, "too_many", [])
    return _answered(hub, uid, expression, expires_at)


def _answered(hub: Node | None, uid: str, expression: Expression, expires_at: Any) -> None:
    require_policy()
    rows = [_row(each) for each in counting.answer(expression, decided=False)]
    asked = _organisations_to_ask()
    state = HeldQuestion.State.PERSON if asked else HeldQuestion.State.ANSWERED
    if not rows and not asked:
        state = HeldQuestion.State.REFUSED
    held = HeldQuestion.objects.create(
        hub=hub,
        uid=uid,
        expression=as_json(expression),
        words=words_of(expression),
        state=state,
        expires_at=expires_at,
        answer=rows,
    )
    audit.record(None, "question.received", held, datasets=len(rows), organisations=len(asked))
    for organisation in asked:
        part = HeldPart.objects.create(held=held, organisation=organisation)
        letters.write_to_deciders(part)
        news.announce_held(part)
    _tell(held)


def _organisations_to_ask() -> list[Organisation]:
    """Those with datasets that are counted once a person has said yes."""
    asking = Listing.objects.filter(node=None, is_listed=True, answers=Listing.Answers.PERSON)
    asking = asking.exclude(version="").filter(dataset__isnull=False)
    return list(Organisation.objects.filter(pk__in=asking.values("dataset__organisation")).order_by("pk"))


def would_leave(part: HeldPart) -> list[counting.Answered]:
    """What a yes tells whoever asked: of each of the organisation's datasets that asks a person."""
    told = {row["dataset"] for row in part.held.answer}
    expression = parse(part.held.expression)
    require_policy()
    found = counting.answer(expression, decided=True, organisations=[part.organisation])
    return [
        each
        for each in found
        if each.listing.dataset is not None
        and each.listing.dataset.organisation_id == part.organisation_id
        and each.listing.answers == Listing.Answers.PERSON
        and each.listing.slug not in told
    ]


@transaction.atomic
def decide(*, by: User, part: HeldPart, yes: bool) -> HeldPart:
    """One organisation's answer. Raises Http404 for whoever doesn't decide there, Conflict where it is
    decided already, was withdrawn or has expired."""
    part = policies.held_part_or_404(by, part.public_id)
    held = HeldQuestion.objects.select_for_update().get(pk=part.held_id)
    part = HeldPart.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=part.pk)
    part.held = held
    if part.state != HeldPart.State.WAITING:
        raise Conflict(_("A colleague has decided this meanwhile."))
    if held.state == HeldQuestion.State.WITHDRAWN:
        raise Conflict(_("Whoever asked has withdrawn the question. Nothing was told."))
    if held.state == HeldQuestion.State.GONE:
        raise Conflict(_("This node has left the hub that asked. Nothing was told."))
    if held.expires_at <= timezone.now():
        raise Conflict(_("The question has expired. Nothing was told."))
    rows = [_row(each) for each in would_leave(part)] if yes else []
    part.state = HeldPart.State.ANSWERED if yes else HeldPart.State.REFUSED
    part.decided_by, part.decided_at = by, timezone.now()
    part.save(update_fields=["state", "decided_by", "decided_at"])
    held.answer = [*held.answer, *rows]
    if not held.parts.filter(state=HeldPart.State.WAITING).exists():
        held.state = HeldQuestion.State.ANSWERED if held.answer else HeldQuestion.State.REFUSED
    held.save(update_fields=["answer", "state"])
    audit.record(by, "question.decided", part, yes=yes, datasets=len(rows))
    news.announce_held(part)
    if rows or held.state != HeldQuestion.State.PERSON:
        _tell(held, "decided" if yes is False else "")
    return part


def _row(each: counting.Answered) -> dict[str, Any]:
    counts = {name: getattr(each.counts, name) for name in COUNTED}
    return {"dataset": each.listing.slug, "version": each.version, **counts}


def _tell(held: HeldQuestion, reason: str = "") -> None:
    """Answer with all that was told so far."""
    if held.state != HeldQuestion.State.REFUSED:
        reason = ""
    elif not reason:
        reason = "nothing"
    _reply(held.hub, held.uid, QuestionPart.State(held.state), reason, held.answer, held.expires_at)


def _reply(
    hub: Node | None, uid: str, state: QuestionPart.State, reason: str, rows: list[Any], until: Any = None
) -> None:
    body = {"question": uid, "state": state.value, "reason": reason, "answers": rows}
    if hub is None:
        answering.receive_answer(None, body)
    else:
        if rows and _has_published_since(hub):
            catalogue.publish_if_changed(hub)  # the hub believes counts of versions that it knows
        messages.send(hub, "answer", body, expires_at=until)


def _has_published_since(hub: Node) -> bool:
    """Whether a version is newer than the catalogue that was last left for the hub. Two queries."""
    last = hub.messages.filter(kind=catalogue.KIND).aggregate(at=Max("created_at"))["at"]
    newest = Listing.objects.filter(node=None, is_listed=True).aggregate(at=Max("published_at"))["at"]
    return last is None or (newest is not None and newest > last)


# The end ----------------------------------------------------------------------------------------


def receive_withdrawn(hub: Node, body: dict[str, Any]) -> None:
    drop(hub, body)


def drop(hub: Node | None, body: dict[str, Any]) -> None:
    """Whoever asked takes the question back: nobody here needs to decide any more. Raises Refused for what
    names no question; one that isn't here is passed over."""
    try:
        uid = uid_of(require_keys(body, "question")["question"])
    except Malformed as error:
        raise Refused(f"This withdraws no question. {error}") from None
    held = HeldQuestion.objects.select_for_update().filter(hub=hub, uid=uid).first()
    if held is None or held.state != HeldQuestion.State.PERSON:
        return
    held.state = HeldQuestion.State.WITHDRAWN
    held.save(update_fields=["state"])
    for part in held.parts.all():
        news.announce_held(part)


def note_expired() -> int:
    """Questions that nobody decided in time. Returns how many there were."""
    return _end(Q(expires_at__lte=timezone.now()), HeldQuestion.State.EXPIRED)


def note_gone() -> int:
    """Questions of a hub that this node has left. Returns how many there were."""
    return _end(Q(hub__state=Node.State.LEFT), HeldQuestion.State.GONE)


def _end(which: Q, state: HeldQuestion.State) -> int:
    rows = HeldQuestion.objects.filter(which, state=HeldQuestion.State.PERSON)
    parts = list(HeldPart.objects.filter(held__in=rows))
    found = rows.update(state=state)
    for part in parts:
        news.announce_held(part)
    return found
