"""The parts of a release's split on its page: what each holds, for whom."""

from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Aggregate, Count, FloatField, QuerySet
from django.utils.translation import gettext, gettext_lazy

from annotations.cohort import splits
from annotations.models import LabelFact, MarkFact, Release, ReleaseCase, ReleaseRead, Submission

LABELS_MOST = 6
"""Those that most subjects show; the data card has them all."""

PARTS = {
    "train": gettext_lazy("train"),
    "validation": gettext_lazy("validation"),
    "test": gettext_lazy("test"),
}
NOT_SAID = "–"

type Place = tuple[str, int | None]


@dataclass(frozen=True)
class Row:
    words: str
    values: list[str]


@dataclass(frozen=True)
class Table:
    """A column a part, a row a fact. `bar`: the parts with their subjects."""

    about: str
    parts: list[str]
    bar: list[tuple[str, int]]
    rows: list[Row]
    sequestered: str
    seed: str


class _Median(Aggregate):
    """PERCENTILE_CONT of PostgreSQL: between the two in the middle of an even number, halfway."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def part_name(part: str, fold: int | None) -> str:
    """ "train", "fold 2" (folds are counted from 1 on pages), "test"."""
    if fold is not None:
        return gettext("fold %(number)d") % {"number": fold + 1}
    return str(PARTS.get(part, gettext("not parted")))


def short_name(part: str, fold: int | None) -> str:
    """What fits into a bar."""
    if fold is not None:
        return str(fold + 1)
    return gettext("val") if part == splits.VALIDATION else part_name(part, fold)


def references_of(release: Release, *, with_sequestered: bool) -> QuerySet[Submission]:
    """The submissions that say what the release's cases show. Who may not have the marks of the test part
    learns nothing of them in numbers, either."""
    reads = ReleaseRead.objects.filter(
        release_case__release=release, release_case__withdrawn_at=None, is_reference=True
    )
    if release.sequestered != Release.Sequestered.NOTHING and not with_sequestered:
        reads = reads.exclude(release_case__part=splits.TEST)
    return Submission.objects.filter(pk__in=reads.values("submission"))


def table_of(release: Release, *, manages: bool) -> Table | None:
    """None where it isn't parted. A fixed number of queries."""
    if not release.split:
        return None
    design = splits.from_json(release.split)
    cases = ReleaseCase.objects.filter(release=release, withdrawn_at=None).order_by()
    counted = {
        (part, fold): (subjects, n)
        for part, fold, subjects, n in cases.values_list("part", "fold").annotate(
            subjects=Count("case__subject", distinct=True), n=Count("pk")
        )
    }
    places = sorted(counted, key=_order)
    hidden = {
        place
        for place in places
        if place[0] == splits.TEST and release.sequestered != Release.Sequestered.NOTHING and not manages
    }
    rows = [
        Row(gettext("Subjects"), [intcomma(counted[place][0]) for place in places]),
        Row(gettext("Cases"), [intcomma(counted[place][1]) for place in places]),
        *_marks(release, places, hidden, {place: counted[place][0] for place in places}),
        _hospitals(cases, places, design),
    ]
    return Table(
        about=_about(design),
        parts=[part_name(*place) for place in places],
        bar=[(short_name(*place), counted[place][0]) for place in places],
        rows=rows,
        sequestered=_sequestered(release),
        seed=design.seed,
    )


def _order(place: Place) -> tuple[int, int]:
    part, fold = place
    return (list(PARTS).index(part) if part in PARTS else len(PARTS), fold if fold is not None else -1)


def _about(design: splits.Design) -> str:
    words = {"site": gettext("hospital"), "label": gettext("label")}
    said = gettext("by subject")
    if design.stratify:
        by = [words[one] for one in design.stratify]
        said = gettext("by subject, evenly by %(strata)s") % {"strata": gettext(" and ").join(by)}
    return said + (gettext("; test from other hospitals") if design.held_out_sites else "")


