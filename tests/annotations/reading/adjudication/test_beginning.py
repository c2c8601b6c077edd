"""Who adjudicates: one person at a time, and never somebody who has read the case."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import permissions
from accounts.models import AuditRecord, User
from annotations.models import Read, ReadingDesign
from annotations.reading.adjudication import access
from annotations.reading.adjudication.rows import find
from annotations.reading.aside import set_aside
from tests.annotations.reading.adjudication.conftest import box


def test_a_reviewer_takes_a_disputed_case_and_finds_each_lesion(disputed):
    adjudication = disputed.adjudication()
    assert adjudication.kind == "adjudication"
    assert adjudication.reader == disputed.cast.reviewer
    shown = disputed.shown(adjudication)
    assert [reader["letter"] for reader in shown["readers"]] == ["A", "B", "C"]
    assert {reader["read"] for reader in shown["readers"]} == {
        read.public_id for read in disputed.reads.values()
    }
    (lesion,) = shown["lesions"]
    assert (lesion["label"], lesion["state"], lesion["present"], lesion["agree"]) == (
        "tumour",
        "open",
        3,
        False,
    )
    assert (shown["settled"], shown["total"]) == (0, 1)
    assert lesion["place"]["sop"] == disputed.cast.sop(lesion["place"]["index"])


def test_the_adjudicator_sees_letters_and_no_names(disputed):
    adjudication = disputed.adjudication()
    answer = disputed.cast.get("", read=adjudication, who="reviewer")
    assert answer.json()["kind"] == "adjudication"
    for name in ("Anna", "Ben", "Cara"):
        assert name not in answer.content.decode()


def test_taking_it_again_opens_the_same_and_somebody_else_is_told_who_has_it(disputed):
    adjudication = disputed.adjudication()
    assert disputed.adjudication() == adjudication
    refused = disputed.begin("lead")
    assert refused.status_code == 409
    assert refused.json()["reason"].startswith("Reviewer Of Cast adjudicates this case since")
    assert Read.objects.filter(kind="adjudication").count() == 1


@pytest.mark.parametrize("role", ["reviewer", "lead"])
def test_nobody_judges_a_case_that_they_have_read(disputed, role):
    anna = disputed.cast.anna
    permissions.grant(user=anna, role=role, scope=disputed.cast.project)
    refused = disputed.begin("anna")
    assert refused.status_code == 403
    assert "You have read this case" in refused.json()["reason"]
    assert not access.cases_to_adjudicate(anna).exists()
    assert anna not in access.candidates(disputed.case)
    named = disputed.begin("lead", adjudicator=anna.public_id)
    assert named.status_code == 409


def test_whoever_drew_in_a_read_before_it_was_handed_over_judges_nothing(disputed):
    cast, anna = disputed.cast, disputed.cast.anna
    other = User.objects.create_user("dora", first_name="Dora")
    Read.objects.filter(pk=disputed.reads["anna"].pk).update(reader=other)
    permissions.grant(user=anna, role="reviewer", scope=cast.project)
    assert disputed.begin("anna").status_code == 403
    assert anna not in access.candidates(disputed.case)
    assert not access.cases_to_adjudicate(anna).exists()
    assert access.cases_to_adjudicate(cast.reviewer).exists()


def test_a_case_waits_for_nobody_who_still_reads_it(disputed):
    """An extra read under way: for its reader the adjudication doesn't exist, whatever else they are."""
    cast = disputed.cast
    permissions.grant(user=cast.reviewer, role="reader", scope=cast.project)
    Read.objects.create(case=disputed.case, reader=cast.reviewer, schema=cast.schema)
    assert disputed.begin("reviewer").status_code == 404
    url = f"/api/v1/projects/{cast.project.slug}/cases/{disputed.case.number}/adjudication/"
    assert cast.client("reviewer").get(url).status_code == 404
    assert not access.cases_to_adjudicate(cast.reviewer).exists()


@pytest.mark.parametrize(
    ("who", "status"),
    [("anna", 403), ("scientist", 403), ("outsider", 404), ("nobody", 401), ("reviewer", 200), ("lead", 200)],
)
def test_who_may_ask_how_a_case_stands(disputed, who, status):
    url = f"/api/v1/projects/{disputed.cast.project.slug}/cases/{disputed.case.number}/adjudication/"
    answer = disputed.cast.client(who).get(url)
    assert answer.status_code == status
    assert disputed.begin(who).status_code == (201 if status == 200 else status)


def test_a_lead_names_somebody_and_hands_over_with_all_that_is_settled(disputed):
    cast = disputed.cast
    begun = disputed.begin("lead", adjudicator=cast.reviewer.public_id)
    adjudication = Read.objects.get(public_id=begun.json()["read"])
    assert adjudication.reader == cast.reviewer
    find(adjudication.pk)
    assert disputed.settle(adjudication, choice={"take": "union"}).status_code == 200
    path = "adjudication/hand-over/"
    assert (
        cast.post(path, {"adjudicator": cast.lead.public_id}, who="reviewer", read=adjudication).status_code
        == 403
    )
    readers = cast.post(path, {"adjudicator": cast.anna.public_id}, who="lead", read=adjudication)
    assert readers.status_code == 409
    given = cast.post(path, {"adjudicator": cast.lead.public_id}, who="lead", read=adjudication)
    assert given.status_code == 200, given.content
    assert disputed.shown(adjudication, "lead")["settled"] == 1
    # The first adjudicator is told, and writes nothing any more.
    assert cast.get("adjudication/", who="reviewer", read=adjudication).status_code in (403, 404)
    written = AuditRecord.objects.filter(verb__startswith="adjudication.").order_by("pk")
    assert list(written.values_list("verb", flat=True)) == [
        "adjudication.assigned",
        "adjudication.settled",
        "adjudication.handed_over",
    ]


