"""Walks addresses as each of a node's people. `tests/test_every_url.py` holds what they should get."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import User
from accounts.services.tokens import make_token
from annotations.models import (
    AdjudicatedLesion,
    CaseStudy,
    Comment,
    HangingProtocol,
    ImportedSegment,
    IncidentalFinding,
    PredictedCase,
    Prediction,
    Read,
    Recall,
    RecallNotice,
    ReleaseFile,
    ReleaseUse,
)
from atlas.archive import intake, sealing
from atlas.archive.storage import new_key, storage
from atlas.asgi import application
from atlas.models import ClinicalImport, Upload, UploadFile
from network.models import (
    AccessDocument,
    AccessItem,
    AccessPart,
    AccessRequest,
    HeldPart,
    HeldQuestion,
    Listing,
    Node,
    NodeInvitation,
    Question,
)
from tests import scene as scenes
from tests.atlas.slices import series as slices
from tests.scene import Scene

ROLES = (
    "anonymous",
    "stranger",
    "administrator",
    "manager",
    "data_manager",
    "lead",
    "reviewer",
    "reader",
    "other_reader",
    "scientist",
)


BODIES = {  # where an empty one would be refused before anyone is asked who they are
    "edits": b'{"tab": "0b1e4a0e-4a3f-4b83-8d1c-3a1d0f5b7c11", "edits": []}',
    "submit": b'{"number": 0}',
    "lock-unaided": b'{"number": 0}',
    "review": b'{"verdict": "accept", "round": 1, "text": ""}',
    "comments": b'{"text": "Here."}',
    "replies": b'{"text": "Where?"}',
    "time": b'{"active_s": 5, "idle_s": 0}',
}


NUMBERS = {  # of an adjudicated lesion that nobody drew voxels of
    "compared_to": None,
    "compared": None,
    "reads": {},
    "pairs": [],
    "least_dice": None,
    "most_apart_mm": None,
    "options": [{"take": "drawn"}, {"take": "absent"}],
    "suggested": None,
    "series": None,
    "place": None,
    "answers": {},
    "votes": [],
}


@dataclass
class Walk:
    """A scene with clients signed in, and the names that stand for its ids in addresses."""

    scene: Scene
    clients: dict[str, Client]
    names: dict[str, str]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def close(self) -> None:
        """Stop listening to the database, and end the loop that websockets and pixels ran in."""
        self.loop.run_until_complete(get_channel_layer().close())
        self.loop.close()

    def http(self, role: str, method: str, path: str) -> int:
        """The status of a request without content; what it changed is undone."""
        content = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
        body = BODIES.get(path.rsplit("/", 2)[-2], b"{}") if path.startswith("/api/") else b""
        client = self.clients[role]
        cookies = client.cookies.copy()  # signing out must not sign the next request out
        with transaction.atomic():
            answer = client.generic(method, path.format(**self.names), body, content_type=content)
            transaction.set_rollback(True)
        if answer.streaming:  # the client has closed all others; again, it would close the database as well
            answer.close()
        client.cookies = cookies
        return answer.status_code

    def raw(self, role: str, path: str, token: str = "") -> int:
        """The status that the pixel road gives, in front of Django: to a browser, or to a program's token."""
        proof = (b"authorization", f"Bearer {token}".encode()) if token else (b"cookie", self._cookie(role))
        return self.loop.run_until_complete(_raw(path.format(**self.names), proof))

    def websocket(self, role: str, path: str) -> str:
        """ "open", or the code it was closed with."""
        return self.loop.run_until_complete(_websocket(path.format(**self.names), self._cookie(role)))

    def _cookie(self, role: str) -> bytes:
        return "; ".join(f"{name}={c.value}" for name, c in self.clients[role].cookies.items()).encode()


async def _raw(path: str, proof: tuple[bytes, bytes]) -> int:
    statuses: list[int] = []

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"host", b"localhost"), proof]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    await application(scope, receive, send)
    return statuses[0]