def _marks(
    release: Release, places: list[Place], hidden: set[Place], subjects: dict[Place, int]
) -> list[Row]:
    """Lesions, their median volume, and the share of subjects that show each label."""
    at = "submission__release_reads__release_case"
    references = references_of(release, with_sequestered=True).values("pk")
    own = {
        f"{at}__release": release,
        f"{at}__withdrawn_at": None,
        "submission__release_reads__is_reference": True,
    }
    marks = MarkFact.objects.filter(**own, submission__in=references, state="present").order_by()
    by_part = {
        (part, fold): (n, median)
        for part, fold, n, median in marks.filter(kind="segment")
        .values_list(f"{at}__part", f"{at}__fold")
        .annotate(n=Count("pk"), median=_Median("volume_ml"))
    }
    if not by_part and not LabelFact.objects.filter(submission__in=references).exists():
        return []  # they are worked out by a job, and aren't yet

    def said(value: dict[Place, str]) -> list[str]:
        return [NOT_SAID if place in hidden else value.get(place, "0") for place in places]

    volumes = {place: _ml(median) for place, (_, median) in by_part.items()}
    rows = [
        Row(gettext("Outlined lesions"), said({place: intcomma(n) for place, (n, _) in by_part.items()})),
        Row(gettext("Median volume"), said({place: volumes.get(place, NOT_SAID) for place in places})),
    ]
    present = (
        LabelFact.objects.filter(**own, submission__in=references, state="present")
        .order_by()
        .values_list("label", f"{at}__part", f"{at}__fold")
        .annotate(n=Count(f"{at}__case__subject", distinct=True))
    )
    labels: dict[str, dict[Place, int]] = {}
    for label, part, fold, n in present:
        labels.setdefault(label, {})[part, fold] = n
    names = _names(release)
    often = sorted(labels, key=lambda label: (-sum(labels[label].values()), label))[:LABELS_MOST]
    for label in often:
        shares = {place: _share(labels[label].get(place, 0), subjects[place]) for place in places}
        rows.append(
            Row(gettext("Subjects with %(label)s") % {"label": names.get(label, label)}, said(shares))
        )
    return rows


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}\N{NO-BREAK SPACE}%" if whole else NOT_SAID


def _ml(volume: float | None) -> str:
    if volume is None:
        return NOT_SAID
    return f"{volume:.2g}\N{NO-BREAK SPACE}mL" if volume < 10 else f"{volume:,.0f}\N{NO-BREAK SPACE}mL"


def _names(release: Release) -> dict[str, str]:
    """The names of labels by key, as the newest schema of the release has them."""
    from annotations.cohort.policies import schemas_of

    return {label["key"]: label["name"] for schema in schemas_of(release) for label in schema.labels}


def _hospitals(cases: QuerySet[ReleaseCase], places: list[Place], design: splits.Design) -> Row:
    found = {
        (part, fold): n
        for part, fold, n in cases.values_list("part", "fold").annotate(
            n=Count("case__subject__organisation", distinct=True)
        )
    }
    held_out = len(design.held_out_sites)
    values = []
    for place in places:
        said: Any = intcomma(found.get(place, 0))
        if place[0] == splits.TEST and held_out:
            told = {"hospitals": said, "held_out": held_out}
            is_all = found.get(place, 0) == held_out
            said = (
                gettext("%(hospitals)s, held out") % told
                if is_all
                else gettext("%(hospitals)s, %(held_out)d of them held out") % told
            )
        values.append(said)
    return Row(gettext("Hospitals"), values)


def _sequestered(release: Release) -> str:
    words = {
        Release.Sequestered.NOTHING: gettext("Nothing is sequestered: all parts can be downloaded."),
        Release.Sequestered.MARKS: gettext(
            "The marks of the test part are sequestered: scientists get its images, and are scored on it."
        ),
        Release.Sequestered.ALL: gettext(
            "The test part is sequestered: scientists get neither its images nor its marks, and are scored "
            "on it."
        ),
    }
    return words[Release.Sequestered(release.sequestered)]
