"""The audit trail of a project in words: complete, blind, exportable, and no dearer when it is long."""

import ast
import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit
from accounts.models import AuditRecord
from annotations.models import Case, Comment, Read
from annotations.reading import assignment
from annotations.reading.trail import telling
from annotations.reading.trail.records import Wanted, page_of, records_for
from annotations.reading.trail.sentences import SENTENCES, Kind, sentence
from tests.annotations.reading.conftest import edit

ROOT = Path(__file__).parents[3]
APPS = ("accounts", "atlas", "annotations", "network")


def address(cast, query=""):
    return f"/projects/{cast.project.slug}/audit/{query}"


def lines(cast, who="lead", **wanted):
    """(who, what, case, read of), newest first."""
    found = records_for(getattr(cast, who), cast.project, Wanted(**wanted))
    told = telling.lines_of(page_of(found, None).records, cast.project)
    return [(line.who, line.what, line.case, line.read_of) for line in told]


def whats(cast, **options):
    return [what for _, what, _, _ in lines(cast, **options)]


def registered() -> set[str]:
    """Every verb that any module registers, whether or not it is imported yet."""
    found: set[str] = set()
    for file in (one for app in APPS for one in (ROOT / app).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "audit.register":
                found |= {ast.literal_eval(verb) for verb in call.args}
    return found


def test_every_verb_has_a_sentence():
    assert registered() - set(SENTENCES) == set()
    assert audit.VERBS - set(SENTENCES) == set()


def test_every_sentence_can_be_told_without_a_fact():
    assert all(sentence(verb, {}) for verb in SENTENCES)


def test_a_verb_from_a_later_version_stands_for_itself():
    assert sentence("read.sung", {}) == "read.sung"


def test_what_happened_to_a_read_is_told_in_words(cast):
    cast.post("open/")
    cast.apply([edit(cast.length())])
    cast.apply([edit(cast.length())])
    cast.submit()
    cast.get("state/", who="reviewer")
    cast.post("comments/", {"text": "Too wide."}, who="reviewer")
    sent = {"verdict": "return", "round": 1, "text": "", "reasons": ["outline", "missed"]}
    assert cast.post("review/", sent, who="reviewer").status_code == 200
    anna, nina = cast.anna.display_name, cast.reviewer.display_name
    assert lines(cast) == [
        (nina, "returned the read, round 1: A lesion was missed; An outline is off", 314, anna),
        (nina, "wrote a comment", 314, anna),
        (nina, "looked at the marks", 314, anna),
        (anna, "handed the read in, round 1, change 2", 314, anna),
        (anna, "changed marks, from change 1 on", 314, anna),
        (anna, "opened the case for the first time", 314, anna),
    ]


def test_drawing_is_written_down_once_an_hour(cast):
    for _ in range(3):
        cast.apply([edit(cast.length())])
    assert AuditRecord.objects.filter(verb="read.marked", object_id=cast.read.pk).count() == 1
    cast.apply([edit(cast.length())], who="ben", read=cast.bens_read)
    assert AuditRecord.objects.filter(verb="read.marked").count() == 2


def test_a_batch_that_changes_nothing_is_no_drawing(cast):
    cast.send([])
    assert not AuditRecord.objects.filter(verb="read.marked").exists()


def test_it_is_narrowed_by_person_kind_case_and_day(cast):
    cast.post("open/")
    cast.post("open/", who="ben", read=cast.bens_read)
    other = cast.new_read(cast.ben)
    cast.post("open/", who="ben", read=other)
    assert [who for who, *_ in lines(cast, person=cast.anna)] == [cast.anna.display_name]
    assert {case for _, _, case, _ in lines(cast, case=314)} == {314}
    assert len(lines(cast, case=314)) == 2
    assert len(lines(cast, kind=Kind.SAW)) == 3
    assert lines(cast, kind=Kind.DECIDED) == []
    assert lines(cast, until=timezone.now() - timedelta(days=1)) == []
    assert len(lines(cast, since=timezone.now() - timedelta(hours=1))) == 3


def test_what_happens_elsewhere_is_not_in_it(cast):
    from tests.annotations.reading.conftest import make_cast

    other = make_cast()
    other.post("open/")
    audit.record(other.anna, "account.signed_in", other.anna)
    assert lines(cast) == []


def test_a_case_that_was_taken_back_is_still_told(cast):
    other = cast.new_read(cast.ben)
    assignment.unassign(by=cast.lead, project=cast.project, read_id=other.public_id)
    [(who, what, case, _)] = lines(cast)
    assert (who, case) == (cast.lead.display_name, other.case.number)
    assert what == f"took the unopened case back from {cast.ben.display_name}"


# Blindness --------------------------------------------------------------------------------------


def busy(cast):
    """Ben has read the case, and a reviewer has had a say."""
    cast.apply([edit(cast.length())], who="ben", read=cast.bens_read)
    cast.submit(cast.bens_read, who="ben")
    cast.get("state/", who="reviewer", read=cast.bens_read)
    cast.post("comments/", {"text": "Here."}, who="reviewer", read=cast.bens_read)
    audit.record(cast.ben, "series.viewed", cast.ct)
    facts = {"purpose": "reference"}
    AuditRecord.objects.create(
        actor=cast.lead, verb="case.purpose_set", object_type="case", object_id=cast.case.pk, facts=facts
    )
    audit.record(cast.lead, "read.unassigned", cast.bens_read, reader=cast.ben.pk, case=cast.case.pk)


def test_a_lead_who_reads_a_case_finds_nothing_about_it(cast):
    busy(cast)
    assert len(lines(cast)) >= 6
    Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    assert lines(cast) == []
    assert lines(cast, case=314) == []
    text = cast.client("lead").get(address(cast, "?case=314")).content.decode()
    assert "No line is like that" in text
    assert "Ben" not in re.sub(r"<select.*?</select>", "", text, flags=re.DOTALL)


def test_a_lead_who_reads_a_case_finds_what_they_did_themselves(cast):
    busy(cast)
    own = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    cast.post("open/", who="lead", read=own)
    audit.record(cast.lead, "series.viewed", cast.ct)
    assert whats(cast) == ["looked at images", "opened the case for the first time"]
    assert {who for who, *_ in lines(cast)} == {cast.lead.display_name}


def test_comments_on_a_lead_s_own_read_are_not_told_before_its_return(cast):
    own = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema, state="submitted")
    written = Comment.objects.create(read=own, round=1, number=1, text="Wide.", by=cast.reviewer)
    audit.record(cast.reviewer, "comment.written", written, read=own.pk)
    assert lines(cast) == []


