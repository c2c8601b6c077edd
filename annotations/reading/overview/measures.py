"""All measures of agreement of a project's comparisons, each with how many it rests on and an interval."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from annotations.measures.agreement import raters
from annotations.measures.agreement.raters import Level
from annotations.measures.agreement.resampling import (
    Draws,
    alpha_and_interval,
    median_interval,
    ratio_interval,
)
from annotations.reading.overview.comparisons import Compared

DRAWS_OF_SLOW_ONES = 300
POINTS_MOST = 1500
"""Of a plot: more are drawn evenly from all."""

type Numbers = dict[str, Any]
type _Unit = tuple[int, str]


def measure(
    key: str, value: float | None, n: int, between: tuple[float, float] | None = None, **more: Any
) -> Numbers:
    low, high = between or (None, None)
    return {"key": key, "value": value, "low": low, "high": high, "n": n} | more


def median_of(key: str, values_by_subject: Iterable[tuple[float | None, Hashable]], **more: Any) -> Numbers:
    """The median of (value, subject); those without a value don't count."""
    pairs = [(value, subject) for value, subject in values_by_subject if value is not None]
    values, subjects = [value for value, _ in pairs], [subject for _, subject in pairs]
    middle = float(np.median(values)) if values else None
    return measure(key, middle, len(values), median_interval(values, subjects) if values else None, **more)


def _ratio_of(key: str, parts: Sequence[tuple[float, float, Hashable]], **more: Any) -> Numbers:
    above, below, subjects = zip(*parts, strict=True) if parts else ((), (), ())
    value = sum(above) / sum(below) if sum(below) else None
    between = ratio_interval(above, below, subjects) if value is not None else None
    return measure(key, value, len(parts), between, **more)


def of_label(rows: Sequence[Compared]) -> dict[str, Any]:
    """Masks, lesions, diameters and presence, of the comparisons of two readers for one label."""
    marked = [row for row in rows if not row.both_empty and not row.not_compared]
    return {
        "cases": len({row.case for row in rows}),
        "comparisons": len(rows),
        "both_empty": sum(row.both_empty for row in rows),
        "not_compared": sum(row.not_compared for row in rows),
        "measures": [*_of_masks(marked), *_of_lesions(marked), *_of_presence(rows)],
        "diameters": _diameter_points(marked),
    }


def _of_masks(rows: Sequence[Compared]) -> list[Numbers]:
    found = []
    for key in ("dice", "surface_dice", "hd95_mm"):
        pairs = [(value, row.subject) for row in rows if (value := getattr(row, key)) is not None]
        found.append(median_of(key, pairs, missing=len(rows) - len(pairs)))
    volumes = []
    for row in rows:
        first, second = (side.volume_mm3 for side in row.sides)
        if first and second:
            volumes.append((first, second, row.subject))
    apart = [(abs(a - b) / ((a + b) / 2), subject) for a, b, subject in volumes]
    found.append(median_of("volume_apart", apart, missing=len(rows) - len(apart)))
    return found + _two_raters("volume", [(a / 1000, b / 1000, subject) for a, b, subject in volumes])


def _of_lesions(rows: Sequence[Compared]) -> list[Numbers]:
    parts = [(2 * row.matched, 2 * row.matched + row.unmatched, row.subject) for row in rows]
    f1 = _ratio_of("lesion_f1", [part for part in parts if part[1]])
    found = [f1 | {"n": sum(row.matched * 2 + row.unmatched for row in rows)}]
    diameters = _diameters(rows)
    apart = [(abs(a - b), subject) for a, b, subject, _ in diameters]
    found.append(median_of("diameter_apart_mm", apart))
    return found + _two_raters("diameter", [one[:3] for one in diameters])


