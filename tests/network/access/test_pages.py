"""The pages of requests, as each of their people sees them."""

import csv
import io
import socket
import threading
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import permissions
from accounts.models import AuditRecord, Organisation
from atlas.access import record_viewing
from atlas.models import Dataset, Series
from network.access import asking, cart, deciding, documents, states
from network.access.deciding import AGREEMENT
from network.access.states import State
from network.models import AccessGrant, AccessPart, AccessRequest
from tests.cast import person, signed_in, study_of
from tests.network.access.conftest import (
    NEXT_YEAR,
    PDF,
    agreed,
    approved,
    filled,
    listed,
    opened,
    pdf,
    sent,
)

pytestmark = pytest.mark.django_db


def page(user, name: str, *args, **query):
    return signed_in(user).get(reverse(name, args=args), query)


def post(user, name: str, *args, **facts):
    return signed_in(user).post(reverse(name, args=args), facts)


def test_from_the_catalogue_to_open_images_by_pages_alone(researcher, judge, lung, lung_listing):
    assert page(researcher, "access-add", "lung").status_code == 200
    answer = post(researcher, "access-add", "lung", mode="view")
    draft = AccessRequest.objects.get()
    assert answer.url == reverse("access-request", args=[draft.public_id])
    told = {
        "title": "Small nodules",
        "affiliation": "Lund",
        "purpose": "We train a model for small nodules.",
        "use_terms": ["DUO:0000037", "DUO:9999999"],
        f"mode-{lung_listing.public_id}": "download",
    }
    post(researcher, "access-request", draft.public_id, deed="save", **told)
    post(researcher, "access-attach", draft.public_id, file=pdf())
    text = page(researcher, "access-request", draft.public_id).content.decode()
    assert "We train a model for small nodules." in text
    assert "vote.pdf" in text
    answer = post(researcher, "access-request", draft.public_id, deed="send", **told)
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert draft.sent_at
    assert draft.use_terms == ["DUO:0000037"]
    part = draft.parts.get()
    text = page(judge, "access-committee").content.decode()
    assert "Small nodules" in text
    text = page(judge, "access-part", part.public_id).content.decode()
    assert "Mira Holm" in text
    assert "mira@example.org" in text
    item = part.items.get()
    post(
        judge, "access-part", part.public_id, deed="approve", seen=states.version_of(part),
        agreement=AGREEMENT, conditions="Tell us of the paper.",
        **{f"mode-{item.pk}": "view", f"end-{item.pk}": NEXT_YEAR.isoformat()},
    )  # fmt: skip
    part.refresh_from_db()
    assert part.state == State.APPROVED
    text = page(researcher, "access-request", draft.public_id).content.decode()
    assert "Tell us of the paper." in text
    sha256 = states.terms_sha256(part)
    post(researcher, "access-agree", part.public_id, sha256=sha256)  # without the tick
    assert not AccessGrant.objects.exists()
    post(researcher, "access-agree", part.public_id, sha256=sha256, accept="yes")
    assert AccessGrant.objects.get().mode == "view"
    text = page(researcher, "access-dataset", "lung").content.decode()
    assert "L-1" in text
    assert "You may view these images on this node until" in text
    assert "/pack/" not in text
    assert "Lung nodules" in page(researcher, "access").content.decode()


def test_an_unfinished_request_is_kept_and_says_what_is_missing(researcher, lung_listing):
    draft = cart.add(by=researcher, listing=lung_listing, mode="view")
    answer = post(researcher, "access-request", draft.public_id, deed="send", title="Nodules")
    assert answer.status_code == 422
    assert "Choose at least one kind of research." in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.title, draft.sent_at) == ("Nodules", None)


def test_requests_are_their_researchers_and_committees_alone(
    researcher, judge, other_judge, owner, lung_listing
):
    request = filled(researcher, (lung_listing, "view"))
    kept = documents.attach(by=researcher, request=request, file=pdf())
    part = request.parts.get()
    stranger = person("otto")

    def seen(user) -> list[int]:
        return [
            page(user, "access-request", request.public_id).status_code,
            page(user, "access-part", part.public_id).status_code,
            page(user, "access-document", kept.public_id).status_code,
        ]

    assert seen(researcher) == [200, 404, 200]
    assert seen(judge) == [404, 404, 404]  # a draft is nobody else's
    asking.send(by=researcher, request=request)
    assert seen(researcher) == [200, 404, 200]
    assert seen(judge) == [404, 200, 200]
    for user in (other_judge, owner, stranger):
        assert seen(user) == [404, 404, 404]


