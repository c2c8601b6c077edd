"""The facts of one dataset, read from the database. The number of queries doesn't depend on its size."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotations.cohort.language.fields import FINDINGS
from annotations.cohort.language.rows import CLINICAL, IS_IMAGE_SERIES
from annotations.models import (
    Case,
    Comparison,
    LabelFact,
    LabelSchema,
    MarkFact,
    Read,
    Recall,
    ReferenceStandard,
    Submission,
)
from atlas.clinical.codes import STAGE_SCHEME
from atlas.models import ClinicalFact, Dataset, Series, Study
from network.disclosure import MODULUS
from network.facts.columns import (
    LACKS,
    SUBJECTS,
    SUBMISSIONS,
    Array,
    Bits,
    Codes,
    Column,
    Facts,
    Numbers,
    Table,
)
from network.facts.keys import keys_of

CHUNK = 20_000

CODES, BITS, NUMBERS = "codes", "bits", "numbers"
COLUMNS: Mapping[str, Mapping[str, str]] = {
    SUBJECTS: {
        "subject.sex": CODES,
        "subject.site": CODES,
        "subject.age": NUMBERS,
        "case.time_points": NUMBERS,
        "since": NUMBERS,  # the month of its first study here: 12 × year + month - 1
        "labelled": CODES,
    },
    "study": {
        "study.position": NUMBERS,
        "study.days_since_first": NUMBERS,
        "study.interval": NUMBERS,
    },
    "series": {
        "series.modality": CODES,
        "series.body_part": CODES,
        "series.images": NUMBERS,
        "series.plane": CODES,
        "series.phases": NUMBERS,
        "series.finding": BITS,
        "series.manufacturer": CODES,
        "series.slice_thickness_mm": NUMBERS,
        "series.pixel_spacing_mm": NUMBERS,
    },
    "clinical": {
        "clinical.kind": CODES,
        **dict.fromkeys(CLINICAL, CODES),
        "clinical.days_since_first": NUMBERS,
    },
    SUBMISSIONS: {"is_reference": CODES},
    "mark": {
        "mark.code": CODES,
        "mark.kind": CODES,
        "mark.state": CODES,
        "mark.longest_mm": NUMBERS,
        "mark.shortest_mm": NUMBERS,
        "mark.volume_ml": NUMBERS,
        "mark.origin": CODES,
        "mark.modality": CODES,
    },
    "label": {
        "label.code": CODES,
        "label.state": CODES,
        "label.lesions": NUMBERS,
        "label.longest_mm": NUMBERS,
        "label.volume_ml": NUMBERS,
        "words": CODES,
    },
    "agreement": {
        "agreement.dice": NUMBERS,
        "agreement.surface_dice": NUMBERS,
        "agreement.hd95_mm": NUMBERS,
        "agreement.unmatched": NUMBERS,
        "agreement.disagrees": CODES,
    },
}
"""Of each level, the columns. Those with a point are fields of the cohort language."""

MAGNITUDES = ("studies", "series", "images")
"""What each subject has so many of."""
YES, NO = "yes", "no"
TWO_READERS, ONE_READER, MEASUREMENTS = "two_readers", "one_reader", "measurements"
"""How a subject is labelled: `labelled`."""


def build(dataset: Dataset, *, leaving_out: Iterable[str] = ()) -> Facts:
    """`leaving_out`: public ids of subjects who are here but are not counted. Raises KeyUnusable."""
    return _Builder(dataset, frozenset(leaving_out)).facts()


@dataclass
class _Builder:
    dataset: Dataset
    leaving_out: frozenset[str]
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    """By level: the owner, then the values in the order of COLUMNS."""
    place: dict[Any, int] = field(default_factory=dict)
    """By the primary key of a subject, where it stands."""
    things: list[tuple[int, str]] = field(default_factory=list)
    """What may be taken back: the place of the subject, and which of its things this is."""

    def facts(self) -> Facts:
        subjects = self._studies()
        self._series()
        self._clinical()
        self._marks()
        self._agreement()
        tables = {level: _table(level, self.rows[level]) for level in COLUMNS}
        return Facts(
            keys_of(subject["public_id"] for subject in subjects),
            self._digests(len(subjects)),
            {name: np.array([subject[name] for subject in subjects], np.int64) for name in MAGNITUDES},
            tables,
            things=np.array(
                [_number_of(f"{subjects[at]['public_id']} {thing}") for at, thing in self.things],
                np.uint64,
            ),
            things_of=np.array([at for at, _ in self.things], np.int32),
        )

    # Subjects and what they have -------------------------------------------------------------

    def _studies(self) -> list[dict[str, Any]]:
        shown = Series.objects.filter(IS_IMAGE_SERIES, study__dataset=self.dataset)
        found = (
            Study.objects.filter(pk__in=shown.values("study"))
            .order_by("subject__public_id", "date", "time", "pk")
            .values_list(
                "pk", "subject", "date", "age_years", "created_at",
                "subject__public_id", "subject__sex", "subject__organisation__slug",
            )
        )  # fmt: skip
        self.subjects: list[dict[str, Any]] = []
        self.subject_of: dict[Any, int] = {}
        for pk, subject, day, age, created, public_id, sex, site in found.iterator(CHUNK):
            if public_id in self.leaving_out:
                continue
            month = 12 * created.year + created.month - 1
            at = self.place.setdefault(subject, len(self.place))
            if at == len(self.subjects):
                self.subjects.append(
                    {"public_id": public_id, "sex": sex, "site": site, "age": age, "since": month}
                    | {"first": day, "last": None, "studies": 0, "series": 0, "images": 0}
                )
            own = self.subjects[at]
            own["since"] = min(own["since"], month)
            own["studies"] += 1
            self.subject_of[pk] = at
            self.rows["study"].append((at, own["studies"], _days(own["first"], day), _days(own["last"], day)))
            own["last"] = day
        return self.subjects

    def _series(self) -> None:
        found = (
            Series.objects.filter(IS_IMAGE_SERIES, study__dataset=self.dataset)
            .order_by()
            .values_list(
                "study", "modality", "body_part", "instance_count", "summary", "findings",
                "manufacturer", "slice_thickness_mm", "pixel_spacing_mm",
            )
        )  # fmt: skip
        for study, modality, body_part, images, summary, findings, *scanner in found.iterator(CHUNK):
            at = self.subject_of.get(study)
            if at is None:
                continue
            own = self.subjects[at]
            own["series"] += 1
            own["images"] += images
            plane = (summary or {}).get("plane")
            phases = None if summary is None else max(1, len(summary.get("phases") or ()))
            codes = tuple(sorted({finding["code"] for finding in findings})) if findings else ()
            self.rows["series"].append((at, modality, body_part, images, plane, phases, codes, *scanner))
        self.rows["series"].sort(key=lambda row: row[0])

    def _clinical(self) -> None:
        found = ClinicalFact.objects.filter(dataset=self.dataset).order_by("subject", "pk")
        rows = []
        of_kind: Counter[tuple[int, str]] = Counter()
        for subject, kind, name, code, day, precision in found.values_list(
            "subject", "kind", "name", "code", "starts_on", "starts_precision"
        ).iterator(CHUNK):
            if (at := self.place.get(subject)) is None:
                continue
            of_kind[at, kind] += 1
            self.things.append((at, f"{kind} {of_kind[at, kind]}"))  # one less: the last is there no more
            told = [
                (code if column == "code" else name).removeprefix(
                    f"{STAGE_SCHEME}:" if kind == "stage" else ""
                )
                if kind == wanted and named in ("", name)
                else LACKS
                for wanted, named, column in CLINICAL.values()
            ]
            days = _days(self.subjects[at]["first"], day) if precision == "day" else None
            rows.append((at, kind, *told, days))
        self.rows["clinical"] = sorted(rows, key=lambda row: row[0])

    # What readers said -----------------------------------------------------------------------

    def _marks(self) -> None:
        submissions = list(self._results())
        submissions.sort(key=lambda one: one[1])
        numbers = {pk: number for number, (pk, *_) in enumerate(submissions)}
        self.rows[SUBMISSIONS] = [
            (at, YES if of_reference else LACKS) for _, at, of_reference, _ in submissions
        ]
        of = Q(submission__in=list(numbers))
        marks = MarkFact.objects.filter(of, series__study__dataset=self.dataset).order_by("submission", "pk")
        self.rows["mark"] = _owned(
            numbers,
            marks.values_list(
                "submission", "code", "kind", "state", "longest_mm", "shortest_mm", "volume_ml", "origin",
                "series__modality",
            ),
        )  # fmt: skip
        labels = (
            LabelFact.objects.filter(of)
            .order_by("submission", "pk")
            .annotate(schema=F("submission__read__schema"))
        )
        words = _words_of(labels)
        self.rows["label"] = _owned(
            numbers,
            (
                (submission, code, state, lesions, longest, volume, words(schema, label))
                for submission, code, state, lesions, longest, volume, schema, label in labels.values_list(
                    "submission", "code", "state", "count", "longest_mm", "volume_ml", "schema", "label"
                )
            ),
        )
        self._labelled(submissions)

    def _cases(self) -> QuerySet[Case]:
        """Settled or not, but ordinary: what is hidden from readers is told to nobody."""
        return Case.objects.filter(
            ~Exists(Recall.objects.filter(case=OuterRef("pk"))),
            studies__dataset=self.dataset,
            purpose=Case.Purpose.ORDINARY,
        ).order_by()

    def _results(self) -> Iterator[tuple[int, int, bool, int]]:
        """(submission, place of its subject, whether it is a reference standard, readers of its case): what a
        release would hold of each case of each project."""
        cases = self._cases().values("pk")
        standards = dict(ReferenceStandard.objects.filter(case__in=cases).values_list("submission", "case"))
        settled = set(standards.values())
        found = (
            Submission.objects.filter(read__case__in=cases)
            .filter(Q(pk__in=list(standards)) | Q(read__state=Read.State.ACCEPTED, round=F("read__round")))
            .values_list(
                "pk", "read__case", "read__case__subject", "read__kind", "read__case__needs_adjudication"
            )
            .order_by("pk")
        )
        finished = (Read.State.SUBMITTED, Read.State.ACCEPTED)
        readers: dict[int, set[int]] = defaultdict(set)
        for case, reader in Read.objects.filter(
            case__in=cases, kind=Read.Kind.READ, state__in=finished
        ).values_list("case", "reader"):
            readers[case].add(reader)
        has_result: set[int] = set()
        for pk, case, subject, kind, disputed in found:
            is_reference = pk in standards
            if (at := self.place.get(subject)) is not None:
                if case not in has_result:  # disputed or not: only who recalls or reopens it takes it back
                    self.things.append((at, f"result of case {case}"))
                    has_result.add(case)
                if is_reference:
                    self.things.append((at, f"reference of case {case}"))
            is_result = is_reference or (case not in settled and kind == Read.Kind.READ and not disputed)
            if is_result and subject in self.place:
                yield pk, self.place[subject], is_reference, len(readers[case])

    def _labelled(self, submissions: list[tuple[int, int, bool, int]]) -> None:
        """How each subject is labelled at best, from the marks of its results."""
        drawn = {row[0] for row in self.rows["mark"] if row[2] == "segment"}
        marked = {row[0] for row in self.rows["mark"]}
        order = (LACKS, MEASUREMENTS, ONE_READER, TWO_READERS)
        best = dict.fromkeys(range(len(self.subjects)), LACKS)
        for number, (_, at, _, readers) in enumerate(submissions):
            how = LACKS
            if number in drawn:
                how = TWO_READERS if readers >= 2 else ONE_READER
            elif number in marked:
                how = MEASUREMENTS
            best[at] = max(best[at], how, key=order.index)
        self.rows[SUBJECTS] = [
            (at, own["sex"], own["site"], own["age"], own["studies"], own["since"], best[at])
            for at, own in enumerate(self.subjects)
        ]

    def _agreement(self) -> None:
        """Of reads that are settled, so that nobody who still reads learns of others."""
        found = Comparison.objects.filter(case__in=self._cases().values("pk"))
        settled = Q(case__reference__isnull=False) | Q(
            first__read__state=Read.State.ACCEPTED, second__read__state=Read.State.ACCEPTED
        )
        for side in ("first", "second"):
            found = found.filter(**{f"{side}__read__kind": Read.Kind.READ}).exclude(
                **{f"{side}__read__state": Read.State.SET_ASIDE}
            )
        rows = (
            found.filter(settled)
            .order_by("pk")
            .values_list("case__subject", "dice", "surface_dice", "hd95_mm", "unmatched", "disagrees")
        )
        kept = [
            (self.place[subject], *numbers, YES if disagrees else NO)
            for subject, *numbers, disagrees in rows
            if subject in self.place
        ]
        self.rows["agreement"] = sorted(kept, key=lambda row: row[0])

    def _digests(self, subjects: int) -> Array:
        """Of everything told of each subject, its images included; of when it came nothing."""
        found = [0] * subjects
        owner_of_submission = [row[0] for row in self.rows[SUBMISSIONS]]
        since = 1 + list(COLUMNS[SUBJECTS]).index("since")
        for level, rows in self.rows.items():
            is_marked = level in ("mark", "label")
            for row in rows:
                told = row[:since] + row[since + 1 :] if level == SUBJECTS else row
                at = owner_of_submission[row[0]] if is_marked else row[0]
                found[at] += _number_of(f"{level}{told[1:]}")  # a sum: rows have no order of their own
        return np.array([one % MODULUS for one in found], np.uint64)


def _number_of(text: str) -> int:
    """A digest below 2**64."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _days(first: date | None, day: date | None) -> int | None:
    return (day - first).days if first and day else None


