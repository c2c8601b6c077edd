"""Full text by PostgreSQL's own means: words by their stem, by how they begin, and, where nothing has a word,
by the word of the catalogue that is written most alike."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import F, FloatField, Func

WORDS_MAX = 12
ALIKE = 0.75
WORD = re.compile(r"[^\W_]+")

# They are in every text, and say nothing about which.
EMPTY = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "by",
        "de",
        "for",
        "from",
        "in",
        "la",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "y",
        "el",
        "los",
        "las",
        "del",
    ]
)

MENDED_MAX = 3
VOCABULARY_MAX = 20_000
# Names and facets, not the long descriptions: a search that finds nothing has to stay cheap.
VOCABULARY = """
    SELECT word FROM ts_stat(
        'SELECT words FROM network_listing WHERE is_listed AND published_at IS NOT NULL', 'abc'
    ) WHERE char_length(word) BETWEEN %s AND %s ORDER BY ndoc DESC, word LIMIT %s
"""


class Rank(Func):
    """How well a text fits: nearness of the words, fields by their weight, shorter texts first."""

    function = "ts_rank_cd"
    template = "%(function)s(%(expressions)s, 1)"
    output_field = FloatField()

    def __init__(self, query: SearchQuery) -> None:
        super().__init__(F("words"), query)


def words_of(text: str) -> list[str]:
    """What is looked for, in lower case."""
    every = WORD.findall(text.lower())
    return ([word for word in every if word not in EMPTY] or every)[:WORDS_MAX]


def query_of(words: Sequence[str]) -> SearchQuery:
    """Each of the words: in any form of its stem, or as the beginning of a word."""
    each = [
        SearchQuery(f"'{word}':*", config="simple", search_type="raw")
        | SearchQuery(word, config="english", search_type="plain")
        for word in words
    ]
    query = each[0]
    for one in each[1:]:
        query &= one
    return query


def corrected(words: Sequence[str]) -> list[str] | None:
    """The words with those that no listing has replaced by the most alike that some has; None: none is alike,
    or more than a few are unknown.

    One question to the database, however many words there are.
    """
    lengths = [len(word) for word in words]
    with connection.cursor() as cursor:
        cursor.execute(VOCABULARY, [max(3, min(lengths) - 2), max(lengths) + 20, VOCABULARY_MAX])
        known = [row[0] for row in cursor.fetchall()]
    unknown = [word for word in words if not _is_known(word, known)]
    if len(unknown) > MENDED_MAX:
        return None
    mended = [_alike(word, known) if word in unknown else word for word in words]
    return None if None in mended or mended == list(words) else [word for word in mended if word]


def _is_known(word: str, known: Sequence[str]) -> bool:
    return any(one.startswith(word) for one in known)


def _alike(word: str, known: Sequence[str]) -> str | None:
    if len(word) < 4:
        return None
    plain = _plain(word)
    best, most = None, ALIKE
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(plain)
    for one in known:
        if abs(len(one) - len(word)) > 2:
            continue
        matcher.set_seq1(_plain(one))
        if matcher.real_quick_ratio() >= most and matcher.quick_ratio() >= most and matcher.ratio() > most:
            best, most = one, matcher.ratio()
    return best


def _plain(word: str) -> str:
    """Without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
