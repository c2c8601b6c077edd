"""Facts of datasets in columns: numpy arrays by level, and the file that holds those of one dataset.

Subjects stand in the order of their datasets, rows of every other level in the order of their subjects. So a
dataset, and a subject, is a run of rows, and several datasets are their columns one after the other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"ATLASFACTS1\n"
ALIGNED = 64
LACKS = ""
"""The value of those that have none: code 0 of every column of codes."""

type Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Codes:
    """One of several values a row: `codes` (uint16) are places in `values`, whose first is LACKS."""

    codes: Array
    values: tuple[str, ...]

    def code_of(self, value: str) -> int:
        """Raises ValueError for a value that nobody has."""
        return self.values.index(value)


@dataclass(frozen=True, slots=True)
class Bits:
    """Several of at most 64 values a row: bit n of `bits` (uint64) is values[n]."""

    bits: Array
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """float32, NaN where a row has none."""

    numbers: Array


type Column = Codes | Bits | Numbers


@dataclass(frozen=True)
class Table:
    """The rows of one level. `owner` (int32): the row of the table above that each belongs to, ascending.
    `begin` (int64, one more than there are datasets): where each dataset's rows begin."""

    columns: Mapping[str, Column]
    owner: Array
    begin: Array

    def __len__(self) -> int:
        return len(self.owner)

    @cached_property
    def runs(self) -> tuple[Array, Array]:
        """(owners that have rows, where the rows of each begin)."""
        starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        return self.owner[starts], starts


SUBJECTS = "case"
SUBMISSIONS = "submission"
"""Reads that are the result of a case; marks and labels belong to one, and it to a subject."""
ABOVE = {"mark": SUBMISSIONS, "label": SUBMISSIONS}
"""The level that a level's rows belong to, where it isn't the subject."""


@dataclass(frozen=True)
class Facts:
    """Of one dataset, or of several one after the other.

    `keys` (uint64): each subject's secret key; `digests` (uint64): of all facts of a subject; `magnitudes`:
    how many studies, series and images each has (int64). `things` (uint64): digests of what may be taken
    back, as the result of a case; `things_of` (int32): the subject of each. Only one dataset's has these.
    """

    keys: Array
    digests: Array
    magnitudes: Mapping[str, Array]
    tables: Mapping[str, Table]
    about: Mapping[str, Any] = field(default_factory=dict)
    things: Array = field(default_factory=lambda: np.empty(0, np.uint64))
    things_of: Array = field(default_factory=lambda: np.empty(0, np.int32))

    @property
    def begin(self) -> Array:
        """Where the subjects of each dataset begin."""
        return self.tables[SUBJECTS].begin

    @property
    def datasets(self) -> int:
        return len(self.begin) - 1

    @cached_property
    def dataset_of_subject(self) -> Array:
        return np.repeat(np.arange(self.datasets, dtype=np.int32), np.diff(self.begin))

    @cached_property
    def filled(self) -> tuple[Array, Array]:
        """(datasets that have subjects, where the subjects of each begin)."""
        datasets = np.flatnonzero(np.diff(self.begin))
        return datasets, self.begin[datasets]

    @cached_property
    def halves(self) -> tuple[Array, Array]:
        """The lower and the upper 32 bits of the keys: sums of so many are exact as floats."""
        low = (self.keys & np.uint64(0xFFFFFFFF)).astype(np.float64)
        return low, (self.keys >> np.uint64(32)).astype(np.float64)

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return sum(array.nbytes for array in _arrays(self).values())


# One dataset as a file ---------------------------------------------------------------------------


def written(facts: Facts) -> bytes:
    """The file of one dataset: a line of JSON, then the arrays as they lie in memory."""
    arrays = _arrays(facts)
    places, at = [], 0
    for name, array in arrays.items():
        places.append([name, array.dtype.str, len(array), at])
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    values = {
        f"{level}/{key}": list(column.values)
        for level, table in facts.tables.items()
        for key, column in table.columns.items()
        if not isinstance(column, Numbers)
    }
    head = json.dumps({"arrays": places, "values": values, "about": dict(facts.about)}, ensure_ascii=False)
    body = b"".join(array.tobytes() + bytes(-array.nbytes % ALIGNED) for array in arrays.values())
    return MAGIC + head.encode() + b"\n" + body