def test_a_draft_that_is_thrown_away_is_nobody_elses_either(researcher, judge, lung_listing):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    kept = documents.attach(by=researcher, request=request, file=pdf())
    asking.withdraw(by=researcher, request=request)
    assert page(judge, "access-part", request.parts.get().public_id).status_code == 404
    assert page(judge, "access-document", kept.public_id).status_code == 404


def test_a_document_is_kept_by_the_browser_and_never_shown(researcher, lung_listing):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    kept = documents.attach(by=researcher, request=request, file=pdf('a"b Ü.pdf'))
    answer = page(researcher, "access-document", kept.public_id)
    assert answer.content == PDF
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"ab _.pdf\"; filename*=UTF-8''ab%20%C3%9C.pdf"
    )
    assert "no-store" in answer.headers["Cache-Control"]


def test_what_people_write_is_shown_as_text(researcher, judge, lung_listing):
    request = filled(researcher, (lung_listing, "view"))
    AccessRequest.objects.update(title="<script>alert(1)</script>", purpose="<img src=x onerror=alert(2)>")
    request.refresh_from_db()
    asking.send(by=researcher, request=request)
    part = request.parts.get()
    deciding.ask(by=judge, part=part, text="<b>Who?</b>")
    for user, name, key in (
        (researcher, "access-request", request.public_id),
        (judge, "access-part", part.public_id),
    ):
        text = page(user, name, key).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>Who?" not in text


