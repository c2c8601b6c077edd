"""Jobs of questions."""

from procrastinate.contrib.django import app

from network.questions import answering, holding


@app.periodic(cron="* * * * *")
@app.task(name="network.expire_questions", queueing_lock="expire_questions")
def expire_questions(timestamp: int) -> None:
    """Questions whose time is over: what hasn't answered is late, what nobody decided has expired. And those
    that wait where a node has left: mostly they ended with it."""
    answering.note_late()
    holding.note_expired()
    answering.note_gone()
    holding.note_gone()