def _two_raters(of: str, numbers: Sequence[tuple[float, float, Hashable]]) -> list[Numbers]:
    """Bland-Altman and ICC(2,1) of what two readers measured: (first, second, subject)."""
    if not numbers:
        return [measure(f"{of}_bland_altman", None, 0), measure(f"{of}_icc", None, 0)]
    table = np.array([one[:2] for one in numbers], dtype=np.float64)
    subjects = [one[2] for one in numbers]
    limits = raters.bland_altman(table[:, 0], table[:, 1])
    between = ratio_interval(table[:, 1] - table[:, 0], np.ones(len(table)), subjects)
    draws = Draws(subjects, draws=DRAWS_OF_SLOW_ONES)
    icc = draws.interval(lambda weights: raters.icc_2_1(np.repeat(table, weights.astype(np.intp), axis=0)))
    bias = measure(
        f"{of}_bland_altman",
        limits.bias if limits else None,
        len(table),
        between,
        limits=[limits.low, limits.high] if limits else [None, None],
    )
    return [bias, measure(f"{of}_icc", raters.icc_2_1(table), len(table), icc)]


def _diameters(rows: Iterable[Compared]) -> list[tuple[float, float, Hashable, int]]:
    """(first, second, subject, case number) of each lesion that both measured."""
    found: list[tuple[float, float, Hashable, int]] = []
    for row in rows:
        for lesion in row.lesions:
            first, second = ((lesion.get(side) or {}).get("longest_mm") for side in ("first", "second"))
            if first is not None and second is not None:
                found.append((first, second, row.subject, row.number))
    return found