def test_what_was_set_aside_is_gone_on_with_or_begun_anew_by_somebody_else(disputed):
    cast = disputed.cast
    adjudication = disputed.adjudication()
    disputed.settle(adjudication, choice={"take": "union"})
    set_aside(by=cast.lead, read_id=adjudication.public_id)
    anew = disputed.adjudication("lead")
    assert anew != adjudication
    assert disputed.begin("reviewer").status_code == 409
    Read.objects.filter(pk=anew.pk).update(state="set_aside")
    assert disputed.adjudication() == adjudication
    assert disputed.shown(adjudication)["settled"] == 1


def test_readers_who_agree_are_judged_only_where_a_lead_wants_it(reading):
    for name in reading.reads:
        reading.draw(name, {2: box(4, 4, 10, 10)})
    assert reading.begin("lead").status_code == 409  # nothing is read yet
    reading.hand_in()
    reading.decided()
    assert reading.begin("reviewer").status_code == 409
    assert reading.begin("lead").status_code == 201


@pytest.mark.parametrize("who", ["anna", "ben", "cara", "scientist", "outsider"])
def test_an_adjudication_is_nowhere_for_readers(disputed, who):
    adjudication = disputed.adjudication()
    reader = disputed.reads["anna"].public_id
    for path in ("adjudication/", f"adjudication/reads/{reader}/state/", "", "state/"):
        assert disputed.cast.get(path, who=who, read=adjudication).status_code in (403, 404), path
    for path in ("preview/", "settle/", "open/"):
        sent = disputed.cast.post(f"adjudication/lesions/1/{path}", {}, who=who, read=adjudication)
        assert sent.status_code in (403, 404), path
    for path in ("agreed/", "hand-over/"):
        sent = disputed.cast.post(f"adjudication/{path}", {}, who=who, read=adjudication)
        assert sent.status_code in (403, 404), path


def test_a_lead_looks_on_once_it_is_handed_in_and_sees_names(disputed):
    adjudication = disputed.adjudication()
    assert disputed.cast.get("adjudication/", who="lead", read=adjudication).status_code == 403
    disputed.settle(adjudication, choice={"take": "union"})
    disputed.cast.submit(adjudication, who="reviewer")
    names = [reader["name"] for reader in disputed.shown(adjudication, "lead")["readers"]]
    assert sorted(names) == ["Anna Of Cast", "Ben Of Cast", "Cara Of Cast"]


def test_each_readers_marks_are_shown_as_they_were_handed_in(disputed):
    adjudication = disputed.adjudication()
    read = disputed.reads["anna"]
    handed_in = disputed.cast.get("state/", who="reviewer", read=read).json()
    path = f"adjudication/reads/{read.public_id}/state/"
    assert disputed.cast.get(path, who="reviewer", read=adjudication).json() == handed_in
    stranger = disputed.cast.new_read()
    other = f"adjudication/reads/{stranger.public_id}/state/"
    assert disputed.cast.get(other, who="reviewer", read=adjudication).status_code == 404


def test_a_read_that_comes_later_changes_no_letter(disputed):
    adjudication = disputed.adjudication()
    before = disputed.shown(adjudication)["readers"]
    cast = disputed.cast
    extra = Read.objects.create(case=disputed.case, reader=cast.lead, schema=cast.schema)
    disputed.reads["lead"] = extra
    permissions.grant(user=cast.lead, role="reader", scope=cast.project)
    disputed.draw("lead", {2: box(4, 4, 10, 10)})
    disputed.hand_in("lead")
    assert disputed.shown(adjudication)["readers"] == before
    disputed.decided()
    assert Read.objects.filter(kind="adjudication").count() == 1


def test_it_takes_no_more_queries_for_more_lesions(reading):
    def queries():
        reading.hand_in()
        reading.decided()
        adjudication = reading.adjudication()
        disputed = [
            disputed for disputed in reading.shown(adjudication)["lesions"] if disputed["disagreements"]
        ]
        with CaptureQueriesContext(
            connection,
        ) as found:
            reading.shown(adjudication)
        adjudication.delete()
        for read in reading.reads.values():
            Read.objects.filter(pk=read.pk).update(state="in_progress")
            read.submissions.all().delete()
        return len(disputed), len(found)

    reading.draw("anna", {2: box(4, 4, 4, 4)})
    one, few = queries()
    for at in (10, 18, 26):
        reading.draw("anna", {2: box(4, at, 4, 4)})
    four, many = queries()
    assert (one, four) == (1, 4)
    assert many == few


def test_a_project_that_never_adjudicates_says_so(disputed):
    ReadingDesign.objects.filter(pk=disputed.design.pk).update(adjudication="never")
    disputed.decided()
    assert not disputed.case.needs_adjudication
    assert disputed.begin("reviewer").status_code == 409
