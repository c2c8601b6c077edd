"""What a lead chooses for a release, and which cases and submissions that gives now.

Freezing and its preview both ask here, so that what is seen is what is frozen.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_noop

from accounts.models import User
from annotations.cohort import facts, language, policies, splits
from annotations.cohort.formats import FORMATS
from annotations.cohort.language.expression import is_about_readings
from annotations.models import Case, LabelFact, Read, Recall, ReferenceStandard, Release, ReleaseCase
from annotations.reading.policies import cases_being_read_by
from atlas.models import Project

NOT_IN_COHORT = gettext_noop("are not in the cohort")
RECALLED = gettext_noop("were recalled")
FOR_READERS = gettext_noop("are hidden references or for training")
NO_READER = gettext_noop("have no reader")
WAIT_FOR_REVIEW = gettext_noop("wait for review")
WAIT_FOR_ADJUDICATION = gettext_noop("wait for adjudication")
BEING_READ = gettext_noop("are still being read")
NO_REFERENCE = gettext_noop("have several accepted reads and no reference standard")


@dataclass(frozen=True)
class Choice:
    """All that is chosen for a release. `query` is a cohort expression; None means every accepted case."""

    title: str = ""
    licence: str = ""
    purpose: str = ""
    agreement: str = ""
    citation: str = ""
    changelog: str = ""
    query: dict[str, Any] | None = None
    content: Release.Content = Release.Content.REFERENCE
    formats: tuple[str, ...] = field(default_factory=lambda: tuple(FORMATS))
    split: splits.Design | None = None
    sequestered: Release.Sequestered = Release.Sequestered.NOTHING

    def require_possible(self) -> None:
        """Raises ValidationError for what can't be carried out, whatever the project holds."""
        if unknown := sorted(set(self.formats) - set(FORMATS)):
            raise ValidationError(
                f"There is no format {unknown[0]!r}. A release is written as {', '.join(FORMATS)}."
            )
        if not self.formats:
            raise ValidationError("Choose at least one format.")
        if self.content not in Release.Content.values or self.sequestered not in Release.Sequestered.values:
            raise ValidationError("The content or what is sequestered is none of those to choose from.")
        if self.sequestered != Release.Sequestered.NOTHING and not (self.split and self.split.has_test):
            raise ValidationError(
                "Only a test part can be sequestered, and this split has none. Give the test a share, or "
                "hold out a site."
            )


@dataclass
class ChosenCase:
    """A case, and the submissions that stand for it; `reference` is one of these, if any."""

    pk: int
    number: int
    subject: int
    submissions: list[int] = field(default_factory=list)
    reference: int | None = None
    placed: splits.Placed = splits.NOWHERE
    stratum: str = ""


@dataclass(frozen=True)
class Chosen:
    """The cases of a release by number, and how many of the project's stay out, by reason."""

    cases: list[ChosenCase]
    in_project: int
    left_out: list[tuple[str, int]]


def choose(project: Project, by: User, choice: Choice) -> Chosen:
    """The cases, each with its submissions and its part. A fixed number of queries, however many cases.

    Raises ValidationError for a choice that can't be carried out. Of a case that `by` still reads nothing is
    told but that it is being read.
    """
    choice.require_possible()
    matching = _matching(project, by, choice)
    recalled = set(Recall.objects.filter(project=project).values_list("case_number", flat=True))
    cases: dict[int, ChosenCase] = {}
    acceptable = policies.acceptable_submissions(project, by, choice.content)
    for submission, case, number, subject in acceptable.values_list(
        "pk", "read__case", "read__case__number", "read__case__subject"
    ):
        if number not in recalled and (matching is None or case in matching):
            cases.setdefault(case, ChosenCase(case, number, subject)).submissions.append(submission)
    _set_references(project, cases.values())
    unsettled = set()
    if choice.content == Release.Content.REFERENCE:
        unsettled = {pk for pk, case in cases.items() if case.reference is None}
    kept = sorted((case for pk, case in cases.items() if pk not in unsettled), key=lambda case: case.number)
    if choice.split:
        _part(project, kept, choice.split)
    in_project, left_out = _left_out(project, by, {case.pk for case in kept}, matching, recalled, unsettled)
    return Chosen(kept, in_project, left_out)


def _matching(project: Project, by: User, choice: Choice) -> set[int] | None:
    """The cases of a cohort; None for all. Raises ValidationError also while what the reads say, by which
    cases are chosen or parted, is not worked out for all of them: that would be another cohort."""
    by_readings = choice.split is not None and "label" in choice.split.stratify
    matching = None
    if choice.query is not None:
        try:
            expression = language.parse(choice.query)
            found = language.cases_matching(project, expression, by)
        except language.CohortError as error:
            raise ValidationError(f"The cohort can't be found: {error}") from error
        matching = set(found.order_by().values_list("pk", flat=True))
        by_readings |= is_about_readings(expression)
    if by_readings and (waiting := facts.without_facts(project, by)):
        raise ValidationError(
            f"What {waiting} of the reads say is still being worked out, and cases are chosen or parted by "
            "it. Try again in a minute."
        )
    return matching


def _set_references(project: Project, cases: Iterable[ChosenCase]) -> None:
    standards = dict(
        ReferenceStandard.objects.filter(case__project=project).values_list("case", "submission")
    )
    for case in cases:
        standard = standards.get(case.pk)
        if standard in case.submissions:
            case.reference = standard
        elif standard is None and len(case.submissions) == 1:
            case.reference = case.submissions[0]


