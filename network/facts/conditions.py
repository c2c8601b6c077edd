"""One condition of the cohort language, held against a column: which rows fulfil it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from annotations.cohort.language.expression import Condition
from network.facts.columns import LACKS, Array, Bits, Codes, Numbers, Table


def holds(condition: Condition, table: Table) -> Array:
    """bool, one a row. What a row lacks fulfils nothing but “unknown”."""
    column = table.columns[condition.field]
    match column:
        case Codes():
            return _of_codes(condition, column)
        case Bits():
            return _of_bits(condition, column)
    return _of_numbers(condition, column)


def combined(masks: Sequence[Array], rows: int) -> Array:
    """Of each row, what all of them say: bit n is masks[n]."""
    kind: Any = np.uint8 if len(masks) <= 8 else np.uint16
    found: Any = masks[0].astype(kind) if masks else np.zeros(rows, kind)
    for at, mask in enumerate(masks[1:], start=1):
        found |= mask.view(np.uint8) << kind(at)
    return found


def _of_codes(condition: Condition, column: Codes) -> Array:
    codes = column.codes
    match condition.op:
        case "known":
            return codes != 0
        case "unknown":
            return codes == 0
    places = {value: at for at, value in enumerate(column.values) if value != LACKS}
    wanted = [places[word] for word in map(_word, condition.values) if word in places]
    if condition.op == "is_not":
        found = codes != 0
        return found & (codes != np.uint16(wanted[0])) if wanted else found
    if not wanted:
        return np.zeros(len(codes), bool)
    found = codes == np.uint16(wanted[0])
    for code in wanted[1:]:
        found |= codes == np.uint16(code)
    return found


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _of_bits(condition: Condition, column: Bits) -> Array:
    match condition.op:
        case "known":
            return column.bits != 0
        case "unknown":
            return column.bits == 0
    if condition.values[0] not in column.values:
        return np.zeros(len(column.bits), bool)
    bit = np.uint64(1 << column.values.index(str(condition.values[0])))
    return (column.bits & bit) != 0


def _of_numbers(condition: Condition, column: Numbers) -> Array:
    numbers, asked = column.numbers, [np.float32(value) for value in condition.numbers()]
    match condition.op:
        case "known":
            return ~np.isnan(numbers)
        case "unknown":
            return np.isnan(numbers)
        case "is":
            return numbers == asked[0]
        case "is_not":
            return (numbers != asked[0]) & ~np.isnan(numbers)
        case ">=":
            return numbers >= asked[0]
        case "<=":
            return numbers <= asked[0]
        case ">":
            return numbers > asked[0]
        case "<":
            return numbers < asked[0]
    return (numbers >= asked[0]) & (numbers <= asked[1])