async def _websocket(path: str, cookie: bytes) -> str:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"cookie", cookie)]
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
    connection = ApplicationCommunicator(application, scope)
    await connection.send_input({"type": "websocket.connect"})
    answer = await connection.receive_output(timeout=20)
    is_open = answer["type"] == "websocket.accept"
    await connection.send_input({"type": "websocket.disconnect", "code": 1000})
    await connection.wait(timeout=20)
    return "open" if is_open else str(answer["code"])


def build() -> Walk:
    """A scene with more in it: an upload, a token, comments, an imported segment, a released file, and a
    series of real slices in case 5, which the reader reads."""
    scene = scenes.build()
    people, clients = scene.people, {"anonymous": Client()}
    for role in ROLES[1:]:
        clients[role] = Client()
        clients[role].force_login(people[role])
    source = [
        intake.from_bytes(f"{at}.dcm", data) for at, data in enumerate(slices([(0, 0, z) for z in (0, 5)]))
    ]
    outcomes = list(intake.take_in(source, dataset=scene.dataset))
    series = sealing.seal(outcomes[0].series_id)
    case = scenes.case_of(scene.project, 5, [series.study])
    Read.objects.create(case=case, reader=people["reader"], schema=scene.schema, assigned_by=people["lead"])
    submitted = scene.reads["submitted"]
    comment = Comment.objects.create(read=submitted, round=1, number=1, text="Here.", by=people["reviewer"])
    finding = IncidentalFinding.objects.create(
        read=submitted,
        study=submitted.case.case_studies.first().study,
        text="A clot.",
        by=people["reader"],
    )
    drawn_on = CaseStudy.objects.filter(case=submitted.case).first().study.series.first()
    segment = ImportedSegment.objects.create(
        series=drawn_on,
        source_series=drawn_on,
        source_sop_instance_uid="1.2.3",
        segment_number=1,
        label="GTV-1",
        origin="From the file of the hospital.",
    )
    for role in ("lead", "scientist"):  # nobody downloads before they have said what for
        ReleaseUse.objects.create(release=scene.release, user=people[role], purpose="To train a model.")
    key = new_key(".json")
    storage().put_durable(key, b"{}")
    ReleaseFile.objects.create(
        release=scene.release, path="dataset.json", size=2, sha256="0" * 64, crc32=0, object_key=key
    )
    upload = Upload.objects.create(dataset=scene.dataset, by=people["data_manager"])
    file = UploadFile.objects.create(upload=upload, name="ct.zip", fingerprint="1", size=20_000_000)
    facts = ClinicalImport.objects.create(
        dataset=scene.dataset, by=people["data_manager"], kind="csv", file_name="facts.csv", state="done"
    )
    token, _ = make_token(by=people["scientist"], name="laptop", days=1)
    protocol = HangingProtocol.objects.create(
        project=scene.project, place=1, name="Chest", rows=1, columns=1, panes=[{}], changed_by=people["lead"]
    )
    recall = Recall.objects.create(project=scene.project, case_number=99, reason="The images were wrong.")
    RecallNotice.objects.create(recall=recall, user=people["scientist"])
    prediction = Prediction.objects.create(
        release=scene.release, by=people["scientist"], name="nnU-Net 2", part="", cases_total=1
    )
    PredictedCase.objects.create(prediction=prediction, release_case=scene.release.release_cases.get())
    adjudication = _adjudicated(scene)
    question, held = _questions(scene)
    asked = _asked_for_access(scene)
    its = f"/studies/{series.study.study_instance_uid}/series/{series.series_instance_uid}"
    names = {
        "series": series.public_id,
        "held": series.instances.first().original_sha256[:20],
        "study_uid": series.study.study_instance_uid,
        "its": its,
        "image": f"{its}/instances/{series.instances.earliest('pk').sop_instance_uid}",
        "assigned": scene.reads["assigned"].public_id,
        "parked": "0b1e4a0e-4a3f-4b83-8d1c-3a1d0f5b7c11",  # nobody has kept this one aside
        "submitted": submitted.public_id,
        "others": scene.reads["others"].public_id,
        "comment": comment.public_id,
        "finding": finding.public_id,
        "segment": segment.public_id,
        "upload": upload.public_id,
        "file": file.public_id,
        "facts": facts.public_id,
        "person": series.study.subject.public_id,
        "token": token.public_id,
        "protocol": protocol.public_id,
        "recall": recall.public_id,
        "p": prediction.public_id,
        "adjudication": adjudication.public_id,
        "question": question.public_id,
        "asked": asked.public_id,
        "part": asked.parts.get().public_id,
        "document": asked.documents.get().public_id,
        "study": series.study.public_id,
        "held_part": held.public_id,
        "judged": scene.reads["adjudicated"].public_id,
        **_network(people["administrator"]),
    }
    return Walk(scene, clients, names)


