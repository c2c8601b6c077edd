"""Pairs of measurements, ratios, and the file they go to."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One line. `ratio` is above 1 where Atlas is better: ours by peer for a throughput, peer by ours for a
    time. `ratios` are those of the single pairs: their spread is the machine's noise. `goal` is the ratio
    that the line must reach; 0 where it is only watched."""

    name: str
    ours: float
    peer: float
    ratio: float
    unit: str
    n: int
    note: str
    goal: float = 0.0
    ratios: Sequence[float] = ()

    @property
    def is_reached(self) -> bool:
        return self.ratio >= self.goal

    def sentence(self) -> str:
        spread = f" ({min(self.ratios):.2f} to {max(self.ratios):.2f})" if len(self.ratios) > 1 else ""
        goal = f", goal {self.goal:g}: {'reached' if self.is_reached else 'MISSED'}" if self.goal else ""
        return (
            f"{self.name:28} × {self.ratio:.2f}{spread}{goal}   "
            f"{self.ours:.4g} against {self.peer:.4g} {self.unit}, {self.note}"
        )


def pairs(
    name: str,
    ours: Callable[[int], float],
    peer: Callable[[int], float],
    *,
    n: int,
    unit: str,
    note: str,
    goal: float = 0.0,
    more_is_better: bool = True,
) -> Result:
    """Measure in turn, ours then peer, `n` times after one round that isn't counted. The functions get the
    number of the round, 0 first, and return one figure."""
    ours(0), peer(0)
    measured = [(ours(at), peer(at)) for at in range(1, n + 1)]
    return compared(name, measured, unit=unit, note=note, goal=goal, more_is_better=more_is_better)


def compared(
    name: str,
    measured: Sequence[tuple[float, float]],
    *,
    unit: str,
    note: str,
    goal: float = 0.0,
    more_is_better: bool = True,
) -> Result:
    """The line of figures that were measured in turn: (ours, peer's) of each round."""
    ratios = [a / b if more_is_better else b / a for a, b in measured]
    return Result(
        name,
        ours=statistics.median(a for a, _ in measured),
        peer=statistics.median(b for _, b in measured),
        ratio=statistics.median(ratios),
        unit=unit,
        n=len(measured),
        note=note,
        goal=goal,
        ratios=[round(ratio, 3) for ratio in ratios],
    )


def against_limit(name: str, ours: float, limit: float, *, unit: str, n: int, note: str) -> Result:
    """A line with a limit instead of a peer: less is better, and the ratio is limit by ours."""
    return Result(name, ours, limit, limit / ours, unit, n, note, goal=1.0)


def write(results: Sequence[Result]) -> None:
    """Put these lines into results.json; lines that were not measured now stay as they are."""
    known = {line["name"]: line for line in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    for result in results:
        line = asdict(result)
        known[result.name] = line | {key: _short(line[key]) for key in ("ours", "peer", "ratio")}
    RESULTS.write_text(json.dumps(list(known.values()), indent=1) + "\n")


def _short(figure: float) -> float:
    return float(f"{figure:.4g}")
