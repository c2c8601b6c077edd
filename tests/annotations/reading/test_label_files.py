"""Labels as files, starters to begin with, and the catalogue of coded terms."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from pydicom.sr._concepts_dict import concepts

from accounts import permissions
from annotations.reading.schemas import drafts, exchange, starters, terms

pytestmark = pytest.mark.django_db

WRITTEN_ANEW = {  # the standard's own table has a slip of the pen, or a small letter
    "15425007": "Peritoneum",
}


def used(cast, content, seen=1):
    draft = drafts.save_draft(
        by=cast.lead,
        project=cast.project,
        labels=content.labels,
        questions=content.questions,
        seen_version=seen,
        new_keys=content.keys,
    )
    decisions = {
        change.decision: "leave_out" for change in drafts.to_decide(drafts.changes_of(cast.schema, draft))
    }
    return drafts.put_into_use(
        by=cast.lead, project=cast.project, seen_draft=drafts.stamp(draft), decisions=decisions
    )[0]


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", starters.ORDER)
def test_a_starter_is_taken_as_it_is_and_comes_back_from_its_export_the_same(cast, key):
    schema = used(cast, starters.starter(key).content)
    file = exchange.exported(schema)
    again = exchange.brought(json.dumps(file).encode())
    assert (again.labels, again.questions) == (schema.labels, schema.questions)
    kept = drafts.save_draft(
        by=cast.lead,
        project=cast.project,
        labels=again.labels,
        questions=again.questions,
        seen_version=2,
        new_keys=again.keys,
    )
    assert kept is None  # nothing differs


@pytest.mark.parametrize("key", starters.ORDER)
def test_every_code_of_a_starter_is_in_the_catalogue(key):
    known = {(term.scheme, term.value): term.meaning for term in terms.catalogue()}
    one = starters.starter(key)
    codes = [label["code"] for label in one.labels if label["code"]]
    codes += [
        option["code"] | {"meaning": option["name"]}
        for question in one.questions
        for option in question["options"]
        if option.get("code")
    ]
    assert codes
    for code in codes:
        assert known[code["scheme"], code["value"]] == code["meaning"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "atlas_labels"),
        (b'{"atlas_labels": 2}', "format 2"),
        (b'{"atlas_labels": 1, "labels": {}}', "list of objects"),
        (b'{"atlas_labels": 1, "labels": [1]}', "list of objects"),
        (b'{"atlas_labels": 1, "people": []}', "no place for people"),
        (b'{"atlas_labels": 1, "labels": [{"name": "A", "script": 1}]}', "no place for script"),
        (b'{"atlas_labels": 1, "labels": [{"name": 5}]}', "`name` is a text"),
        (b'{"atlas_labels": 1, "labels": [{"name": "a\\u0000b"}]}', "`name` is a text"),
        (b'{"atlas_labels": 1, "labels": [{"key": "../x"}]}', "a key has"),
        (b'{"atlas_labels": 1, "labels": [{"kinds": "segment"}]}', "list of texts"),
        (b'{"atlas_labels": 1, "labels": [{"code": "SCT"}]}', "a code has"),
        (b'{"atlas_labels": 1, "questions": [{"options": [3]}]}', "answer to choose from"),
        (b'{"atlas_labels": 1, "questions": [{"least": "1"}]}', "`least` is a number"),
        (b'{"atlas_labels": 1, "questions": [{"least": NaN}]}', "no JSON"),
        (b'{"atlas_labels": 1, "questions": [{"when": {"is": []}}]}', "`when` names"),
        (b" " * (exchange.FILE_BYTES_MAX + 1), "at most 1024 kB"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_what_is_wrong(body, told):
    with pytest.raises(ValidationError) as refusal:
        exchange.brought(body)
    assert told in " ".join(refusal.value.messages)


def test_what_only_holds_earlier_marks_is_not_exported(cast):
    cast.schema.labels.append(cast.schema.labels[0] | {"key": "old", "retired": True})
    assert [label["key"] for label in exchange.exported(cast.schema)["labels"]] == ["tumour", "node"]


# Terms --------------------------------------------------------------------------------------------


def test_every_code_of_the_catalogue_is_the_standard_s():
    by_code: dict[tuple[str, str], set[str]] = {}
    for scheme, found in concepts.items():
        for codes in found.values():
            for value, (meaning, _) in codes.items():
                by_code.setdefault((scheme, value), set()).add(meaning.casefold())
    seen = set()
    for term in terms.catalogue():
        assert (term.scheme, term.value) not in seen, f"{term} stands there twice"
        seen.add((term.scheme, term.value))
        known = by_code[term.scheme, term.value]
        assert term.meaning.casefold() in known or WRITTEN_ANEW.get(term.value) == term.meaning, term
        assert len(term.value) <= 16
        assert len(term.meaning) <= 64
        assert term.kind
    assert len(seen) > 500


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("lung", "Lung"),
        ("LIVER", "Liver"),
        ("metastasis", "Metastasis"),
        ("long dia", "Long axis"),
        ("108369006", "Neoplasm"),
        ("periph zone", "Peripheral zone of the prostate"),
        ("pi-rads 4", "PI-RADS 4 - High"),
    ],
)
def test_a_term_is_found_by_the_beginnings_of_its_words(cast, text, first):
    assert terms.search(cast.project, text)[0].meaning == first


@pytest.mark.parametrize("text", ["", "  ", "%", "zzzz", "\\", "'; qqq"])
def test_what_means_nothing_finds_nothing(cast, text):
    assert terms.search(cast.project, text) == []


def added(cast, **more):
    given = {"value": "N1", "scheme": "99HOSP", "meaning": "Satellite nodule"} | more
    return terms.add_term(by=cast.lead, project=cast.project, **given)


def test_a_lead_adds_terms_of_the_project(cast):
    term = added(cast, also="daughter")
    [found] = terms.search(cast.project, "daught")
    assert (found.value, found.own) == ("N1", True)
    with pytest.raises(ValidationError, match="known already"):
        added(cast)
    terms.remove_term(by=cast.lead, project=cast.project, term_id=term.pk)
    assert terms.search(cast.project, "satellite") == []
    with pytest.raises(Http404):
        terms.remove_term(by=cast.lead, project=cast.project, term_id=term.pk)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"value": ""}, "value"),
        ({"value": "x" * 17}, "value"),
        ({"scheme": "a\\b"}, "scheme"),
        ({"meaning": "m" * 65}, "meaning"),
        ({"value": "10200004", "scheme": "SCT"}, "value"),
    ],
)
def test_a_term_at_fault_is_told_by_its_field(cast, wrong, field):
    with pytest.raises(ValidationError) as refusal:
        added(cast, **wrong)
    assert field in refusal.value.message_dict


def test_only_who_may_create_projects_adds_terms_for_the_organisation(cast):
    with pytest.raises(PermissionDenied):
        added(cast, whole_organisation=True)
    permissions.grant(user=cast.lead, role="project_creator", scope=cast.project.organisation)
    assert added(cast, whole_organisation=True).project is None
    with pytest.raises(PermissionDenied):
        terms.add_term(by=cast.reviewer, project=cast.project, value="1", scheme="2", meaning="3")
