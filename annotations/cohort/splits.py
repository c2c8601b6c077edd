"""Parts of a release: which subjects a model learns from, which choose it, and which judge it.

Pure: it knows subjects by name, nothing of the database. Whole subjects go to one part, so that no image of
somebody seen in training is in the test. Within every stratum each part gets its share to within one subject,
also after a release has grown: subjects placed before stay where they are.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple

TRAIN, VALIDATION, TEST = "train", "validation", "test"
KINDS = {"parts": "Train, validation and test", "folds": "Folds"}
STRATIFY = ("site", "label")
FOLDS_MAX = 20
SEED_LENGTH_MAX = 100
STRATUM_LENGTH_MAX = 200


class SplitError(ValueError):
    """A design that can't be carried out; it says why."""


@dataclass(frozen=True)
class Stratum:
    """What is alike about subjects that are shared out evenly. `labels`: keys of those present."""

    site: str = ""
    labels: tuple[str, ...] = ()


class Placed(NamedTuple):
    """Where a subject is. Of folds it is the one that validates when the others train; the test has none."""

    part: str
    fold: int | None = None


NOWHERE = Placed("")
"""Where subjects of a release without a split are."""


@dataclass(frozen=True)
class Design:
    """How subjects are shared out: shares in percent of the subjects, or a number of folds.

    With folds, `test` is the share held out of all of them and `train` and `validation` are 0. Subjects of
    `held_out_sites` are in the test and nowhere else, on top of its share of the others.
    """

    kind: str = "parts"
    train: int = 70
    validation: int = 15
    test: int = 15
    folds: int = 0
    seed: str = "1"
    stratify: tuple[str, ...] = STRATIFY
    held_out_sites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises SplitError."""
        shares = (self.train, self.validation, self.test)
        if self.kind not in KINDS:
            raise SplitError(f"A split is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if any(not isinstance(share, int) or isinstance(share, bool) for share in (*shares, self.folds)):
            raise SplitError("Shares and folds are whole numbers.")
        if not all(0 <= share <= 100 for share in shares):
            raise SplitError("A share is between 0 and 100 percent.")
        if self.kind == "parts" and sum(shares) != 100:
            raise SplitError(f"Train, validation and test make {sum(shares)} percent together, not 100.")
        if self.kind == "parts" and self.folds:
            raise SplitError("Shares of train and validation have no folds; choose one or the other.")
        if self.kind == "folds" and not 2 <= self.folds <= FOLDS_MAX:
            raise SplitError(f"There are between 2 and {FOLDS_MAX} folds, not {self.folds}.")
        if self.kind == "folds" and (self.train or self.validation):
            raise SplitError("Folds train and validate in turn, so train and validation have no share: 0.")
        if self.kind == "folds" and self.test == 100:
            raise SplitError("A test of 100 percent leaves nothing for the folds.")
        if unknown := sorted(set(self.stratify) - set(STRATIFY)):
            raise SplitError(f"Subjects are stratified by {' and '.join(STRATIFY)}, not by {unknown[0]!r}.")
        if not self.seed or len(self.seed) > SEED_LENGTH_MAX:
            raise SplitError(f"The seed has between 1 and {SEED_LENGTH_MAX} characters.")
        for name in ("stratify", "held_out_sites"):  # their order means nothing
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))

    def stratum_of(self, stratum: Stratum) -> str:
        """The name of the stratum that counts in this design: “nordhain · node+tumour”."""
        names = [stratum.site] if "site" in self.stratify else []
        if "label" in self.stratify:
            names.append("+".join(sorted(stratum.labels)) or "nothing present")
        name = " · ".join(names)
        if len(name) <= STRATUM_LENGTH_MAX:
            return name
        return f"{name[: STRATUM_LENGTH_MAX - 9]}…{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    @property
    def has_test(self) -> bool:
        return self.test > 0 or bool(self.held_out_sites)

    @property
    def places(self) -> dict[Placed, int]:
        """Every place that has a share, with its weight; the weights' sum is the whole."""
        if self.kind == "parts":
            shares = {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}
            return {Placed(part): share for part, share in shares.items() if share}
        folds = {Placed(TRAIN, fold): 100 - self.test for fold in range(self.folds)}
        return folds | ({Placed(TEST): self.test * self.folds} if self.test else {})


