"""One expression in its four forms: JSON, text, an address, words. And everything that is none."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.cohort.language import (
    CohortError,
    as_json,
    as_params,
    as_text,
    from_params,
    parse,
    parse_text,
    written,
)
from annotations.cohort.language.expression import CONDITIONS_MAX, DEPTH_MAX
from tests.annotations.cohort.language.expressions import OWN_VALUES, expressions

EXPRESSIONS = expressions({**OWN_VALUES, "read.reader": ["reader-0a1b2c3d"]})
SEX = {"field": "subject.sex", "op": "is", "value": "F"}


@given(EXPRESSIONS)
@settings(max_examples=400)
def test_json_read_and_written_is_the_same(expression: dict[str, Any]) -> None:
    parsed = parse(expression)
    assert parse(as_json(parsed)) == parsed
    assert json.loads(json.dumps(as_json(parsed))) == as_json(parsed)


@given(EXPRESSIONS)
@settings(max_examples=400)
def test_text_says_exactly_what_json_says(expression: dict[str, Any]) -> None:
    parsed = parse(expression)
    assert parse_text(written(parsed)) == parsed
    assert as_json(parse_text(written(parsed))) == as_json(parsed)


@given(EXPRESSIONS)
@settings(max_examples=400)
def test_an_address_says_exactly_what_json_says(expression: dict[str, Any]) -> None:
    parsed = parse(expression)
    address = QueryDict(mutable=True)
    address.update(as_params(parsed))
    assert from_params(QueryDict(address.urlencode())) == parsed
    as_it_is = QueryDict(mutable=True)
    as_it_is["cohort"] = json.dumps(as_json(parsed))
    assert from_params(QueryDict(as_it_is.urlencode())) == parsed


@given(EXPRESSIONS)
@settings(max_examples=200)
def test_every_expression_has_words(expression: dict[str, Any]) -> None:
    words = as_text(parse(expression))
    assert words.strip() == words != ""
    assert "_" not in words.replace("_mm", "") or any(mark in json.dumps(expression) for mark in "_")


@given(st.text(max_size=60) | st.text("mark()andornot isF\"'<>=0129. ,", max_size=60))
@settings(max_examples=500)
def test_any_text_is_an_expression_or_a_sentence_about_it(text: str) -> None:
    parsed, error = _tried(parse_text, text)
    if error:
        assert error.reason.endswith((".", "?", "everything"))
        assert len(error.reason) < 700
    else:
        assert parse_text(written(parsed)) == parsed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "field", "op", "value", "unit", "mark", "count", "of"])
            | st.text(max_size=5),
            inner | st.sampled_from(["subject.sex", "is", "mark.longest_mm", "between", 10**400]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=800)
def test_any_json_is_an_expression_or_a_sentence_about_it(node: Any) -> None:
    parsed, error = _tried(parse, node)
    if error:
        assert error.reason
        assert error.place == "" or error.place.startswith("/")
    else:
        assert parse(as_json(parsed)) == parsed


def _tried(form: Callable[[Any], Any], given: Any) -> tuple[Any, CohortError | None]:
    try:
        return form(given), None
    except CohortError as error:
        return None, error


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("everything", {"all": []}),
        ("subject.sex is F", SEX),
        ("subject.sex IS F", SEX),
        ("(((subject.sex is F)))", SEX),
        (
            "subject.sex is F and mark(label is tumour and longest_mm >= 10) at least 2",
            {
                "all": [
                    SEX,
                    {
                        "mark": {
                            "all": [
                                {"field": "mark.label", "op": "is", "value": "tumour"},
                                {"field": "mark.longest_mm", "op": ">=", "value": 10},
                            ]
                        },
                        "count": {"at_least": 2},
                    },
                ]
            },
        ),
        (
            "not (series.modality in (CT, PT) or study.interval > 12 weeks)",
            {
                "not": {
                    "any": [
                        {"field": "series.modality", "op": "in", "value": ["CT", "PT"]},
                        {"field": "study.interval", "op": ">", "value": 12, "unit": "weeks"},
                    ]
                }
            },
        ),
        (
            "label(label is node and state is absent) of handed_in exactly 1",
            {
                "label": {
                    "all": [
                        {"field": "label.label", "op": "is", "value": "node"},
                        {"field": "label.state", "op": "is", "value": "absent"},
                    ]
                },
                "count": {"exactly": 1},
                "of": "handed_in",
            },
        ),
        ("read() at most 0", {"read": {"all": []}, "count": {"at_most": 0}}),
        (
            "agreement.dice between 0.2 and 0.8",
            {"field": "agreement.dice", "op": "between", "value": [0.2, 0.8]},
        ),
        (
            'study.description contains "a b"',
            {"field": "study.description", "op": "contains", "value": "a b"},
        ),
        ("case.recalled is yes", {"field": "case.recalled", "op": "is", "value": True}),
        ("subject.sex is unknown", {"field": "subject.sex", "op": "unknown"}),
        ("mark.longest_mm >= 1.5 cm", {"field": "mark.longest_mm", "op": ">=", "value": 1.5, "unit": "cm"}),
    ],
)
def test_text_reads_as_people_would_read_it(text: str, expression: dict[str, Any]) -> None:
    assert parse_text(text) == parse(expression)


def test_and_binds_closer_than_or() -> None:
    one, two, three = "subject.sex is F", "case.number > 3", "case.recalled is no"
    assert parse_text(f"{one} or {two} and {three}") == parse_text(f"{one} or ({two} and {three})")
    assert parse_text(f"{one} or {two} and {three}") != parse_text(f"({one} or {two}) and {three}")


@pytest.mark.parametrize(
    ("expression", "place", "said"),
    [
        (None, "", "It says nothing"),
        ({}, "", "It says nothing"),
        ([], "", "It says nothing"),
        ("", "", "It says nothing"),
        ({"any": []}, "/any", "has nothing in it"),
        ({"all": [SEX, {"all": []}]}, "/all/1", "Everything stands alone"),
        ({"any": [{"all": []}, SEX]}, "/any/0", "Everything stands alone"),
        ({"not": {"all": []}}, "/not", "is nothing"),
        ({"all": [SEX, {"field": "subject.sexx", "op": "is", "value": "F"}]}, "/all/1/field", "subject.sex?"),
        ({"field": "sex", "op": "is", "value": "F"}, "/field", "Did you mean subject.sex?"),
        ({"field": "subject.sex", "op": "equals", "value": "F"}, "/op", "There is no operator"),
        ({"field": "subject.sex", "op": ">=", "value": "F"}, "/op", "There is no operator"),
        ({"field": "subject.sex", "op": "is", "value": "X"}, "/value", "no value of subject.sex “X”"),
        ({"field": "subject.sex", "op": "is", "value": ["F"]}, "/value", "takes text"),
        ({"field": "subject.sex", "op": "is"}, "/value", "has no value"),
        ({"field": "subject.sex", "value": "F"}, "/op", "has no operator"),
        ({"field": "subject.sex", "op": "in", "value": "F"}, "/value", "a list"),
        ({"field": "subject.sex", "op": "in", "value": []}, "/value", "a list"),
        ({"field": "subject.sex", "op": "in", "value": ["F", "F"]}, "/value", "twice"),
        ({"field": "subject.sex", "op": "known", "value": "F"}, "/value", "takes no value"),
        ({"field": "case.purpose", "op": "unknown"}, "/op", "There is no operator"),
        ({"field": "mark.longest_mm", "op": ">=", "value": "10"}, "/value", "takes a number"),
        ({"field": "mark.longest_mm", "op": ">=", "value": True}, "/value", "takes a number"),
        ({"field": "mark.longest_mm", "op": ">=", "value": float("nan")}, "/value", "takes a number"),
        ({"field": "mark.longest_mm", "op": ">=", "value": 10**400}, "/value", "takes a number"),
        ({"field": "mark.longest_mm", "op": ">=", "value": -1}, "/value", "0 mm or more"),
        ({"field": "mark.longest_mm", "op": ">=", "value": 1, "unit": "inch"}, "/unit", "There is no unit"),
        ({"field": "agreement.dice", "op": "<", "value": 80}, "/value", "0 to 1, so 80"),
        ({"field": "agreement.dice", "op": "<", "value": 0.8, "unit": "mm"}, "/unit", "has no unit"),
        ({"field": "mark.longest_mm", "op": "between", "value": [9, 3]}, "/value", "the lower first"),
        ({"field": "subject.age", "op": ">", "value": 60.5}, "/value", "whole numbers"),
        ({"field": "case.recalled", "op": "is", "value": "yes"}, "/value", "true or false"),
        ({"field": "study.description", "op": "is", "value": "a\nb"}, "/value", "line breaks"),
        ({"field": "study.description", "op": "is", "value": "x" * 201}, "/value", "200 characters"),
        ({"field": "subject.sex", "op": "is", "value": "F", "valeu": 1}, "/valeu", "Did you mean value?"),
        ({"field": "subject.sex", "op": "is", "value": "F", "all": []}, "", "one object"),
        ({"every": [SEX]}, "/every", "There is no part"),
        ({"all": SEX}, "/all", "holds a list"),
        ({"not": [SEX]}, "/not", "is an object"),
        ({"mark": {"all": [SEX]}}, "/mark/all/0/field", "no fact of a mark"),
        ({"mark": {"field": "mark.size", "op": ">", "value": 1}}, "/mark/field", "There is no field"),
        ({"mark": {"series": {"all": []}}}, "/mark/series", "can't stand inside"),
        ({"mark": {"all": []}, "count": {"at_least": 0}}, "/count", "holds for everything"),
        ({"mark": {"all": []}, "count": {"at_least": 3, "at_most": 2}}, "/count", "no case has that"),
        ({"mark": {"all": []}, "count": {"at_least": 1.5}}, "/count", "whole number"),
        ({"mark": {"all": []}, "count": 2}, "/count", "A count is"),
        ({"mark": {"all": []}, "count": {"least": 2}}, "/count/least", "at_least"),
        ({"mark": {"all": []}, "of": "submitted"}, "/of", "There is no kind of read"),
        ({"series": {"all": []}, "of": "accepted"}, "/of", "takes no “of”"),
    ],
)
def test_what_is_not_understood_is_an_error_that_names_its_place(
    expression: Any, place: str, said: str
) -> None:
    with pytest.raises(CohortError) as raised:
        parse(expression)
    assert raised.value.place == place
    assert said in raised.value.reason


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "", "It says nothing"),
        ("   ", "", "It says nothing"),
        ("subject.sex is F and", "character 21", "Here stands a field, not the end"),
        ("subject.sex is F or everything", "character 21", "“everything” stands alone"),
        ("everything and subject.sex is F", "character 12", "After a condition"),
        ("subject.sex", "character 12", "what is asked of it"),
        ("subject.sex is", "character 15", "a value of subject.sex, not the end"),
        ("subject.sex is G", "character 16", "There is no value"),
        ("subject.sex like F", "character 13", "There is no operator"),
        ("(subject.sex is F", "character 18", "a bracket closes"),
        ("subject.sex is F)", "character 17", "After a condition"),
        ("marks(label is tumour)", "character 1", "Did you mean mark?"),
        ("mark(lable is tumour)", "character 6", "Did you mean label?"),
        ("mark(label is tumour) at least two", "character 32", "a whole number"),
        ("mark(label is tumour) of nobody", "character 26", "There is no kind of read"),
        ("mark.longest_mm >= 10 inch", "character 23", "There is no unit"),
        ('subject.sex is "F', "character 16", "doesn't end"),
        ("subject.sex = F", "character 13", "means nothing"),
        ("subject.sex is F; drop table", "character 17", "means nothing"),
        ("case.number > " + "9" * 5000, "character 15", "too long"),
    ],
)
def test_text_that_is_not_understood_names_the_character(text: str, place: str, said: str) -> None:
    with pytest.raises(CohortError) as raised:
        parse_text(text)
    assert (raised.value.place, said in raised.value.reason) == (place, True), raised.value.reason


def test_an_error_lists_what_is_known_the_closest_first() -> None:
    with pytest.raises(CohortError) as raised:
        parse({"field": "mark.longest", "op": ">", "value": 1})
    assert raised.value.known[0] == "mark.longest_mm"
    assert raised.value.as_json()["place"] == "/field"


def test_what_is_too_large_is_refused() -> None:
    deep: dict[str, Any] = SEX
    for _ in range(DEPTH_MAX):
        deep = {"not": deep}
    with pytest.raises(CohortError, match="nested deeper"):
        parse(deep)
    with pytest.raises(CohortError, match="nested deeper"):
        parse_text("not " * DEPTH_MAX + "subject.sex is F")
    with pytest.raises(CohortError, match="nested deeper"):
        parse_text("(" * 5000 + "subject.sex is F" + ")" * 5000)
    bottomless: dict[str, Any] = SEX
    for _ in range(5000):
        bottomless = {"not": bottomless}
    with pytest.raises(CohortError, match="nested deeper"):
        parse(bottomless)
    with pytest.raises(CohortError, match="conditions"):
        parse({"all": [SEX] * (CONDITIONS_MAX + 1)})
    with pytest.raises(CohortError, match="longer than"):
        parse_text(" " * 20_001)


def test_an_address_names_one_cohort_or_none() -> None:
    assert from_params(QueryDict("page=2")) is None
    for address in ("cohort=", "cohort=%20", "cohort=everything&cohort=everything", "cohort={", "cohort={}"):
        with pytest.raises(CohortError):
            from_params(QueryDict(address))
    bottomless = '{"not":' * 2000 + "1" + "}" * 2000
    with pytest.raises(CohortError, match="nested"):
        from_params(QueryDict(f"cohort={bottomless}"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("everything", "every case"),
        ("subject.sex is F", "sex is female"),
        (
            "subject.sex is F and mark(label is tumour and longest_mm >= 10) at least 2",
            "sex is female and at least 2 marks with "
            "(label is Tumour and longest diameter is at least 10 mm)",
        ),
        ("not series.modality is CT", "not (modality of an image series is CT)"),
        ("study.interval > 12 weeks", "time since the study before of a time point is more than 12 weeks"),
        ("read(state is accepted) exactly 0", "exactly 0 reads with (state is accepted)"),
        (
            "label(label is tumour and state is absent) of handed_in",
            "a label with (label is Tumour and state is absent) in a read as it was last handed in",
        ),
        ("subject.sex in (F, M, O)", "sex is one of female, male or other"),
        ("case.recalled is no", "recalled is no"),
    ],
)
def test_words_say_what_is_meant(text: str, words: str) -> None:
    names = {"mark.label": {"tumour": "Tumour"}, "label.label": {"tumour": "Tumour"}}
    assert as_text(parse_text(text), names) == words