def read(data: bytes) -> Facts:
    """What `written` wrote; the arrays lie in `data`. Raises ValueError for anything else."""
    if not data.startswith(MAGIC):
        raise ValueError("This is no file of facts, or one of another version: publish the dataset anew.")
    end = data.index(b"\n", len(MAGIC))
    head, start = json.loads(data[len(MAGIC) : end]), end + 1
    arrays = {
        name: np.frombuffer(data, np.dtype(kind), length, start + offset)
        for name, kind, length, offset in head["arrays"]
    }
    tables: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        level, _, key = name.partition("/")
        if level not in (KEYS, DIGESTS, MAGNITUDES, THINGS, THINGS_OF):
            tables.setdefault(level, {})[key] = array
    return Facts(
        arrays[KEYS],
        arrays[DIGESTS],
        {name.partition("/")[2]: each for name, each in arrays.items() if name.startswith(f"{MAGNITUDES}/")},
        {level: _table(level, found, head["values"]) for level, found in tables.items()},
        head["about"],
        **{name: arrays[name] for name in (THINGS, THINGS_OF) if name in arrays},
    )


KEYS, DIGESTS, MAGNITUDES, THINGS, THINGS_OF = "keys", "digests", "magnitudes", "things", "things_of"


def _arrays(facts: Facts) -> dict[str, Array]:
    found = {KEYS: facts.keys, DIGESTS: facts.digests, THINGS: facts.things, THINGS_OF: facts.things_of}
    found |= {f"{MAGNITUDES}/{name}": array for name, array in facts.magnitudes.items()}
    for level, table in facts.tables.items():
        found[f"{level}/owner"] = table.owner
        for key, column in table.columns.items():
            found[f"{level}/{key}"] = _array(column)
    return found


def _array(column: Column) -> Array:
    match column:
        case Codes():
            return column.codes
        case Bits():
            return column.bits
    return column.numbers


def _table(level: str, arrays: dict[str, Array], values: dict[str, list[str]]) -> Table:
    owner = arrays.pop("owner")
    columns: dict[str, Column] = {}
    for key, array in arrays.items():
        if array.dtype == np.uint16:
            columns[key] = Codes(array, tuple(values[f"{level}/{key}"]))
        elif array.dtype == np.uint64:
            columns[key] = Bits(array, tuple(values[f"{level}/{key}"]))
        else:
            columns[key] = Numbers(array)
    return Table(columns, owner, np.array([0, len(owner)], np.int64))


# Several as one ----------------------------------------------------------------------------------


def stacked(parts: Sequence[Facts]) -> Facts:
    """Several datasets' facts, one after the other. All have the same levels and columns."""
    tables: dict[str, Table] = {}
    for level in (SUBJECTS, SUBMISSIONS, *(key for key in parts[0].tables)):
        if level not in tables:
            tables[level] = _stacked([part.tables[level] for part in parts], tables.get(_above(level)))
    return Facts(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.digests for part in parts]),
        {name: np.concatenate([part.magnitudes[name] for part in parts]) for name in parts[0].magnitudes},
        tables,
    )


def _above(level: str) -> str:
    return ABOVE.get(level, SUBJECTS)


def _stacked(parts: Sequence[Table], above: Table | None) -> Table:
    begin = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
    first = begin if above is None else above.begin
    owner = np.concatenate(
        [part.owner + np.int32(offset) for part, offset in zip(parts, first[:-1], strict=True)]
    )
    columns = {key: _joined([part.columns[key] for part in parts]) for key in parts[0].columns}
    return Table(columns, owner.astype(np.int32, copy=False), begin)


def _joined(parts: Sequence[Any]) -> Column:
    if isinstance(parts[0], Numbers):
        return Numbers(np.concatenate([part.numbers for part in parts]))
    values: dict[str, int] = {}
    for part in parts:
        for value in part.values:
            values.setdefault(value, len(values))
    if isinstance(parts[0], Codes):
        moved = [np.array([values[value] for value in part.values], np.uint16)[part.codes] for part in parts]
        return Codes(np.concatenate(moved), tuple(values))
    return Bits(np.concatenate([_moved(part, values) for part in parts]), tuple(values))


def _moved(part: Bits, values: dict[str, int]) -> Array:
    if [values[value] for value in part.values] == list(range(len(part.values))):
        return part.bits
    moved = np.zeros_like(part.bits)
    for at, value in enumerate(part.values):
        moved |= ((part.bits >> np.uint64(at)) & np.uint64(1)) << np.uint64(values[value])
    return moved
