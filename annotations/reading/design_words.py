"""A reading design in words: the rule as a lead reads it, and what a change of it means for reads begun."""

from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from annotations.models import Read, ReadingDesign, Submission
from annotations.reading.designs import Rules
from annotations.reading.machine import OPEN
from atlas.models import Project

Adjudication, Order, Proposals = (
    ReadingDesign.Adjudication,
    ReadingDesign.Order,
    ReadingDesign.Proposals,
)


@dataclass(frozen=True)
class Sentence:
    icon: str
    text: str


def in_words(rules: Rules) -> list[Sentence]:
    """What holds, in the order in which a case goes through it. The rules have passed `designs.check`."""
    return [
        Sentence("users", _readers(rules)),
        Sentence("eye-off" if rules.blind else "eye", _blind(rules)),
        Sentence("sparkles", _proposals(rules)),
        Sentence("message-square", _review(rules)),
        Sentence("scale", adjudicated_where(rules)),
        Sentence("list-ordered", _order(rules)),
    ]


def adjudicated_where(rules: Rules) -> str:
    """The rule of adjudication as one sentence."""
    if rules.readers_per_case == 1:
        return gettext("Nothing to adjudicate: one reader can't disagree with themselves.")
    if rules.adjudication == Adjudication.NEVER:
        return gettext("Never adjudicated: disagreements are counted and shown to the lead.")
    if rules.adjudication == Adjudication.ALWAYS:
        return gettext("Every case with several readers is adjudicated.")
    reasons = []
    if rules.dice_below is not None:
        reasons.append(gettext("Dice is under %(dice)s") % {"dice": f"{rules.dice_below:.2f}"})
    if rules.unmatched_lesion:
        reasons.append(gettext("a lesion is unmatched"))
    if rules.diameter_apart_mm is not None:
        millimetres = f"{rules.diameter_apart_mm:g}"
        reasons.append(gettext("longest diameters are more than %(mm)s mm apart") % {"mm": millimetres})
    if rules.category_differs:
        reasons.append(gettext("categories or answers differ"))
    listed = reasons[0] if len(reasons) == 1 else ", ".join(reasons[:-1]) + gettext(", or ") + reasons[-1]
    return gettext("Adjudicate where %(reasons)s. Otherwise the readers agree.") % {"reasons": listed}


def _readers(rules: Rules) -> str:
    several = {"n": rules.readers_per_case, "share": rules.double_share}
    if rules.readers_per_case == 1 or rules.double_share == 0:
        return gettext("One reader reads each case.")
    if rules.double_share == 100:
        return gettext("%(n)s readers read each case.") % several
    return (
        gettext(
            "%(n)s readers read %(share)s %% of the cases, one reader the others. Which ones is drawn by lot."
        )
        % several
    )


def _blind(rules: Rules) -> str:
    if rules.blind:
        return gettext("Blind: before adjudication no reader learns anything of another's work.")
    return gettext("In the open: readers of a case may look at what the others have handed in.")


def _proposals(rules: Rules) -> str:
    return {
        Proposals.BEFORE: gettext("Marks that came with the images are proposed from the start."),
        Proposals.AFTER: gettext(
            "Marks that came with the images are proposed once the reader has locked their own read."
        ),
        Proposals.NEVER: gettext("Marks that came with the images are never shown to readers."),
    }[Proposals(rules.proposals)]


def _review(rules: Rules) -> str:
    if rules.review:
        return gettext("A reviewer accepts each read, or returns it with reasons.")
    return gettext("No review: a read counts as soon as it is handed in.")


def _order(rules: Rules) -> str:
    order = (
        gettext("Cases come by number, the same for all.")
        if rules.order == Order.FIXED
        else gettext("Cases come at random, in another order for each reader.")
    )
    if not rules.self_service:
        return order
    kept = ngettext(
        "Readers take cases themselves, each kept for %(hours)s hour.",
        "Readers take cases themselves, each kept for %(hours)s hours.",
        rules.lease_hours,
    ) % {"hours": rules.lease_hours}
    return f"{order} {kept}"


def warnings(project: Project, before: Rules, after: Rules) -> list[str]:
    """What a change means for reads that exist. Five queries at most, none where nothing changes."""
    if before == after:
        return []
    reads = Read.objects.filter(case__project=project, kind=Read.Kind.READ)
    begun = reads.exclude(state=Read.State.ASSIGNED).count()
    found = []
    if begun and before.blind and not after.blind:
        found.append(
            gettext(
                "Readers see each other's submitted reads at once. What they saw can't be made blind again."
            )
        )
    if begun and not before.blind and after.blind:
        seen = gettext("Readers keep what they have seen of each other; only what follows is read blind.")
        found.append(seen)
    if before.review and not after.review:
        n = reads.filter(state=Read.State.SUBMITTED).count()
        if n:
            found.append(
                ngettext(
                    "%(n)s read that waits for review stays with the reviewers.",
                    "%(n)s reads that wait for review stay with the reviewers.",
                    n,
                )
                % {"n": n}
            )
    if after.proposals != before.proposals and after.proposals != Proposals.BEFORE:
        n = reads.filter(state__in=OPEN, last_edit_number__gt=0, unaided_edit_number=None).count()
        if n and before.proposals == Proposals.BEFORE:
            found.append(
                ngettext(
                    "%(n)s open read was begun with proposals in sight, so it is not unaided.",
                    "%(n)s open reads were begun with proposals in sight, so they are not unaided.",
                    n,
                )
                % {"n": n}
            )
    wants = (after.readers_per_case, after.double_share)
    if begun and wants != (before.readers_per_case, before.double_share):
        found.append(
            gettext("Reads that are assigned stay. Cases that lack readers are filled up when you assign.")
        )
    if _rule(before) != _rule(after) and Submission.objects.filter(read__in=reads.values("pk")).exists():
        found.append(
            gettext("Cases that were read are judged by the new rule. What was adjudicated stays as it is.")
        )
    return found


def _rule(rules: Rules) -> tuple[object, ...]:
    return (
        rules.adjudication,
        rules.dice_below,
        rules.diameter_apart_mm,
        rules.unmatched_lesion,
        rules.category_differs,
    )