def _network(administrator: User) -> dict[str, str]:
    """A node that has left this hub, and an invitation of another one."""
    left = Node.objects.create(
        part=Node.Part.MEMBER, state=Node.State.LEFT, slug="porto", name="Porto", public_key="0" * 64
    )
    invitation = NodeInvitation.objects.create(
        name="Lisbon",
        digest="0" * 64,
        invited_by=administrator,
        expires_at=timezone.now() + timedelta(days=1),
    )
    return {"node": left.public_id, "invitation": invitation.public_id}


def _asked_for_access(scene: Scene) -> AccessRequest:
    """The scientist asked for the dataset; its committee has not answered."""
    dataset, organisation = scene.dataset, scene.organisation
    listing, _ = Listing.objects.get_or_create(
        dataset=dataset,
        defaults={
            "slug": dataset.slug,
            "title": dataset.name,
            "organisation": organisation.name,
            "organisation_slug": organisation.slug,
            "country": organisation.country,
            "is_listed": True,
        },
    )
    asked = AccessRequest.objects.create(
        by=scene.people["scientist"], title="Small nodules", purpose="To train.", sent_at=timezone.now()
    )
    part = AccessPart.objects.create(
        request=asked,
        organisation=organisation,
        organisation_name=organisation.name,
        organisation_slug=organisation.slug,
        state=AccessPart.State.SENT,
    )
    AccessItem.objects.create(part=part, listing=listing, mode="view")
    key = new_key(".document")
    storage().put_durable(key, b"Yes.")
    AccessDocument.objects.create(
        request=asked,
        name="vote.txt",
        media_type="text/plain",
        size=4,
        sha256=hashlib.sha256(b"Yes.").hexdigest(),
        object_key=key,
    )
    return asked


def _questions(scene: Scene) -> tuple[Question, HeldPart]:
    """One that the scientist asked, and one that the organisation may answer."""
    asked = {
        "expression": {"all": []},
        "words": "every subject",
        "expires_at": timezone.now() + timedelta(days=7),
    }
    question = Question.objects.create(asked_by=scene.people["scientist"], **asked)
    held = HeldQuestion.objects.create(uid="elsewhere", state=HeldQuestion.State.PERSON, **asked)
    organisation = scene.dataset.organisation
    return question, HeldPart.objects.create(held=held, organisation=organisation)


def _adjudicated(scene: Scene) -> Read:
    """Case 6: the other reader's read is accepted, and the reviewer judges it."""
    people = scene.people
    case = scenes.case_of(scene.project, 6, scenes.subject_with_studies(scene.dataset, "NH-20936", (0,)))
    read = Read.objects.create(case=case, reader=people["other_reader"], schema=scene.schema)
    scenes.accepted(read, people["lead"])
    scene.reads["adjudicated"] = read
    adjudication = Read.objects.create(
        case=case, reader=people["reviewer"], schema=scene.schema, kind=Read.Kind.ADJUDICATION
    )
    AdjudicatedLesion.objects.create(read=adjudication, number=1, label="lesion", numbers=NUMBERS)
    return adjudication


def routes() -> set[str]:
    """Every address of Django, as its pattern."""
    return set(_below(get_resolver().url_patterns, ""))


def _below(patterns: list[URLPattern | URLResolver], start: str) -> Iterator[str]:
    for pattern in patterns:
        route = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, route)
        else:
            yield route


def websocket_routes() -> set[str]:
    from network import routing

    return {str(route.pattern) for route in routing.application.routes}
