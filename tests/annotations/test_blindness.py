"""Blindness attacked: what a reader is answered is the same whether another works on the case or not.

Asked is every address that has a row in `tests/test_every_url.py`, which every address needs, with the
filters that could give something away; by a reader, and by a reviewer and a lead who read the case too.
"""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts import audit, permissions
from accounts.models import AuditRecord
from annotations.models import (
    Annotation,
    Case,
    Comment,
    Comparison,
    Edit,
    IncidentalFinding,
    Presence,
    Read,
    ReadTime,
    ReferenceStandard,
    Review,
    Submission,
)
from tests.test_every_url import DICOMWEB, PIXELS, TABLE, WEBSOCKETS, rows
from tests.walking import BODIES, Walk, build

# In one process: what `told` asks takes longer than all tests that look at it.
pytestmark = pytest.mark.xdist_group("blindness")

READERS = ("reader", "reviewer", "lead")
LONG_AGO = datetime(2019, 3, 7, 4, 5, 6, tzinfo=UTC)
WORD = "ben-was-here"

# What the table of addresses does not try: filters, orders, counts, pages, and forms with something in them.
ASKED_TOO = """
GET /projects/respond/cases/?state=unassigned
GET /projects/respond/cases/?state=assigned
GET /projects/respond/cases/?state=in_progress
GET /projects/respond/cases/?state=submitted
GET /projects/respond/cases/?state=returned
GET /projects/respond/cases/?state=accepted
GET /projects/respond/cases/?state=set_aside
GET /projects/respond/cases/?state=to_adjudicate
GET /projects/respond/cases/?needs_adjudication=on
GET /projects/respond/cases/?purpose=reference
GET /projects/respond/cases/?reader={other_reader}
GET /projects/respond/cases/?late=on
GET /projects/respond/cases/?text=1
GET /projects/respond/cases/?sort=state
GET /projects/respond/cases/?sort=-priority
GET /projects/respond/cases/?order=agreement
GET /worklist/?project=respond
GET /worklist/?project=respond&state=submitted
GET /worklist/?text=1
GET /worklist/next/?after={others}
GET /worklist/{others}/
GET /api/v1/reads/?state=submitted
GET /api/v1/reads/?state=returned
GET /api/v1/reads/?as=reviewer
GET /api/v1/reads/?as=reader
GET /api/v1/reads/?project=respond&limit=1&offset=1
GET /api/v1/reads/?reader={other_reader}
GET /api/v1/reads/{others}/state/?at=1
GET /api/v1/reads/{others}/diff/?from=1
GET /api/v1/reads/{others}/history/?groups=1
POST /projects/respond/cases/1/aside/ read={others}&act=set_aside
POST /projects/respond/cases/1/purpose/ purpose=reference
POST /projects/respond/cases/unassign/ read={others}
POST /worklist/take/ project=respond
POST /projects/respond/cases/assign/ act=assign&case=1&readers={other_reader}
POST /projects/respond/cases/assign/ act=assign&way=specialty&case=1&readers={other_reader}
POST /projects/respond/cases/assign/ act=assign&way=share&readers_per_case=1&case=1&readers={other_reader}
POST /projects/respond/cases/assign/ act=unassign&case=1
POST /projects/respond/cases/assign/ act=reassign&case=1&from={other_reader}&to={other_reader}
POST /projects/respond/cases/assign/ act=due&case=1&due=2031-01-01
POST /projects/respond/cases/assign/ act=purpose&case=1&purpose=training
POST /projects/respond/cases/1/hand-over/ read={others}&to={other_reader}
POST /worklist/adjudicate/respond/1/ x=1
GET /worklist/?group=returned
GET /worklist/?modality=CT
GET /projects/respond/cases/?modality=CT
"""

UID = re.compile(r"\b[0-2](\.\d+){5,}\b")
"""Of images: drawn by chance, it may hold any number that is looked for."""

