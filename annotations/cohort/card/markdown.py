"""The card as Markdown: bars are tables, for there is nothing to draw with."""

import re

from annotations.cohort.card.content import Card, Section, Table, count
from annotations.cohort.card.figures import Figure

_MEANS_SOMETHING = re.compile(r"([\\`*<>|\[\]])")


def as_markdown(card: Card) -> str:
    lines = [f"# {plain(card.title)}", ""]
    if card.about:
        lines += [plain(card.about), ""]
    lines += [", ".join(f"{value} {name}" for name, value in card.key_figures), ""]
    for section in card.sections:
        lines += _section(section)
    return "\n".join(lines)


def plain(text: str) -> str:
    """Text that stands as it is, on one line."""
    return _MEANS_SOMETHING.sub(r"\\\1", " ".join(text.split()))


def _section(section: Section) -> list[str]:
    lines = [f"## {section.title}", ""]
    for sentence in section.sentences:
        lines += [plain(sentence), ""]
    if section.items:
        lines += [*(f"- {plain(item)}" for item in section.items), ""]
    if section.facts:
        lines += [*(f"- **{plain(name)}**: {plain(value)}" for name, value in section.facts), ""]
    for table in section.tables:
        lines += _table(table)
    for figure in section.figures:
        lines += _figure(figure)
    return lines


def _figure(figure: Figure) -> list[str]:
    about = f"{figure['unit']}, n {count(figure['n'])}"
    rows = [(str(word), count(n)) for word, n in figure["rows"]]
    return [f"### {figure['title']}", "", about, "", *_table(Table((figure["unit"], "n"), rows))]


def _table(table: Table) -> list[str]:
    widths = "| " + " | ".join(["---", *("---:" for _ in table.head[1:])]) + " |"
    rows = ["| " + " | ".join(plain(cell) for cell in row) + " |" for row in (table.head, *table.rows)]
    return [rows[0], widths, *rows[1:], ""]