def _owned(numbers: Mapping[int, int], rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows by submission, with its number instead of its primary key, in order."""
    return sorted(((numbers[pk], *values) for pk, *values in rows), key=lambda row: row[0])


def _words_of(labels: QuerySet[Any]) -> Callable[[int, str], str]:
    """The name that a label has in a version of its schema."""
    schemas = LabelSchema.objects.filter(pk__in=labels.order_by().values("schema"))
    named = {
        (pk, label["key"]): str(label["name"])
        for pk, found in schemas.values_list("pk", "labels")
        for label in found
    }
    return lambda schema, key: named.get((schema, key), key)


# Columns -----------------------------------------------------------------------------------------


def _table(level: str, rows: list[tuple[Any, ...]]) -> Table:
    names = COLUMNS[level]
    turned = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(names))
    columns = {
        key: _column(kind, values) for (key, kind), values in zip(names.items(), turned[1:], strict=True)
    }
    return Table(columns, np.array(turned[0], np.int32), np.array([0, len(rows)], np.int64))


def _column(kind: str, values: tuple[Any, ...]) -> Column:
    if kind == NUMBERS:
        return Numbers(np.array(values, np.float32))  # None becomes NaN
    if kind == BITS:
        order = tuple(FINDINGS)
        bits = {code: 1 << at for at, code in enumerate(order)}
        known: dict[Any, int] = {}
        for codes in set(values):
            known[codes] = sum(bits[code] for code in codes if code in bits)
        return Bits(np.array([known[codes] for codes in values], np.uint64), order)
    found = (LACKS, *sorted({str(value) for value in values if value}))
    place = {value: at for at, value in enumerate(found)} | {None: 0}
    return Codes(np.array([place[value] for value in values], np.uint16), found)


NO_FACTS = Facts(
    np.empty(0, np.uint64),
    np.empty(0, np.uint64),
    {name: np.empty(0, np.int64) for name in MAGNITUDES},
    {level: _table(level, []) for level in COLUMNS},
)
"""Of a dataset without subjects."""
