"""The card as one HTML file that needs nothing else: no script, no address of its own, and it prints."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotations.cohort.card.content import Card, Section, Table, count
from annotations.cohort.card.figures import Figure
from annotations.cohort.card.plots import drawn

STYLE = """
body { margin: 0; background: var(--bg); color: var(--ink); font: var(--t-15); }
main { max-width: 1040px; margin: 0 auto; padding: var(--s8) var(--s6) var(--s12); }
h1 { font: var(--t-24); margin: 0; }
h2 { font: var(--t-18); margin: 0 0 var(--s3); }
h3 { font: var(--t-13); font-weight: 600; margin: 0 0 var(--s2); }
h3 span { font-weight: 400; color: var(--ink-2); }
p, li { max-width: 76ch; margin: 0 0 var(--s2); }
ul { margin: 0 0 var(--s2); padding-left: var(--s5); }
header p { color: var(--ink-2); }
.numbers { display: flex; flex-wrap: wrap; gap: var(--s4) var(--s8); margin: var(--s4) 0 var(--s6); }
.numbers div { display: flex; flex-direction: column-reverse; }
.numbers dd { margin: 0; font: var(--t-24); font-variant-numeric: tabular-nums; }
.numbers dt { font: var(--t-12); color: var(--ink-2); }
section { background: var(--surface); border: 1px solid var(--line); border-radius: var(--r);
  padding: var(--s5) var(--s6); margin: 0 0 var(--s4); }
table { border-collapse: collapse; font: var(--t-13); margin: var(--s2) 0 var(--s3); width: 100%; }
th, td { text-align: left; padding: var(--s2) var(--s3) var(--s2) 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
thead th { font: var(--t-11); color: var(--ink-2); }
tbody th { font-weight: 400; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
table.facts { width: auto; }
table.facts th { color: var(--ink-2); white-space: nowrap; padding-right: var(--s6); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: var(--s6);
  margin-top: var(--s3); }
figure { margin: 0; break-inside: avoid; }
svg { width: 100%; max-width: 320px; height: auto; display: block; }
svg rect { fill: var(--bar); }
svg line { stroke: var(--line-strong); }
svg text { font: var(--t-11); fill: var(--ink-2); }
svg text.middle { text-anchor: middle; }
@media print {
  :root { color-scheme: light; }
  main { max-width: none; padding: 0; }
  body, section { background: none; }
  section { border: 0; padding: 0; margin-bottom: var(--s6); }
  h2 { break-after: avoid; }
  tr { break-inside: avoid; }
}
"""


def as_page(card: Card) -> str:
    return format_html(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{}</title>\n'
        "<style>{}</style>\n</head>\n<body>\n<main>\n<header><h1>{}</h1>{}</header>\n{}\n{}\n</main>\n"
        "</body>\n</html>\n",
        *(card.title, SafeString(_tokens() + STYLE), card.title),
        format_html("<p>{}</p>", card.about) if card.about else "",
        format_html(
            '<dl class="numbers">{}</dl>',
            format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", card.key_figures),
        ),
        format_html_join("\n", "{}", ((_section(section),) for section in card.sections)),
    )


@cache
def _tokens() -> str:
    """Colours, type and space of all pages; without the font file, which is not in the card."""
    text = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text()
    before, _, font = text.partition("@font-face")
    return before + font.partition("}")[2]


def _section(section: Section) -> SafeString:
    return format_html(
        "<section>\n<h2>{}</h2>\n{}{}{}{}{}\n</section>",
        section.title,
        format_html_join("", "<p>{}</p>\n", ((sentence,) for sentence in section.sentences)),
        format_html("<ul>{}</ul>\n", format_html_join("", "<li>{}</li>", ((item,) for item in section.items)))
        if section.items
        else "",
        _facts(section),
        format_html_join("", "{}", ((_table(table),) for table in section.tables)),
        format_html(
            '<div class="figures">{}</div>',
            format_html_join("\n", "{}", ((_figure(figure),) for figure in section.figures)),
        )
        if section.figures
        else "",
    )


def _facts(section: Section) -> SafeString | str:
    if not section.facts:
        return ""
    return format_html(
        '<table class="facts"><tbody>{}</tbody></table>\n',
        format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', section.facts),
    )


def _table(table: Table) -> SafeString:
    head = format_html_join(
        "",
        '<th scope="col"{}>{}</th>',
        ((SafeString(' class="number"') if at else "", name) for at, name in enumerate(table.head)),
    )
    body = format_html_join(
        "\n",
        '<tr><th scope="row">{}</th>{}</tr>',
        (
            (row[0], format_html_join("", '<td class="number">{}</td>', ((cell,) for cell in row[1:])))
            for row in table.rows
        ),
    )
    return format_html("<table><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>\n", head, body)


def _figure(figure: Figure) -> SafeString:
    about = f"{figure['unit']}, n\N{NO-BREAK SPACE}{count(figure['n'])}"
    return format_html(
        "<figure><h3>{} <span>{}</span></h3>{}</figure>", figure["title"], about, drawn(figure)
    )
