"""The readers of a case as an adjudicator meets them: by letter, each with what they handed in."""

from dataclasses import dataclass
from string import ascii_uppercase

from annotations.models import Case, Read, Submission
from annotations.reading.machine import HANDED_IN
from atlas.api.errors import Conflict


@dataclass(frozen=True)
class ReaderOf:
    """One reader's read, as it was submitted. Whoever is B here is someone else's letter on the next case."""

    letter: str
    read: Read
    submission: Submission

    @property
    def id(self) -> str:
        return self.read.public_id


def readers_of(case: Case, *, adjudication: Read | None = None) -> list[ReaderOf]:
    """In the order of their letters, which follows the random ids of the reads: it tells nothing of who they
    are.

    Of an adjudication those whose reads were in when it began: one that comes later changes no letter. Two
    queries.
    """
    handed_in = Submission.objects.filter(
        read__case=case, read__kind=Read.Kind.READ, read__state__in=HANDED_IN
    )
    if adjudication is not None:
        handed_in = handed_in.filter(at__lte=adjudication.assigned_at)
    latest = {
        submission.read_id: submission
        for submission in handed_in.select_related("read__reader", "read__schema").order_by("round")
    }
    in_order = sorted(latest.values(), key=lambda submission: submission.read.public_id)
    return [
        ReaderOf(letter_of(index), submission.read, submission) for index, submission in enumerate(in_order)
    ]


def require_same_reads(adjudication: Read) -> None:
    """Before one that was set aside goes on: what it judges must still be what its readers say. Raises
    Conflict where a read was reopened and handed in again meanwhile. Four queries."""
    now = {each.read.pk: each.submission.pk for each in readers_of(adjudication.case)}
    then = readers_of(adjudication.case, adjudication=adjudication)
    if any(now[each.read.pk] != each.submission.pk for each in then):
        raise Conflict(
            f"A read was handed in again since {adjudication.reader.display_name} began this adjudication: "
            "what is settled rests on marks that were replaced. Name somebody else, who begins anew."
        )


def letter_of(index: int) -> str:
    """A to Z, then A2, B2, …: never more readers than letters, but nothing breaks where there are."""
    turn, place = divmod(index, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn + 1) if turn else "")
