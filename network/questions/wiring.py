"""Connects questions with the messages between nodes."""

from network.federation import membership, messages
from network.questions import answering, holding


def connect() -> None:
    messages.register("question", holding.receive_question, confirmed=answering.note_fetched)
    messages.register("question.withdrawn", holding.receive_withdrawn)
    messages.register("answer", answering.receive_answer)
    membership.when_gone("questions", answering.note_gone)
    membership.when_gone("questions held", holding.note_gone)
