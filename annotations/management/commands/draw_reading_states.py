"""Draws the states of a read in docs/reading-states.md, from the data in annotations.reading.machine."""

from django.conf import settings
from django.core.management.base import BaseCommand

from annotations.reading import machine

PAGE = settings.BASE_DIR / "docs" / "reading-states.md"
INTRODUCTION = """# The states of a read

Drawn by `manage.py draw_reading_states` from `annotations/reading/machine.py`; a test says when it is old.
"""
REMARKS = """
What holds besides, whoever acts:

- The state is part of the statement that changes it: of two who act at once, one succeeds, the other is told.
- Accepted stays accepted unless a lead reopens it, with a reason that its reader is told. The case then has
  no reference standard until it is decided again; an adjudication that rests on the read is reopened and set
  aside first. Releases that are frozen keep what they hold.
- A round that was handed in never changes; returning or reopening a read begins the next round.
- Whoever has an unfinished read on a case is its reader and nothing else there: they judge nothing, set
  nothing aside, and see nothing of the others (in an open project: only what others have handed in).
- Nobody judges their own read, and nobody who read a case adjudicates it. A case has one adjudication at a
  time; handing it in accepts it and makes it the case's reference standard.
- A read that is set aside counts nowhere and keeps all that was drawn. It is taken up again only by someone
  who is still a reader, and who has not seen the others' marks meanwhile.
- Locking the unaided read fixes an edit number: what was drawn up to there was found without proposals.
"""


def page() -> str:
    return f"{INTRODUCTION}\n{machine.drawing()}{REMARKS}"


class Command(BaseCommand):
    help = "Draw the states of a read in docs/reading-states.md."

    def handle(self, **options: object) -> None:
        PAGE.write_text(page())
