"""The figures of a project that take more than a count: agreement, drift, labels, progress and forecast.

`figures_of` works them out from the rows, all but the cases that are closed to who asks; `kept` keeps them.
People are primary keys here: names are put to them when they are shown.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from django.db.models import Count, Max, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotations.measures.agreement.resampling import alpha_and_interval
from annotations.measures.forecast import forecast
from annotations.models import Annotation, Case, Read
from annotations.reading.overview.comparisons import Compared, comparisons_of
from annotations.reading.overview.measures import median_of, of_label, of_questions
from annotations.reading.overview.people import pace_by_reader
from atlas.models import Project

MONTHS_SHOWN = 12
WORST_KEPT = 20
HANDED_IN = (Read.State.SUBMITTED, Read.State.RETURNED, Read.State.ACCEPTED)

type Figures = dict[str, Any]


def figures_of(project: Project, closed: Collection[int] = ()) -> Figures:
    """Everything as plain values that JSON holds. `closed`: cases (primary keys) that count nowhere."""
    rows = comparisons_of(project, closed)
    between = [row for row in rows if row.is_between_readers]
    marks = [row for row in between if row.label]
    return {
        "computed_at": timezone.now().isoformat(),
        "pairs": pairs(marks),
        "readers": readers(marks),
        "reference": with_reference([row for row in rows if row.reference is not None]),
        "labels": {label: of_label(found) for label, found in sorted(_by_label(marks).items())},
        "questions": of_questions(between),
        "worst": worst(marks),
        "alpha": _alpha(marks),
        "drift": drift(marks),
        "distribution": distribution(project, closed),
        "progress": progress(project, closed),
        "pace": pace_by_reader(_reads(project, closed)),
    }


def _by_label(rows: Iterable[Compared]) -> dict[str, list[Compared]]:
    found: dict[str, list[Compared]] = defaultdict(list)
    for row in rows:
        found[row.label].append(row)
    return found


def pairs(rows: Sequence[Compared]) -> list[dict[str, Any]]:
    """Every two readers with a case in common: median Dice and HD95 over labels, and how many cases."""
    by_pair: dict[tuple[int, int], list[Compared]] = defaultdict(list)
    for row in rows:
        one, other = sorted(side.reader for side in row.sides)
        by_pair[one, other].append(row)
    found = []
    for (one, other), mine in sorted(by_pair.items()):
        dice = [row.dice for row in mine if row.dice is not None]
        hd95_mm = [row.hd95_mm for row in mine if row.hd95_mm is not None]
        found.append(
            {
                "first": one,
                "second": other,
                "cases": len({row.case for row in mine}),
                "n": len(dice),
                "both_empty": sum(row.both_empty for row in mine),
                "dice": float(np.median(dice)) if dice else None,
                "hd95_mm": float(np.median(hd95_mm)) if hd95_mm else None,
            }
        )
    return found


def worst(rows: Sequence[Compared]) -> list[dict[str, Any]]:
    """The comparisons with the lowest Dice that nobody has adjudicated, one a case and label."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    left = [row for row in rows if row.dice is not None and not row.is_adjudicated]
    for row in sorted(left, key=lambda row: (row.dice, row.number)):
        if (row.case, row.label) in found:
            continue
        volumes = [side.volume_mm3 for side in row.sides]
        apart = None if None in volumes else (volumes[1] or 0.0) - (volumes[0] or 0.0)
        found[row.case, row.label] = {
            "number": row.number,
            "label": row.label,
            "readers": [side.reader for side in row.sides],
            "submissions": [side.submission for side in row.sides],
            "dice": row.dice,
            "hd95_mm": row.hd95_mm,
            "volume_apart_mm3": apart,
            "needs_adjudication": row.needs_adjudication,
        }
        if len(found) == WORST_KEPT:
            break
    return list(found.values())


