"""Jobs of questions."""

from procrastinate.contrib.django import app

from network.questions.answering import note_late
from network.questions.holding import note_expired


@app.periodic(cron="* * * * *")
@app.task(name="network.expire_questions", queueing_lock="expire_questions")
def expire_questions(timestamp: int) -> None:
    """Questions whose time is over: what hasn't answered is late, what nobody decided has expired."""
    note_late()
    note_expired()
