"""The facts of the standard that de-identification goes by, read from `tables/`.

`attributes.csv` is table E.1-1 of PS3.15, every column, in its edition of January 2025 (2025a), with the rows
that were added until 2026c (of those only the basic profile's column). `required.csv` says where an attribute
with several actions is of type 1 or 2 (PS3.3). `safe_private.csv` is table E.3.10-1 of PS3.15 without pixel
data. scripts/make_deidentification_tables.py makes the first two.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

EDITION = "2025a, with rows added until 2026c"


@dataclass(frozen=True, slots=True)
class Row:
    """`basic` is the Basic Profile's action, such as "X/Z/D"; `options` those of options by their key."""

    basic: str
    options: dict[str, str]


def _lines(name: str) -> Iterator[dict[str, str]]:
    return csv.DictReader((files(__package__) / "tables" / name).read_text("ascii").splitlines())


@cache
def attributes() -> dict[int, Row]:
    """Tag → row. Curves and overlays, whose groups repeat, have none here: they are dealt with as a whole."""
    found = {}
    for line in _lines("attributes.csv"):
        tag, basic = line.pop("tag"), line.pop("basic")
        line.pop("edition")
        if "X" not in tag:
            found[int(tag, 16)] = Row(basic, {option: action for option, action in line.items() if action})
    return found


@cache
def required() -> tuple[dict[str, dict[int, str]], dict[tuple[int, int], str]]:
    """Where an attribute with several actions is of type 1 or 2: by SOP class for the data set itself, by
    (sequence, attribute) for what lies in sequences."""
    by_class: dict[str, dict[int, str]] = {}
    nested: dict[tuple[int, int], str] = {}
    for line in _lines("required.csv"):
        tag = int(line["tag"], 16)
        if line["where"]:
            nested[int(line["where"], 16), tag] = line["type"]
        for sop_class in line["sop_classes"].split():
            by_class.setdefault(sop_class, {})[tag] = line["type"]
    return by_class, nested


@cache
def safe_private() -> frozenset[tuple[str, int, int]]:
    """(private creator, group, the element's last byte) of private attributes that hold no identity."""
    return frozenset(
        (line["creator"], int(line["group"], 16), int(element, 16))
        for line in _lines("safe_private.csv")
        for element in line["elements"].split()
    )


@cache
def words() -> frozenset[str]:
    """Words, in small letters, that occur in the names of coded concepts of imaging and anatomy.

    They are taken from pydicom's dictionary of the codes of DICOM PS3.16; eponyms are left out.
    """
    return frozenset((files(__package__) / "tables" / "words.txt").read_text("ascii").split())
