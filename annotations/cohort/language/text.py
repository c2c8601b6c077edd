"""Cohort expressions as text: what people read, edit and put into a link. It says exactly what the JSON says.

    subject.sex is F and mark(label is tumour and longest_mm >= 10) at least 2
    not (series.modality in (CT, PT) or study.interval > 12 weeks)
    everything

`and` binds closer than `or`, `not` closest. Words and numbers stand as they are; other values stand in
quotes, as in JSON. Inside a group fields leave out its name.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from annotations.cohort.language import checks
from annotations.cohort.language.errors import CohortError, shortened, unknown
from annotations.cohort.language.expression import (
    RESULT,
    TEXT_LENGTH_MAX,
    All,
    Any_,
    Condition,
    Count,
    Expression,
    Group,
    Not,
    Value,
)
from annotations.cohort.language.fields import FIELDS, Field, Kind, fields_of

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.:+-]))
    |(?P<word>[A-Za-z0-9_][A-Za-z0-9_.:+-]*)
    |(?P<sign>>=|<=|>|<|\(|\)|,)
    """,
    re.VERBOSE | re.ASCII,
)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]*", re.ASCII)
_KEYWORDS = {
    "and",
    "or",
    "not",
    "everything",
    "in",
    "is",
    "between",
    "at",
    "of",
    "exactly",
    "known",
    "unknown",
}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def place(self) -> str:
        return f"character {self.at + 1}"


# Written ----------------------------------------------------------------------------------------


def written(expression: Expression) -> str:
    """What `read` gives this expression for."""
    return "everything" if expression == All() else _written(expression, None)


def _written(node: Expression, level: str | None) -> str:
    match node:
        case All() | Any_():
            word = " and " if isinstance(node, All) else " or "
            return word.join(_part(each, level, type(node)) for each in node.of)
        case Not():
            return f"not {_part(node.of, level, Not)}"
        case Group():
            where = "" if node.where == All() else _written(node.where, node.level)
            of = "" if node.of == RESULT else f" of {node.of}"
            return f"{node.level}({where}){of}{_count(node.count)}"
        case Condition():
            return _condition(node, level)


def _part(node: Expression, level: str | None, inside: type) -> str:
    """In brackets unless it binds closer than what it stands in."""
    loose = isinstance(node, All | Any_) and not (isinstance(node, All) and inside is Any_)
    text = _written(node, level)
    return f"({text})" if loose else text


def _count(count: Count) -> str:
    if count == Count():
        return ""
    if count.least == count.most:
        return f" exactly {count.least}"
    least = "" if count.least == 0 else f" at least {count.least}"
    return least + ("" if count.most is None else f" at most {count.most}")


def _condition(node: Condition, level: str | None) -> str:
    field = node.about
    name = field.key if level is None else field.short
    values = [_value(value) for value in node.values]
    unit = f" {node.unit}" if node.unit else ""
    match node.op:
        case "known" | "unknown":
            return f"{name} is {node.op}"
        case "in":
            return f"{name} in ({', '.join(values)}){unit}"
        case "between":
            return f"{name} between {values[0]} and {values[1]}{unit}"
        case op:
            return f"{name} {op.replace('_', ' ')} {values[0]}{unit}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _KEYWORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


# Read -------------------------------------------------------------------------------------------


def read(text: str) -> Expression:
    """Raises CohortError with the character at which it isn't understood."""
    if len(text) > TEXT_LENGTH_MAX:
        raise CohortError(f"It is longer than {TEXT_LENGTH_MAX} characters.")
    if not text.strip():
        raise CohortError("It says nothing. Name conditions, or write: everything")
    reader = _Reader(_tokens(text), len(text))
    expression = reader.whole()
    return checks.whole(expression)


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            what = (
                "This quotation doesn't end." if text[at] == '"' else f"{shortened(text[at])} means nothing."
            )
            raise CohortError(f"{what} Values that are no plain word stand in quotes.", place=_place(at))
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_Token(kind, match.group(), at))
        at = match.end()
    return found


def _place(at: int) -> str:
    return f"character {at + 1}"