def _diameter_points(rows: Sequence[Compared]) -> list[list[float]]:
    """[mean, second - first, case number], for a plot."""
    points = [[round((a + b) / 2, 2), round(b - a, 2), number] for a, b, _, number in _diameters(rows)]
    return points[:: max(1, -(-len(points) // POINTS_MOST))]


def _of_presence(rows: Sequence[Compared]) -> list[Numbers]:
    """Whether a case has the label at all: said by each reader once."""
    said: dict[int, dict[int, bool]] = defaultdict(dict)
    subject_of = {}
    for row in rows:
        subject_of[row.case] = row.subject
        for side, has in zip(row.sides, row.marked, strict=True):
            if has is not None:
                said[row.case][side.read] = has
    ratings = {case: list(by_read.values()) for case, by_read in said.items()}
    return _categories("presence", ratings, subject_of, [False, True], "nominal")


def of_questions(rows: Sequence[Compared]) -> list[dict[str, Any]]:
    """Each question that two readers answered. A subject of rating is what a question is about in a case: the
    case, a study, a series, or a lesion that two readers have."""
    said: dict[str, dict[_Unit, dict[int, Any]]] = defaultdict(lambda: defaultdict(dict))
    about: dict[str, dict[str, Any]] = {}
    subject_of: dict[_Unit, Hashable] = {}
    for row in rows:
        for answer in row.answers:
            if answer["question"].startswith("presence:"):
                continue  # counted with its label
            unit = (row.case, answer.get("about", ""))
            subject_of[unit] = row.subject
            about[answer["question"]] = answer
            for side, name in zip(row.sides, ("first", "second"), strict=True):
                if answer.get(name) is not None:
                    said[answer["question"]][unit][side.read] = answer[name]
    return [_of_question(about[key], by_unit, subject_of) for key, by_unit in sorted(said.items())]


def _of_question(
    answer: dict[str, Any], said: dict[_Unit, dict[int, Any]], subject_of: dict[_Unit, Hashable]
) -> dict[str, Any]:
    level = answer.get("level", "nominal")
    by_unit = {unit: list(by_read.values()) for unit, by_read in said.items()}
    numbers = [
        (float(two[0]), float(two[1]), subject_of[unit])
        for unit, two in by_unit.items()
        if len(two) == 2 and all(isinstance(one, int | float) for one in two)
    ]
    if level == "interval" and numbers:
        measures = _two_raters("answers", numbers)
    else:
        choices = [_said(choice) for choice in answer.get("choices") or []]
        ratings = {unit: [_said(one) for one in values] for unit, values in by_unit.items()}
        others = {one for values in ratings.values() for one in values} - set(choices)
        order: Level = "ordinal" if level == "ordinal" else "nominal"
        measures = _categories("answers", ratings, subject_of, [*choices, *sorted(others)], order)
    name = answer.get("name", answer["question"])
    return {"question": answer["question"], "name": name, "level": level, "measures": measures}


def _said(answer: Any) -> str:
    """One word for an answer: several choices are one answer, in whatever order they were ticked."""
    return json.dumps(sorted(answer) if isinstance(answer, list) else answer, sort_keys=True)


def _categories(
    of: str,
    ratings: Mapping[Any, list[Any]],
    subject_of: Mapping[Any, Hashable],
    choices: Sequence[Any],
    level: Level,
) -> list[Numbers]:
    """Krippendorff's alpha, Fleiss' kappa and Cohen's, of what readers said by case."""
    at = {choice: place for place, choice in enumerate(choices)}
    counts, subjects, pairs = [], [], []
    for case, said in ratings.items():
        if len(said) < 2:
            continue
        row = [0] * len(choices)
        for value in said:
            row[at[value]] += 1
        counts.append(row)
        subjects.append(subject_of[case])
        if len(said) == 2:
            pairs.append((said[0], said[1], subject_of[case]))
    alpha, between = alpha_and_interval(counts, subjects, level=level)
    found = [measure(f"{of}_alpha", alpha, len(counts), between)]
    sizes = Counter(sum(row) for row in counts)
    if not sizes:
        return found
    # Fleiss wants the same number of readers everywhere: of the number that occurs most.
    size = sizes.most_common(1)[0][0]
    even = [place for place, row in enumerate(counts) if sum(row) == size]
    table = np.array([counts[place] for place in even])
    fleiss = _slow(
        [subjects[place] for place in even],
        lambda weights: raters.fleiss_kappa(np.repeat(table, weights.astype(np.intp), axis=0)),
    )
    found.append(measure(f"{of}_fleiss", raters.fleiss_kappa(table), len(even), fleiss, readers=size))
    return found + _cohen(of, pairs, choices, level)


def _cohen(
    of: str, pairs: Sequence[tuple[Any, Any, Hashable]], choices: Sequence[Any], level: Level
) -> list[Numbers]:
    if not pairs:
        return []
    weights_of_kappa: raters.Weights = "quadratic" if level == "ordinal" else "none"
    # Two readers of a case are in no order: both orders count, so neither reader is the first.
    first = [at for pair in pairs for at in pair[:2]]
    second = [at for pair in pairs for at in (pair[1], pair[0])]

    at = {choice: place for place, choice in enumerate(choices)}
    cells = np.array([at[a] * len(at) + at[b] for a, b in zip(first, second, strict=True)], dtype=np.intp)
    apart = np.abs(np.subtract.outer(np.arange(len(at)), np.arange(len(at))))
    penalty = apart**2 if weights_of_kappa == "quadratic" else (apart > 0)

    def kappa(weights: Any) -> float | None:
        table = np.bincount(cells, weights=weights, minlength=len(at) ** 2).reshape(len(at), len(at))
        expected = (penalty * np.outer(table.sum(axis=1), table.sum(axis=0))).sum() / table.sum()
        return float(1 - (penalty * table).sum() / expected) if expected > 0 else None

    between = _slow([pair[2] for pair in pairs for _ in range(2)], kappa)
    value = raters.cohen_kappa(first, second, categories=choices, weights=weights_of_kappa)
    return [measure(f"{of}_kappa", value, len(pairs), between, weights=weights_of_kappa)]


def _slow(
    subjects: Sequence[Hashable], statistic: Callable[[Any], float | None]
) -> tuple[float, float] | None:
    return Draws(subjects, draws=DRAWS_OF_SLOW_ONES).interval(statistic)
