"""Bars as inline SVG, in the ink of the page they stand in."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotations.cohort.card.content import count
from annotations.cohort.card.figures import Figure

WIDTH, HEIGHT, FLOOR, TOP = 320, 148, 120, 20
MARGIN = 8  # words under the first and last bar may be wider than these
SLOT_WIDEST = 48
LETTER = 6.4  # how wide one is at 11 px, about
LINE, NAME_WIDTH = 22, 132  # of bars that lie


def drawn(figure: Figure) -> SafeString:
    """Standing bars over short words, else lying ones beside them."""
    rows = [(str(word), int(n)) for word, n in figure["rows"]]
    slot = min(SLOT_WIDEST, WIDTH / len(rows))
    widest = max(len(word) for word, _ in rows) * LETTER
    stand = figure["kind"] == "histogram" and len(rows) <= WIDTH / 24 and widest <= slot * 1.5
    body = _standing(rows, slot) if stand else _lying(rows)
    height = HEIGHT if stand else LINE * len(rows)
    told = "; ".join(f"{word}: {count(n)}" for word, n in rows)
    return format_html(
        '<svg viewBox="{} 0 {} {}" role="img" aria-label="{}, {}. {}">{}</svg>',
        *(
            -MARGIN if stand else 0,
            WIDTH + (2 * MARGIN if stand else 0),
            height,
            figure["title"],
            figure["unit"],
            told,
            body,
        ),
    )


def _standing(rows: list[tuple[str, int]], slot: float) -> SafeString:
    most = max(n for _, n in rows)
    bars, words = [], []
    every = 1 if max(len(word) for word, _ in rows) * LETTER <= slot else 2
    for place, (word, n) in enumerate(rows):
        height = (FLOOR - TOP) * n / most
        middle = f"{(place + 0.5) * slot:.1f}"
        bars.append((f"{place * slot + 1:.1f}", f"{FLOOR - height:.1f}", f"{slot - 2:.1f}", f"{height:.1f}"))
        told = count(n) if n and len(count(n)) * LETTER <= slot else ""
        words.append((middle, f"{FLOOR - height - 4:.1f}", told))
        words.append((middle, f"{FLOOR + 15}", word if place % every == 0 else ""))
    return format_html(
        '{}{}<line x1="0" x2="{}" y1="{}" y2="{}"/>',
        format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"/>', bars),
        format_html_join(
            "", '<text class="middle" x="{}" y="{}">{}</text>', (word for word in words if word[2])
        ),
        *(f"{len(rows) * slot:.1f}", FLOOR + 0.5, FLOOR + 0.5),
    )


def _lying(rows: list[tuple[str, int]]) -> SafeString:
    most = max(n for _, n in rows)
    longest = WIDTH - NAME_WIDTH - 48
    return format_html_join(
        "",
        '<text x="0" y="{}">{}</text><rect x="{}" y="{}" width="{}" height="14"/>'
        '<text x="{}" y="{}">{}</text>',
        (
            (
                *(place * LINE + 15, _short(word)),
                *(NAME_WIDTH, place * LINE + 4, f"{max(1.0, longest * n / most):.1f}"),
                *(f"{NAME_WIDTH + longest * n / most + 6:.1f}", place * LINE + 15, count(n)),
            )
            for place, (word, n) in enumerate(rows)
        ),
    )


def _short(word: str) -> str:
    most = int(NAME_WIDTH / LETTER) - 1
    return word if len(word) <= most else f"{word[: most - 1]}…"