class _Reader:
    """Reads tokens from left to right, each rule of the language a method."""

    def __init__(self, tokens: list[_Token], length: int) -> None:
        self.tokens, self.at = tokens, 0
        self.end = _Token("end", "", length)

    @property
    def next(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else self.end

    def taken(self) -> _Token:
        token = self.next
        self.at += 1
        return token

    def is_next(self, *words: str) -> bool:
        """Whether these unquoted words come next."""
        ahead = self.tokens[self.at : self.at + len(words)]
        return [token.text.lower() for token in ahead if token.kind != "quoted"] == list(words)

    def skipped(self, *words: str) -> bool:
        if not self.is_next(*words):
            return False
        self.at += len(words)
        return True

    def require(self, word: str, why: str) -> None:
        if not self.skipped(word):
            raise self.unexpected(why, [word])

    def unexpected(self, why: str, known: list[str] | None = None) -> CohortError:
        here = "the end" if self.next.kind == "end" else shortened(self.next.text)
        return CohortError(f"{why}, not {here}.", place=self.next.place, known=known or ())

    # Expressions

    def whole(self) -> Expression:
        if self.skipped("everything"):
            expression: Expression = All()
        else:
            expression = self.any(None, 1)
        if self.next.kind != "end":
            raise self.unexpected("After a condition comes “and”, “or” or the end", ["and", "or"])
        return expression

    def any(self, level: str | None, depth: int) -> Expression:
        return self._joined("or", "any", level, depth)

    def _joined(self, word: str, shape: str, level: str | None, depth: int) -> Expression:
        place = self.next.place
        checks.require_shallow(depth, place)
        parts = [self._operand(word, level, depth)]
        while self.skipped(word):
            parts.append(self._operand(word, level, depth))
        return checks.joined(shape, parts, place)

    def _operand(self, word: str, level: str | None, depth: int) -> Expression:
        return self._joined("and", "all", level, depth) if word == "or" else self._single(level, depth)

    def _single(self, level: str | None, depth: int) -> Expression:
        place = self.next.place
        checks.require_shallow(depth, place)
        if self.skipped("not"):
            return checks.negated(self._single(level, depth + 1), place)
        if self.skipped("("):
            inner = self.any(level, depth + 1)
            self.require(")", "Here a bracket closes")
            return inner
        if self.is_next("everything"):
            raise CohortError("“everything” stands alone.", place=place)
        if self.next.kind == "word" and self.tokens[self.at + 1 : self.at + 2] and self._opens_group():
            return self._group(level, depth)
        return self._condition(level)

    def _opens_group(self) -> bool:
        return self.tokens[self.at + 1].text == "("

    def _group(self, level: str | None, depth: int) -> Expression:
        token = self.taken()
        key = checks.group_level(token.text.lower(), level, token.place)
        self.require("(", "Here a bracket opens")
        where: Expression = All() if self.is_next(")") else self.any(key, depth + 1)
        self.require(")", "Here a bracket closes")
        of, of_place = "", ""
        if self.skipped("of"):
            of_place = self.next.place
            of = self.taken().text.lower()
        return checks.group(key, where, self._count(), of, of_place=of_place)

    def _count(self) -> Count:
        place = self.next.place
        if self.skipped("exactly"):
            number = self._whole_number()
            return checks.count(number, number, place)
        least = self._whole_number() if self.skipped("at", "least") else None
        most = self._whole_number() if self.skipped("at", "most") else None
        if least is None and most is None:
            return Count()
        return checks.count(least, most, place)

    def _whole_number(self) -> int:
        if self.next.kind != "number" or not self.next.text.isdecimal():
            raise self.unexpected("Here stands a whole number")
        return int(self.taken().text)

    # Conditions

    def _condition(self, level: str | None) -> Condition:
        token = self.next
        if token.kind != "word" or token.text.lower() in _KEYWORDS:
            names = [field.key if level is None else field.short for field in _fields(level)]
            raise self.unexpected("Here stands a field", names)
        self.at += 1
        field = self._field(token, level)
        op = self._operator(field)
        place = self.next.place
        values: list[Any] = []
        match op:
            case "known" | "unknown":
                pass
            case "in":
                values = self._list(field)
            case "between":
                values = [self._value(field)]
                self.require("and", "Between a number")
                values.append(self._value(field))
            case _:
                values = [self._value(field)]
        unit, unit_place = "", self.next.place
        if values and field.units and self.next.kind == "word" and not self._ends_condition():
            unit = self.taken().text
        return checks.condition(field, op, values, unit, place=place, unit_place=unit_place)

    def _ends_condition(self) -> bool:
        return self.next.text.lower() in ("and", "or")

    def _field(self, token: _Token, level: str | None) -> Field:
        if level is None or token.text in FIELDS:
            return checks.field_named(token.text, level, token.place)
        found = FIELDS.get(f"{level}.{token.text}")
        if found is None:
            raise unknown(
                f"fact of {level}", token.text, [one.short for one in fields_of(level)], token.place
            )
        return found

    def _operator(self, field: Field) -> str:
        token = self.next
        word = self.taken().text.lower() if token.kind in ("word", "sign") else ""
        if word == "is":
            if self.is_next("not"):
                self.at += 1
                word = "is_not"
            elif self.is_next("known") or self.is_next("unknown"):
                word = self.taken().text.lower()
        elif word == "starts" and self.skipped("with"):
            word = "starts_with"
        if not word:
            raise CohortError(
                f"After {field.key} stands what is asked of it.", place=token.place, known=field.operators
            )
        return checks.operator(field, word, token.place)

    def _list(self, field: Field) -> list[Any]:
        self.require("(", "After “in” stands a list in brackets")
        values = [self._value(field)]
        while self.skipped(","):
            values.append(self._value(field))
        self.require(")", "After a value comes a comma or a bracket")
        return values

    def _value(self, field: Field) -> Any:
        token = self.next
        if token.kind not in ("quoted", "number", "word") or (
            token.kind == "word" and token.text.lower() in _KEYWORDS
        ):
            raise self.unexpected(f"Here stands a value of {field.key}", list(field.values or ()))
        self.at += 1
        if token.kind == "quoted":
            try:
                return json.loads(token.text)
            except ValueError:
                raise CohortError("This is no text in quotes as in JSON.", place=token.place) from None
        match field.kind:
            case Kind.NUMBER if token.kind == "number":
                return _number(token)
            case Kind.YES_NO:
                return {"yes": True, "no": False, "true": True, "false": False}.get(
                    token.text.lower(), token.text
                )
        return token.text


def _number(token: _Token) -> int | float:
    try:
        return int(token.text) if token.text.lstrip("+-").isdecimal() else float(token.text)
    except ValueError:  # more digits than Python turns into a number
        raise CohortError("This number is too long.", place=token.place) from None


def _fields(level: str | None) -> tuple[Field, ...]:
    return tuple(FIELDS.values()) if level is None else fields_of(level)