def test_a_decision_on_an_old_page_changes_nothing_and_says_so(researcher, judge, colleague, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    seen = states.version_of(part)
    deciding.ask(by=colleague, part=part, text="Who?")
    answer = post(judge, "access-part", part.public_id, deed="refuse", text="No.", seen=seen)
    assert answer.status_code == 422
    assert "since you opened it" in answer.content.decode()
    part.refresh_from_db()
    assert part.state == State.QUESTION


def test_the_form_of_an_approval_is_refused_without_an_end(researcher, judge, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    item = part.items.get()
    answer = post(
        judge, "access-part", part.public_id, deed="approve", seen=states.version_of(part),
        agreement="Yes.", **{f"mode-{item.pk}": "view", f"end-{item.pk}": ""},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Say until when." in answer.content.decode()


def test_a_dataset_that_is_not_granted_has_no_page(researcher, judge, lung, breast, lung_listing):
    part = opened(researcher, judge, lung_listing, "view")
    assert page(researcher, "access-dataset", "lung").status_code == 200
    assert page(researcher, "access-dataset", "breast").status_code == 404
    assert page(researcher, "dataset", "lung").status_code == 404  # the page of those who look after it
    deciding.withdraw(by=judge, part=part, reason="A breach.")
    assert page(researcher, "access-dataset", "lung").status_code == 404
    assert "A breach." in page(researcher, "access-request", part.request.public_id).content.decode()


def test_a_grant_for_counts_shows_no_study(researcher, judge, lung, lung_listing):
    opened(researcher, judge, lung_listing, "count")
    text = page(researcher, "access-dataset", "lung").content.decode()
    assert "Its images are not open to you." in text
    assert "L-1" not in text


def test_the_viewer_is_told_of_a_subjects_studies_and_no_marks(researcher, judge, lung, lung_listing):
    opened(researcher, judge, lung_listing, "view")
    study = lung.studies.filter(subject__pseudonym="L-1").latest("date")
    assert page(researcher, "access-study", study.public_id).status_code in (200, 503)  # 503: not built here
    told = page(researcher, "api-access-study", study.public_id).json()
    assert told["you"]["capacity"] == "viewer"
    assert not told["you"]["may_edit"]
    assert [one["date"] for one in told["studies"]] == ["2024-01-01", "2024-04-10"]
    assert {s["modality"] for one in told["studies"] for s in one["series"]} == {"CT", "PT"}
    assert told["imported"] == told["comments"] == told["schema"]["labels"] == []
    stranger = person("otto")
    assert page(stranger, "access-study", study.public_id).status_code == 404
    assert page(stranger, "api-access-study", study.public_id).status_code == 404


def test_a_program_reads_its_requests_and_grants(researcher, judge, lung_listing):
    part = opened(researcher, judge, lung_listing, "view")
    [request] = page(researcher, "api-access-requests").json()["results"]
    assert request["id"] == part.request.public_id
    [answer] = request["parts"]
    assert (answer["organisation"], answer["state"], answer["node"]) == (
        "Karlsund University Hospital", "granted", None,
    )  # fmt: skip
    assert answer["datasets"] == [
        {
            "dataset": "lung", "mode": "view", "granted": "view",
            "ends_on": NEXT_YEAR.isoformat(), "withdrawn_at": None,
        }
    ]  # fmt: skip
    [grant] = page(researcher, "api-access-grants").json()["results"]
    assert (grant["dataset"], grant["mode"], grant["request"]) == ("lung", "view", part.request.public_id)
    assert page(judge, "api-access-requests").json()["results"] == []
    assert page(judge, "api-access-grants").json()["results"] == []


def cost(user, name: str, *args) -> int:
    """The queries of a page, beside those that are asked once and remembered."""
    page(user, name, *args)
    with CaptureQueriesContext(connection) as asked:
        assert page(user, name, *args).status_code == 200
    return len(asked)


def test_lists_cost_the_same_for_3_and_12(researcher, judge, lung_listing):
    lists = ((researcher, "access"), (judge, "access-committee"), (researcher, "api-access-requests"))
    for _ in range(3):
        opened(researcher, judge, lung_listing, "view")
    few = [cost(*one) for one in lists]
    for _ in range(9):
        opened(researcher, judge, lung_listing, "view")
    assert [cost(*one) for one in lists] == few


def test_a_request_costs_the_same_for_3_datasets_and_12(researcher, judge, karlsund):
    """As a draft, while its committee decides, when it waits for the agreement, and when it is open."""

    def request_of(count: int) -> AccessRequest:
        names = [f"part-{at}-of-{count}" for at in range(count)]
        made = [Dataset.objects.create(organisation=karlsund, name=name, slug=name) for name in names]
        return filled(researcher, *((listed(one), "view") for one in made))

    costs = {}
    for count in (3, 12):
        request = request_of(count)
        part = request.parts.get()
        of_researcher = (researcher, "access-request", request.public_id)
        of_committee = (judge, "access-part", part.public_id)
        costs[count] = [cost(*of_researcher)]
        asking.send(by=researcher, request=request)
        for _ in range(count):
            asking.answer(by=researcher, part=part, text="More.")
        costs[count] += [cost(*of_researcher), cost(*of_committee)]
        approved(part, judge)
        costs[count] += [cost(*of_researcher), cost(*of_committee)]
        agreed(part)
        costs[count] += [cost(*of_researcher), cost(*of_committee)]
    # A committee is shown what the same person asked before: one query, however many.
    assert costs[3] == costs[12]


def test_a_request_costs_the_same_for_3_committees_and_12(researcher):
    def request_of(count: int) -> AccessRequest:
        wanted = []
        for at in range(count):
            slug = f"h-{count}-{at}"
            organisation = Organisation.objects.create(name=slug, slug=slug, country="SE")
            dataset = Dataset.objects.create(organisation=organisation, name=slug, slug=slug)
            wanted.append((listed(dataset), "view"))
        return sent(researcher, *wanted)

    few, many = (cost(researcher, "access-request", request_of(count).public_id) for count in (3, 12))
    assert few == many


# Who accessed what --------------------------------------------------------------------------------


@pytest.fixture
def looked(researcher, judge, owner, lung, lung_listing) -> AccessPart:
    """The researcher looked, and took one series; the manager looked, too."""
    part = opened(researcher, judge, lung_listing, "download")
    series = list(Series.objects.filter(study__dataset=lung, modality="CT").order_by("pk"))
    for one in series:
        record_viewing(researcher, one)
    record_viewing(owner, series[0])
    from atlas.access import record_taking

    record_taking(researcher, [series[0].pk])
    return part


@pytest.fixture(autouse=True)
def nothing_remembered():
    from atlas import access

    access._remembered.clear()


def test_the_log_says_who_what_when_and_why(looked, judge, owner, researcher, other_judge):
    rows = csv.DictReader(io.StringIO(_read(page(judge, "accesses-table", "karlsund"))))
    told = [(r["user name"], r["what"], r["subject"], r["why"], r["request"], r["mode"]) for r in rows]
    assert sorted(told) == [
        ("mira", "downloaded", "L-1", "Small nodules", looked.request.public_id, "download"),
        ("mira", "viewed", "L-1", "Small nodules", looked.request.public_id, "download"),
        ("mira", "viewed", "L-1", "Small nodules", looked.request.public_id, "download"),
        ("mira", "viewed", "L-2", "Small nodules", looked.request.public_id, "download"),
        ("nina", "viewed", "L-1", "By role: Manager", "", ""),
    ]
    assert page(owner, "accesses", "karlsund").status_code == 200
    for user in (researcher, other_judge, person("otto")):
        assert page(user, "accesses", "karlsund").status_code == 404
        assert page(user, "accesses-table", "karlsund").status_code == 404
        assert page(user, "accesses-messages", "karlsund").status_code == 404
    used = AuditRecord.objects.filter(verb="access_log.used").values_list("actor__username", "facts__how")
    assert list(used.order_by("pk")) == [("anna", "csv"), ("nina", "page")]


def _read(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_the_log_is_narrowed_and_paged(looked, judge, researcher, monkeypatch):
    from network.access import log

    found = page(judge, "accesses", "karlsund", person=researcher.public_id, what="series.downloaded")
    assert [(line.user_name, line.verb) for line in found.context["lines"]] == [("mira", "series.downloaded")]
    assert page(judge, "accesses", "karlsund", what="nothing").status_code == 400
    assert page(judge, "accesses-table", "karlsund", since="x").status_code == 400
    organisation = looked.organisation
    every = list(log.every_line(organisation, log.Wanted(), size=2))
    assert len(every) == 5
    first = log.page_of(organisation, log.Wanted(), None, 2)
    second = log.page_of(organisation, log.Wanted(), first.older, 2)
    assert [*first.lines, *second.lines] == every[:4]


def test_the_log_costs_the_same_for_3_datasets_and_people_and_12(karlsund, judge):
    """Also those who look by a role: each has it on one of the datasets."""

    def look(since: int, until: int) -> None:
        for at in range(since, until):
            dataset = Dataset.objects.create(organisation=karlsund, name=f"Set {at}", slug=f"set-{at}")
            looking = person(f"nurse{at}")
            permissions.grant(user=looking, role="data_manager", scope=dataset)
            record_viewing(looking, study_of(dataset, f"S-{at}").series.get())

    look(0, 3)
    few = cost(judge, "accesses", "karlsund")
    look(3, 12)
    assert cost(judge, "accesses", "karlsund") == few
    lines = page(judge, "accesses", "karlsund").context["lines"]
    assert {line.why for line in lines} == {"By role: Data manager"}
    assert len(lines) == 12


def test_the_log_names_the_role_on_the_organisation_before_one_on_a_dataset(karlsund, lung, judge, owner):
    permissions.grant(user=owner, role="data_manager", scope=lung)
    record_viewing(owner, lung.studies.latest("date").series.first())
    [line] = page(judge, "accesses", "karlsund").context["lines"]
    assert line.why == "By role: Manager"


def test_what_was_erased_is_still_told_of_without_its_subject(looked, judge, lung):
    Series.objects.filter(study__dataset=lung).delete()
    lines = page(judge, "accesses", "karlsund").context["lines"]
    assert len(lines) == 5
    assert {(line.dataset, line.subject) for line in lines} == {("Lung nodules", "")}


def test_after_the_end_a_look_is_not_explained_by_the_grant(looked, judge, researcher, lung):
    AccessGrant.objects.update(ends_at=timezone.now() - timedelta(days=400))
    lines = page(judge, "accesses", "karlsund", person=researcher.public_id).context["lines"]
    assert {line.request for line in lines} == {""}


def test_a_formula_in_a_purpose_stays_text(looked, judge):
    AccessRequest.objects.update(title="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in _read(page(judge, "accesses-table", "karlsund"))


def test_audit_messages_come_by_page_and_by_command(looked, judge, tmp_path):
    answer = page(judge, "accesses-messages", "karlsund")
    by_page = _read(answer).splitlines()
    assert 'filename="karlsund-audit-messages.txt"' in answer.headers["Content-Disposition"]
    out = io.StringIO()
    call_command("export_audit_messages", "karlsund", stdout=out)
    assert out.getvalue().splitlines() == by_page
    assert len(by_page) == 5
    assert all(ET.fromstring(line).tag == "AuditMessage" for line in by_page)


def test_the_command_sends_messages_to_an_audit_repository(looked):
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            connection, _ = server.accept()
            with connection:
                while piece := connection.recv(65536):
                    received.extend(piece)

        thread = threading.Thread(target=take)
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        out = io.StringIO()
        call_command("export_audit_messages", "karlsund", syslog=place, stdout=out)
        thread.join(timeout=10)
    assert out.getvalue() == f"5 messages sent to {place}.\n"
    assert received.count(b"<AuditMessage>") == 5


def test_the_command_says_what_is_wrong(looked):
    with pytest.raises(CommandError, match="no organisation 'nowhere'"):
        call_command("export_audit_messages", "nowhere")
    with pytest.raises(CommandError, match="names a host and a port"):
        call_command("export_audit_messages", "karlsund", syslog="nowhere")
