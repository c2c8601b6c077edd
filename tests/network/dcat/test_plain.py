"""Text and addresses of unknown origin, and terms: what is kept of them, and what is refused in words."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from network.dcat import plain, terms
from tests.network.dcat.listed import SAID


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Lung  nodules\n under\tfollow-up ", "Lung nodules under follow-up"),
        ("safe\u202egnp.exe", "safegnp.exe"),  # would be read backwards
        ("bell\x07 and nul\x00", "bell and nul"),
        ("half \ud83d of a pair", "half of a pair"),
        ("Nódulos", "Nódulos"),
        (None, ""),
        (["a"], ""),
    ],
)
def test_text_is_what_a_person_can_read(written: object, kept: str) -> None:
    assert plain.text(written) == kept


@given(st.text())
def test_text_never_holds_controls(written: str) -> None:
    kept = plain.text(written, lines=True)
    assert not {unicodedata.category(character) for character in kept.replace("\n", "")} & {"Cc", "Cs"}
    assert not set(kept) & set("\x00\x1b\u202e\u2066")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://example.org/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/> <evil> <evil",
        'https://example.org/"onmouseover="x',
        "https://example.org/a b",
        "https://example.org/a\nb",
        "https://example.org:99999999/",
        "https://exa<mple.org/",
        "https://[::1",
        "https://example.org/" + "a" * 600,
        None,
        7,
    ],
)
def test_other_addresses_than_http_are_none(address: object) -> None:
    assert plain.web_address(address) == ""


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://Example.org/a?b=1#c", "https://example.org/a?b=1#c"),
        (" http://example.org ", "http://example.org"),
        ("https://bücher.example/ñ", "https://xn--bcher-kva.example/%C3%B1"),
        ("https://example.org:8443/a%20b", "https://example.org:8443/a%20b"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
    ],
)
def test_addresses_are_percent_encoded(address: str, kept: str) -> None:
    assert plain.web_address(address) == kept


def test_terms_are_kept_as_said() -> None:
    assert terms.clean(SAID) == SAID


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"tier": "9"}, "tier"),
        ({"tier": ["1"]}, "tier"),
        ({"health_categories": ["EHRS", "NONE"]}, "health_categories"),
        ({"health_categories": {"EHRS": 1}}, "health_categories"),
        ({"documentation": "javascript:alert(1)"}, "documentation"),
        ({"legislation": "https://a.example\nfile:///b"}, "legislation"),
        ({"contact_mail": "Nina Berg"}, "contact_mail"),
        ({"retention_start": "tomorrow"}, "retention_start"),
        ({"retention_start": "2030-01-02", "retention_end": "2030-01-01"}, "retention_end"),
        ({"condition_code": "C34.1"}, "condition_code"),
        ({"keywords": "\n".join(map(str, range(50)))}, "keywords"),
        ({"title_en": "a" * 300}, "title_en"),
        ({"access_body": "Health Data Sweden"}, "access_body"),
        ({"access_body_page": "https://access.example"}, "access_body_page"),
        ({"subjects": "4000"}, "subjects"),  # counted, never typed
    ],
)
def test_what_is_wrong_is_said_by_field(said: dict, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        terms.clean(said)
    assert list(refused.value.message_dict) == [field]


def test_of_another_nodes_terms_only_what_is_well_formed_stays() -> None:
    said = SAID | {"documentation": "javascript:alert(1)", "@context": "https://evil.example", "tier": 2}
    assert terms.kept_of(said) == {key: value for key, value in SAID.items() if key != "tier"}
    assert terms.kept_of("terms") == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(terms.FIELDS)), json_values))
def test_whatever_another_node_says_what_is_kept_is_well_formed(said: dict) -> None:
    kept = terms.kept_of(said)
    assert terms.clean(kept) == kept


def test_what_is_missing_is_named() -> None:
    assert terms.missing(SAID) == []
    assert terms.missing({}) == [
        "Where it comes from",
        "Interoperability tier",
        "Category of health data",
        "How it was collected",
        "Whom to ask",
    ]
    assert terms.missing(SAID | {"language": "es"}) == ["Name in English", "Description in English"]
