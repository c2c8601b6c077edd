"""Whether the readers of a case agree: then it has a reference standard, else it waits for adjudication."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts import audit
from annotations.models import Case, ReadingDesign, ReferenceStandard
from annotations.reading.adjudication.access import adjudications
from annotations.reading.adjudication.looking import Look, look_at
from annotations.reading.adjudication.readers import ReaderOf, readers_of
from annotations.reading.adjudication.rule import Reason
from annotations.reading.broadcasts import announce_cases
from annotations.reading.designs import design_of, is_case_read

audit.register("case.agreed", "case.needs_adjudication")

REASONS_MAX = 50
How = ReferenceStandard.How
Rule = ReadingDesign.Adjudication


def decide(case: Case) -> None:
    """Called by the job that compared the case, after every submission and verdict. Idempotent.

    One read makes the reference standard as it was accepted. Of several that agree by the project's rule it
    is the one that lies closest to the others. An adjudication under way, or done, is left alone; a project
    that never adjudicates has several reads, and no reference standard.
    """
    with transaction.atomic():
        locked = Case.objects.select_for_update(of=("self",)).select_related("project").get(pk=case.pk)
        if not is_case_read(locked) or _is_judged(locked):
            return
        readers, design = readers_of(locked), design_of(locked.project)
        if len(readers) > 1 and design.adjudication == Rule.NEVER:
            _keep(locked, needs=False, reasons=[])
            ReferenceStandard.objects.filter(case=locked).delete()
        elif len(readers) == 1:
            _keep(locked, needs=False, reasons=[])
            _becomes_the_reference(locked, readers[0], How.ACCEPTED)
        elif readers:
            _decide_between(locked, readers, design)


def _decide_between(case: Case, readers: Sequence[ReaderOf], design: ReadingDesign) -> None:
    look = look_at(case, readers, design)
    if look.reasons or design.adjudication == Rule.ALWAYS:
        if not case.needs_adjudication:
            audit.record(None, "case.needs_adjudication", case, disagreements=len(look.reasons))
        _keep(case, needs=True, reasons=look.reasons)
        ReferenceStandard.objects.filter(case=case).delete()  # of fewer readers, who agreed
    else:
        _keep(case, needs=False, reasons=[])
        _becomes_the_reference(case, closest(look, readers), How.AGREED)


def closest(look: Look, readers: Sequence[ReaderOf]) -> ReaderOf:
    """The reader with the highest mean Dice with the others; of as many the one who handed in first."""
    dices: dict[str, list[float]] = {reader.id: [] for reader in readers}
    for seen in look.lesions:
        for pair in seen.numbers["pairs"]:
            if pair["dice"] is not None:
                dices[pair["first"]].append(pair["dice"])
                dices[pair["second"]].append(pair["dice"])

    def rank(reader: ReaderOf) -> tuple[float, float]:
        own = dices[reader.id]
        mean = sum(own) / len(own) if own else 0.0
        return -round(mean, 9), reader.submission.at.timestamp()

    return min(readers, key=rank)


def _is_judged(case: Case) -> bool:
    return adjudications().filter(case=case).exists()


def _keep(case: Case, *, needs: bool, reasons: list[Reason]) -> None:
    case.needs_adjudication, case.compared_at = needs, timezone.now()
    case.disagreements = reasons[:REASONS_MAX]
    case.save(update_fields=["needs_adjudication", "disagreements", "compared_at"])
    announce_cases(case.project, [case.number])


def _becomes_the_reference(case: Case, reader: ReaderOf, how: How) -> None:
    present = ReferenceStandard.objects.filter(case=case).first()
    if present is not None and (present.submission_id, present.how) == (reader.submission.pk, how):
        return
    ReferenceStandard.objects.update_or_create(
        case=case, defaults={"submission": reader.submission, "how": how}
    )
    if how == How.AGREED:
        audit.record(None, "case.agreed", case, submission=reader.submission.pk)
