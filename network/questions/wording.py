"""A question in words."""

from annotations.cohort.language import Expression, as_text
from annotations.cohort.language.expression import All


def words_of(expression: Expression) -> str:
    return "every subject" if expression == All() else as_text(expression)