def test_it_is_a_lead_s_and_nobody_else_s(cast):
    for who, status in (("reviewer", 403), ("anna", 403), ("scientist", 403), ("outsider", 404)):
        assert cast.client(who).get(address(cast)).status_code == status
        assert cast.client(who).get(address(cast).rstrip("/") + ".csv").status_code == status


# The page ---------------------------------------------------------------------------------------


def test_pages_go_back_in_time_without_losing_a_line(cast):
    now = timezone.now()
    for _ in range(120):
        audit.record(cast.anna, "read.opened", cast.read)
    for number, record in enumerate(AuditRecord.objects.order_by("pk")):
        AuditRecord.objects.filter(pk=record.pk).update(at=now - timedelta(seconds=number // 7))
    found, before, pages = [], None, 0
    while True:
        page = page_of(records_for(cast.lead, cast.project, Wanted()), before)
        found += [record.pk for record in page.records]
        pages += 1
        if page.older is None:
            break
        before = page.older
    assert (len(found), len(set(found)), pages) == (120, 120, 3)


def test_many_lines_at_one_moment_stay_together(cast):
    for _ in range(70):
        audit.record(cast.anna, "read.opened", cast.read)
    AuditRecord.objects.update(at=timezone.now())
    page = page_of(records_for(cast.lead, cast.project, Wanted()), None)
    assert len(page.records) == 70
    assert page_of(records_for(cast.lead, cast.project, Wanted()), page.older).records == []


@pytest.mark.parametrize(
    "query", ["?case=x", "?case=0", "?kind=sung", "?person=nobody", "?since=yesterday", "?until=0000-00-00"]
)
def test_a_filter_that_is_none_is_said_and_selects_nothing(cast, query):
    cast.post("open/")
    answer = cast.client("lead").get(address(cast, query))
    assert answer.status_code == 200
    assert answer.context["lines"] == []
    assert 'class="notice bad"' in answer.content.decode()
    assert cast.client("lead").get(address(cast).rstrip("/") + f".csv{query}").status_code == 400


@pytest.mark.parametrize("before", ["x", "2026-13-01T00:00:00Z", "2026-01-01", "%00"])
def test_a_moment_that_is_none_asks_for_the_newest(cast, before):
    cast.post("open/")
    assert len(cast.client("lead").get(address(cast, f"?before={before}")).context["lines"]) == 1


def test_a_page_costs_the_same_queries_however_long_the_trail(cast):
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert cast.client("lead").get(address(cast)).status_code == 200
        return len(queries)

    audit.record(cast.lead, "reads.taken_back", cast.project, person=cast.ben.pk, reads=2)
    audit.record(cast.ben, "series.viewed", cast.ct)
    cast.post("open/")
    cast.submit()
    cast.post("comments/", {"text": "Here."}, who="reviewer")
    cost()
    before = cost()
    for _ in range(5):
        read = cast.new_read(cast.ben)
        cast.post("open/", who="ben", read=read)
        cast.submit(read, who="ben")
        cast.post("comments/", {"text": "Here."}, who="reviewer", read=read)
        audit.record(cast.anna, "series.viewed", cast.us)
    assert cost() == before


def test_the_table_has_the_same_lines_and_no_formulas(cast):
    cast.anna.first_name = "=HYPERLINK(1)"
    cast.anna.save()
    cast.post("open/")
    Case.objects.filter(pk=cast.case.pk).update(number=7)
    answer = cast.client("lead").get(address(cast).rstrip("/") + ".csv?kind=saw")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    [exported, opened] = rows
    assert exported["what"] == "exported this trail"
    assert (opened["who"], opened["case"], opened["verb"]) == ("'=HYPERLINK(1) Of Cast", "7", "read.opened")
    assert opened["read"] == cast.read.public_id


def test_a_count_of_one_reads_as_well_as_any():
    assert sentence("release.frozen", {"number": 3, "cases": 1}) == "froze release 3, cases: 1"