# Parts --------------------------------------------------------------------------------------------------


def _part(project: Project, cases: list[ChosenCase], design: splits.Design) -> None:
    """Set where each case is. A subject that an earlier release of the same design placed stays there.

    Raises ValidationError for a site to hold out that no subject of the project comes from.
    """
    _require_sites(project, design)
    labels = _labels_present(cases)
    whose = _pseudonyms_and_sites(project)
    by_subject: dict[int, list[ChosenCase]] = {}
    for case in cases:
        by_subject.setdefault(case.subject, []).append(case)
    strata: dict[str, splits.Stratum] = {}
    names: dict[int, str] = {}
    for subject, own in by_subject.items():
        pseudonym, site = whose[subject]
        names[subject] = f"{site}/{pseudonym}"
        present = {label for case in own for label in labels.get(case.pk, ())}
        strata[names[subject]] = splits.Stratum(site, tuple(sorted(present)))
    frozen = {
        names[subject]: place for subject, place in placed_before(project, design).items() if subject in names
    }
    placed = splits.assign(strata, frozen, design)
    for subject, own in by_subject.items():
        for case in own:
            case.placed = placed[names[subject]]
            case.stratum = design.stratum_of(strata[names[subject]])


def _pseudonyms_and_sites(project: Project) -> dict[int, tuple[str, str]]:
    """Of the project's subjects, by primary key."""
    rows = (
        Case.objects.filter(project=project)
        .order_by()
        .values_list("subject", "subject__pseudonym", "subject__organisation__slug")
    )
    return {subject: (pseudonym, site) for subject, pseudonym, site in rows.distinct()}


def _require_sites(project: Project, design: splits.Design) -> None:
    if not design.held_out_sites:
        return
    known = set(Case.objects.filter(project=project).values_list("subject__organisation__slug", flat=True))
    if unknown := sorted(set(design.held_out_sites) - known):
        raise ValidationError(
            f"No subject of this project comes from {unknown[0]!r}, so it can't be held out for the test. "
            f"They come from {', '.join(sorted(known))}."
        )


def placed_before(project: Project, design: splits.Design) -> dict[int, splits.Placed]:
    """Where releases of the same design put each subject, by its primary key; the newest counts."""
    releases = Release.objects.filter(project=project, split=splits.as_json(design))
    rows = ReleaseCase.objects.filter(
        release__in=releases.exclude(state=Release.State.CANCELLED), case__isnull=False
    ).order_by("release__number")
    return {
        subject: splits.Placed(part, fold)
        for subject, part, fold in rows.values_list("case__subject", "part", "fold")
    }


def _labels_present(cases: list[ChosenCase]) -> dict[int, set[str]]:
    """The labels that a case's reference shows, by its primary key; where it has none, any of its reads."""
    wanted = {
        submission: case.pk
        for case in cases
        for submission in ([case.reference] if case.reference else case.submissions)
    }
    found: dict[int, set[str]] = {}
    facts = LabelFact.objects.filter(submission__in=list(wanted), state="present")
    for submission, label in facts.values_list("submission", "label"):
        found.setdefault(wanted[submission], set()).add(label)
    return found


# What stays out -----------------------------------------------------------------------------------------


def _left_out(
    project: Project,
    by: User,
    kept: set[int],
    matching: set[int] | None,
    recalled: set[int],
    unsettled: set[int],
) -> tuple[int, list[tuple[str, int]]]:
    """How many cases the project has, and why how many stay out: each case has one reason."""
    reading = set(cases_being_read_by(by).filter(project=project).values_list("pk", flat=True))
    reads = Read.objects.filter(case__project=project).exclude(state=Read.State.SET_ASIDE).order_by()
    states = reads.values_list("case").annotate(handed_in=BoolOr(Q(state=Read.State.SUBMITTED)))
    handed_in = dict(states)  # of every case that has a reader
    counts: Counter[str] = Counter()
    cases = Case.objects.filter(project=project).order_by()
    rows = list(cases.values_list("pk", "number", "purpose", "needs_adjudication"))
    for pk, number, purpose, disputed in rows:
        if pk in kept:
            continue
        if number in recalled:
            counts[RECALLED] += 1
        elif pk in reading:
            counts[BEING_READ] += 1
        elif matching is not None and pk not in matching:
            counts[NOT_IN_COHORT] += 1
        elif pk in unsettled:
            counts[NO_REFERENCE] += 1
        elif purpose != Case.Purpose.ORDINARY:
            counts[FOR_READERS] += 1
        elif pk not in handed_in:
            counts[NO_READER] += 1
        elif disputed:
            counts[WAIT_FOR_ADJUDICATION] += 1
        elif handed_in[pk]:
            counts[WAIT_FOR_REVIEW] += 1
        else:
            counts[BEING_READ] += 1
    order = (
        NOT_IN_COHORT,
        RECALLED,
        FOR_READERS,
        NO_READER,
        BEING_READ,
        WAIT_FOR_REVIEW,
        WAIT_FOR_ADJUDICATION,
        NO_REFERENCE,
    )
    return len(rows), [(reason, counts[reason]) for reason in order if counts[reason]]
