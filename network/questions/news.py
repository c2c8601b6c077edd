"""Tells open pages that a question came further: ids only, after the commit."""

from functools import partial

from django.db import transaction

from atlas.fanout import broadcast
from network.models import HeldPart, Question

HELD = "questions.held"


def group_of(public_id: str) -> str:
    return f"question.{public_id}"


def announce(question: Question) -> None:
    message = {"type": "question"}
    transaction.on_commit(partial(broadcast, group_of(question.public_id), message), robust=True)


def announce_held(part: HeldPart) -> None:
    message = {"type": "held", "part": part.public_id}
    transaction.on_commit(partial(broadcast, HELD, message), robust=True)