def readers(rows: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """Of each reader, by primary key as text: median Dice with all others, and its interval."""
    found: dict[int, list[tuple[float, Any]]] = defaultdict(list)
    for row in rows:
        for side in row.sides if row.dice is not None else ():
            found[side.reader].append((row.dice or 0.0, row.subject))
    return {str(reader): median_of("dice", values) for reader, values in found.items()}


def with_reference(rows: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """Of each reader against reference standards, those of hidden references and training apart.

    `false_positives` and `missed` are lesions a case.
    """
    found: dict[int, dict[str, list[Compared]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.label:
            found[row.reader_side.reader][row.purpose].append(row)
    return {
        str(reader): {purpose: _against(mine) for purpose, mine in by_purpose.items()}
        for reader, by_purpose in found.items()
    }


def _against(rows: Sequence[Compared]) -> dict[str, Any]:
    cases = len({row.case for row in rows})
    extra = missed = 0
    for row in rows:
        names = ("first", "second")
        truth = names[row.reference or 0]
        own = names[1 - (row.reference or 0)]
        for lesion in row.lesions:
            extra += bool(lesion.get(own)) and not lesion.get(truth)
            missed += bool(lesion.get(truth)) and not lesion.get(own)
    matched, unmatched = sum(row.matched for row in rows), sum(row.unmatched for row in rows)
    return {
        "cases": cases,
        "dice": median_of("dice", ((row.dice, row.subject) for row in rows)),
        "hd95_mm": median_of("hd95_mm", ((row.hd95_mm, row.subject) for row in rows)),
        "f1": 2 * matched / (2 * matched + unmatched) if matched or unmatched else None,
        "both_empty": sum(row.both_empty for row in rows),
        "false_positives": extra / cases if any(row.lesions for row in rows) else None,
        "missed": missed / cases if any(row.lesions for row in rows) else None,
    }


def _alpha(rows: Sequence[Compared]) -> dict[str, Any]:
    """Krippendorff's alpha on whether a case has a label, over all labels."""
    said: dict[tuple[int, str], dict[int, bool]] = defaultdict(dict)
    subject = {}
    for row in rows:
        subject[row.case, row.label] = row.subject
        for side, has in zip(row.sides, row.marked, strict=True):
            if has is not None:
                said[row.case, row.label][side.read] = has
    counts = [[sum(not has for has in one.values()), sum(one.values())] for one in said.values()]
    value, between = alpha_and_interval(counts, [subject[key] for key in said])
    low, high = between or (None, None)
    return {"value": value, "low": low, "high": high, "n": len({case for case, _ in said})}


def drift(rows: Sequence[Compared]) -> list[dict[str, Any]]:
    """Dice month by month, of all and of each reader: the month in which the later of two was handed in."""
    months: dict[str, list[float]] = defaultdict(list)
    of_reader: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in rows:
        if row.dice is None:
            continue
        month = timezone.localtime(row.at).strftime("%Y-%m")
        months[month].append(row.dice)
        for side in row.sides:
            of_reader[month, side.reader].append(row.dice)
    found = []
    for month in sorted(months)[-MONTHS_SHOWN:]:
        low, middle, high = np.quantile(months[month], [0.25, 0.5, 0.75])
        found.append(
            {
                "month": month,
                "n": len(months[month]),
                "q1": float(low),
                "median": float(middle),
                "q3": float(high),
                "readers": {
                    str(reader): [float(np.median(values)), len(values)]
                    for (other, reader), values in of_reader.items()
                    if other == month
                },
            }
        )
    return found


def distribution(project: Project, closed: Collection[int]) -> list[dict[str, Any]]:
    """Of each label: marks in reads that were handed in, and in how many cases."""
    handed_in = _reads(project, closed).filter(state__in=HANDED_IN)
    marks = Annotation.objects.filter(read__in=handed_in.values("pk"), value__label__isnull=False)
    counted = (
        marks.exclude(value__kind="answer")
        .order_by()
        .annotate(label=KT("value__label"))
        .values("label")
        .annotate(marks=Count("pk"), cases=Count("read__case", distinct=True))
    )
    return sorted(
        ({"label": row["label"], "marks": row["marks"], "cases": row["cases"]} for row in counted),
        key=lambda row: -row["marks"],
    )


def progress(project: Project, closed: Collection[int]) -> dict[str, Any]:
    """How many cases were done by each week, what is due, and when the rest will be done."""
    total = Case.objects.filter(project=project).count()
    today = timezone.localdate()
    done = _done_on(project, closed)
    due = _reads(project, closed).filter(due__isnull=False).aggregate(last=Max("due"))["last"]
    found: dict[str, Any] = {"total": total, "done": len(done), "due": due and due.isoformat(), "weeks": []}
    if not done:
        return found
    # The first day is that on which the first read was handed out, or the first case done.
    started = _reads(project, closed).order_by("assigned_at").values_list("assigned_at", flat=True).first()
    first = min(timezone.localtime(started).date() if started else done[0], done[0])
    monday = first - datetime.timedelta(days=first.weekday())
    this_monday = today - datetime.timedelta(days=today.weekday())
    count = (this_monday - monday).days // 7 + 1
    a_week = Counter((day - monday).days // 7 for day in done)
    upto = 0
    found["weeks"].append({"day": first.isoformat(), "done": 0})
    for week in range(count):
        upto += a_week[week]
        end = min(monday + datetime.timedelta(days=7 * week + 6), today)
        if end > first:
            found["weeks"].append({"day": end.isoformat(), "done": upto})
    told = forecast([a_week[week] for week in range(count - 1)], total - len(done), today)
    if told is not None:
        found["forecast"] = {
            "day": told.day.isoformat(),
            "earliest": told.earliest.isoformat(),
            "latest": told.latest.isoformat(),
            "a_week": told.a_week,
        }
        if due is not None:
            found["late"] = [(day - due).days for day in (told.day, told.earliest, told.latest)]
    return found


def _done_on(project: Project, closed: Collection[int]) -> list[datetime.date]:
    """The days on which cases were done, in order: with a reference standard, or all reads accepted."""
    reads = _reads(project, closed)
    still_open = reads.exclude(state=Read.State.ACCEPTED)
    done = (
        Case.objects.filter(project=project, needs_adjudication=False)
        .filter(pk__in=reads.values("case"))
        .exclude(pk__in=still_open.values("case"))
        .exclude(pk__in=list(closed))
    )
    days = done.order_by().annotate(
        at=Coalesce(Max("reads__changed_at"), "compared_at"), since=Max("reference__since")
    )
    hidden = Case.Purpose.HIDDEN_REFERENCE, Case.Purpose.TRAINING
    return sorted(
        timezone.localtime(at if purpose in hidden else since or at).date()
        for purpose, at, since in days.values_list("purpose", "at", "since")
    )


def _reads(project: Project, closed: Collection[int]) -> QuerySet[Read]:
    reads = Read.objects.filter(case__project=project, kind=Read.Kind.READ).exclude(
        state=Read.State.SET_ASIDE
    )
    return reads.exclude(case__in=closed) if closed else reads
