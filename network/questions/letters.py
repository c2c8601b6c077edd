"""Letters about questions: to those who decide for an organisation, and to whoever waits for an answer."""

from functools import partial

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from network.models import HeldPart, Question
from network.questions import policies


def write_to_deciders(part: HeldPart) -> None:
    """One letter until they have looked: while a question waits for the organisation, another adds none."""
    waiting = policies.undecided(HeldPart.objects.filter(organisation=part.organisation_id))
    if waiting.exclude(pk=part.pk).exists():
        return
    words = {
        "organisation": part.organisation.name,
        "words": part.held.words,
        "expires_at": part.held.expires_at,
        "url": settings.NODE_ADDRESS + reverse("questions-held"),
        "node_name": settings.NODE_NAME,
    }
    letter = render_to_string("questions/letters/held.txt", words)
    subject = f"A question waits for {part.organisation.name}"
    for person in policies.deciders_of(part.organisation):
        if person.email:
            _send(subject, letter, person.email)


def write_to_asker(question: Question) -> None:
    """The last answer has come, and people were asked for it."""
    if not question.asked_by.email:
        return
    words = {
        "words": question.words,
        "asked_at": question.asked_at,
        "url": settings.NODE_ADDRESS + reverse("question", args=[question.public_id]),
        "node_name": settings.NODE_NAME,
    }
    letter = render_to_string("questions/letters/answered.txt", words)
    _send("Your question is answered", letter, question.asked_by.email)


def _send(subject: str, letter: str, email: str) -> None:
    # One line whatever an organisation is called, and never in the way of the answer.
    line = " ".join(subject.split())
    transaction.on_commit(partial(send_mail, line, letter, None, [email]), robust=True)