# Differs from one request to the next by itself.
OF_ITSELF = (
    (re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"'), "csrf"),
    (re.compile(r'(csrf[-_]?token"?[^"]{0,12}")[A-Za-z0-9]+"'), "csrf"),
    (re.compile(r'nonce-?="?[\w-]+'), "nonce"),
    (re.compile(r'data-csrf="[^"]+"'), "csrf"),
    (re.compile(r'^\{"id":"[0-9a-z]{12}","number"'), "a comment just written"),
    (re.compile(r"\d\d:\d\d(:\d\d)?(\.\d+)?"), "clock"),
    (re.compile(r"/access/requests/[0-9a-z]{12}/"), "a request just begun"),
)


@pytest.fixture(scope="module")
def walk(django_db_setup, django_db_blocker):
    """One committed node. Three people have just been given case 1, and have done nothing yet."""
    with django_db_blocker.unblock():
        walk = build()
        people, case = walk.scene.people, walk.scene.cases[0]
        for name in ("lead", "reviewer"):
            permissions.grant(user=people[name], role="reader", scope=walk.scene.project)
            Read.objects.create(case=case, reader=people[name], schema=walk.scene.schema)
        walk.names["other_reader"] = people["other_reader"].public_id
        yield walk
        walk.close()
        call_command("flush", verbosity=0, interactive=False)


def nobody_else_has_worked(walk: Walk) -> None:
    Read.objects.filter(public_id=walk.names["others"]).delete()


def another_has_worked(walk: Walk) -> None:
    """The other reader drew on case 1, handed in, was judged and compared; all with words to look for."""
    people, case = walk.scene.people, walk.scene.cases[0]
    read = Read.objects.create(
        public_id=walk.names["others"], case=case, reader=people["other_reader"], schema=walk.scene.schema
    )
    given = {"read": read, "annotation_id": "0b1e4a0e-4a3f-4b83-8d1c-000000000001", "version": 1}
    value = {
        "kind": "segment",
        "label": "lesion",
        "note": WORD,
        "state": "present",
        "origin": {"from": "reader"},
    }
    Annotation.objects.create(**given, schema=walk.scene.schema, value=value)
    Edit.objects.create(
        **given,
        number=1,
        edit_id="0b1e4a0e-4a3f-4b83-8d1c-000000000002",
        group="0b1e4a0e-4a3f-4b83-8d1c-000000000003",
        by=read.reader,
        value=value,
        drawn_at=LONG_AGO,
    )
    first = Submission.objects.create(read=read, round=1, edit_number=1, by=read.reader)
    Review.objects.create(submission=first, verdict="return", text=WORD, by=people["manager"])
    Comment.objects.create(read=read, round=1, number=1, text=WORD, by=people["manager"])
    second = Submission.objects.create(read=read, round=2, edit_number=1, by=read.reader)
    Submission.objects.filter(read=read).update(at=LONG_AGO)
    ReadTime.objects.create(read=read, active_s=4711, open_s=4712)
    Presence.objects.create(
        read=read, user=read.reader, tab="0b1e4a0e-4a3f-4b83-8d1c-000000000004", seen_at=timezone.now()
    )
    study = case.case_studies.first().study
    IncidentalFinding.objects.create(read=read, study=study, text=WORD, by=read.reader)
    audit.record(read.reader, "read.submitted", read, round=2, edit_number=1)
    AuditRecord.objects.filter(object_id=read.pk, verb="read.submitted").update(at=LONG_AGO)
    Comparison.objects.create(
        case=case, first=first, second=second, label="lesion", dice=0.4711, hd95_mm=47.11, disagrees=True
    )
    Read.objects.filter(pk=read.pk).update(
        state=Read.State.ACCEPTED, round=2, last_edit_number=1, changed_at=LONG_AGO, due=LONG_AGO.date()
    )
    ReferenceStandard.objects.create(case=case, submission=second, how="accepted")
    Case.objects.filter(pk=case.pk).update(
        purpose=Case.Purpose.HIDDEN_REFERENCE,
        needs_adjudication=True,
        disagreements=[f"{WORD}: the readers differ."],
        compared_at=LONG_AGO,
    )


def asked(walk: Walk, role: str, method: str, path: str, form: str = "") -> tuple[int, str, str]:
    """Status, where it leads, and what is said; what the request changed is undone."""
    path, form = path.format(**walk.names), form.format(**walk.names)
    client = walk.clients[role]
    cookies = client.cookies.copy()
    is_api = path.startswith("/api/")
    body = BODIES.get(path.split("?")[0].rsplit("/", 2)[-2], b"{}") if is_api else form.encode()
    kind = "application/json" if is_api else "application/x-www-form-urlencoded"
    with transaction.atomic():
        answer = client.generic(method, path, body, content_type=kind)
        if not answer.streaming:
            content = answer.content
        else:  # an archive that streams asynchronously is of a release, whose files are fixed
            content = b"" if answer.is_async else b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    if answer.streaming:  # the client has closed all others; again, it would close the database as well
        answer.close()
    client.cookies = cookies
    said, onward = content.decode("utf-8", "replace"), answer.headers.get("Location", "")
    for pattern, word in OF_ITSELF:
        said, onward = pattern.sub(word, said), pattern.sub(word, onward)
    return answer.status_code, onward, said


def requests() -> list[tuple[str, str, str]]:
    table = [(method, path, "") for method, path, _ in rows(TABLE, 2) if "sign-out" not in path]
    more = [line.split() for line in ASKED_TOO.strip().splitlines()]
    return table + [(line[0], line[1], " ".join(line[2:])) for line in more]


type Answers = dict[str, tuple[int, str, str]]


def answers(walk: Walk, role: str) -> Answers:
    """What one person gets to every question, in the world as it is."""
    return {
        f"{method} {path} {form}".strip(): asked(walk, role, method, path, form)
        for method, path, form in requests()
    }


@pytest.fixture(scope="module")
def told(walk: Walk, django_db_blocker) -> dict[str, tuple[Answers, Answers]]:
    """By person: every answer where nobody else has worked on the case, and where somebody has."""
    with django_db_blocker.unblock():
        nobody_else_has_worked(walk)
        alone = {role: answers(walk, role) for role in READERS}
        with transaction.atomic():
            another_has_worked(walk)
        return {role: (alone[role], answers(walk, role)) for role in READERS}


@pytest.mark.parametrize("role", READERS)
def test_no_answer_depends_on_another_s_work(told: dict[str, tuple[Answers, Answers]], role: str) -> None:
    alone, beside = told[role]
    differ = {question for question in alone if alone[question] != beside[question]}
    assert not differ, _difference(alone, beside, differ)


@pytest.mark.parametrize("role", READERS)
def test_no_answer_holds_a_trace_of_it(
    walk: Walk, told: dict[str, tuple[Answers, Answers]], role: str
) -> None:
    traces = (WORD, "4711", "47.11", "2019", walk.names["others"])
    asked_back = {
        question for question in told[role][1] if "{others}" in question
    }  # an address repeats itself
    found = {
        question: trace
        for question, (_, _, said) in told[role][1].items()
        for trace in traces
        if trace in UID.sub("", said) and not (trace == walk.names["others"] and question in asked_back)
    }
    assert found == {}


@pytest.mark.parametrize("role", READERS)
def test_no_door_opens_because_of_another_s_work(walk: Walk, role: str) -> None:
    """Pixels, DICOMweb and websockets ask from threads of their own, so what they ask about is committed."""
    roads = [path for path, _ in rows(PIXELS, 1)] + [path for path, _ in rows(DICOMWEB, 1)]
    sockets = [path for path, _ in rows(WEBSOCKETS, 1)]

    def doors() -> SimpleNamespace:
        return SimpleNamespace(
            raw={path: walk.raw(role, path) for path in roads},
            open={path: walk.websocket(role, path) for path in sockets},
        )

    others = Read.objects.get(public_id=walk.names["others"])
    Read.objects.filter(pk=others.pk).update(public_id="thisisnobody")
    alone = doors()
    Read.objects.filter(pk=others.pk).update(public_id=others.public_id, state=Read.State.SUBMITTED)
    try:
        assert doors() == alone
    finally:
        Read.objects.filter(pk=others.pk).update(state=others.state)


def _difference(alone: Answers, beside: Answers, differ: set[str]) -> str:
    lines = []
    for question in sorted(differ):
        first, second = alone[question], beside[question]
        if first[:2] != second[:2]:
            lines.append(f"{question}: {first[:2]} or {second[:2]}")
            continue
        at = next((i for i, (a, b) in enumerate(zip(first[2], second[2], strict=False)) if a != b), -1)
        lines.append(f"{question}: …{first[2][max(at - 60, 0) : at + 80]!r} or …{second[2][at : at + 80]!r}")
    return "\n".join(lines)