def as_json(design: Design) -> dict[str, Any]:
    """As `Release.split` keeps it."""
    return asdict(design) | {"stratify": list(design.stratify), "held_out_sites": list(design.held_out_sites)}


def from_json(value: Any) -> Design:
    """Raises SplitError for what `as_json` would not have written, also for fields it doesn't know."""
    if not isinstance(value, dict):
        raise SplitError("A split is an object with kind, shares, seed and strata.")
    known = set(Design.__dataclass_fields__)
    if unknown := sorted(set(value) - known):
        raise SplitError(f"A split has no field {unknown[0]!r}; it has {', '.join(sorted(known))}.")
    for name in ("stratify", "held_out_sites"):
        if not _is_texts(value.get(name, [])):
            raise SplitError(f"{name} is a list of texts.")
    for name in ("kind", "seed"):
        if not isinstance(value.get(name, ""), str):
            raise SplitError(f"{name} is a text.")
    lists = {name: tuple(value[name]) for name in ("stratify", "held_out_sites") if name in value}
    return Design(**value | lists)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


# Placing subjects ---------------------------------------------------------------------------------------


def assign(
    subjects: Mapping[str, Stratum], frozen: Mapping[str, Placed], design: Design
) -> dict[str, Placed]:
    """The place of every subject. Those in `frozen` keep theirs; the order of the subjects means nothing.

    Each stratum's places are filled up to their shares of it, rounded down, and what is left over goes where
    the whole release lacks most. New subjects come to their places in the order of the seed's hash.
    """
    placed = {name: frozen[name] for name in subjects if name in frozen}
    strata: dict[str, list[str]] = {}
    for name, stratum in subjects.items():
        if stratum.site in design.held_out_sites:
            placed[name] = Placed(TEST)
        else:
            strata.setdefault(design.stratum_of(stratum), []).append(name)
    plans = [
        _Plan(strata[name], placed, design) for name in sorted(strata, key=partial(_digest, design.seed))
    ]
    _give_the_rest(plans, design)
    for plan in plans:
        new = sorted((name for name in plan.names if name not in placed), key=partial(_digest, design.seed))
        seats = [place for place in plan.seats for _ in range(plan.seats[place] - plan.held[place])]
        placed |= zip(new, seats, strict=True)
    return placed


def _digest(seed: str, name: str) -> bytes:
    """An order that looks random and is the same wherever it is worked out."""
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()


class _Plan:
    """One stratum: how many of its subjects each place holds already, and how many it shall hold."""

    def __init__(self, names: list[str], placed: Mapping[str, Placed], design: Design) -> None:
        whole = sum(design.places.values())
        self.names = names
        self.held = Counter(placed[name] for name in names if name in placed)
        self.seats = Counter(self.held)
        self.share = {place: len(names) * weight for place, weight in design.places.items()}  # times `whole`
        self.left = len(names) - self.held.total()
        floors = {place: share // whole for place, share in self.share.items()}
        # What is furthest below its share comes first: not all can be filled where releases before, of which
        # subjects have left since, gave others more.
        while self.left and (
            lacking := {p: n - self.seats[p] for p, n in floors.items() if n > self.seats[p]}
        ):
            self.give(max(lacking, key=lambda place: lacking[place]))

    def give(self, place: Placed) -> None:
        self.seats[place] += 1
        self.left -= 1


def _give_the_rest(plans: list[_Plan], design: Design) -> None:
    """What rounding down left over goes, stratum by stratum, where the strata up to it lack most."""
    whole = sum(design.places.values())
    lacking = dict.fromkeys(design.places, 0)  # times `whole`, to stay exact
    for plan in plans:
        for place, share in plan.share.items():
            lacking[place] += share - plan.seats[place] * whole
        while plan.left:
            below = [place for place, share in plan.share.items() if plan.seats[place] * whole < share]
            place = max(below or plan.share, key=lambda one: lacking[one])
            plan.give(place)
            lacking[place] -= whole
