"""A case that several readers have read: their marks come through the services, as if drawn."""

import base64
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from annotations.measures import masks
from tests.e2e import filled
from tests.e2e.node import Node
from tests.e2e.room import PASSWORD

ADJUDICATOR = "reviewer"

PEOPLE = """
import json, sys
from accounts import permissions
from accounts.models import User
from annotations.models import LabelSchema
from annotations.reading import designs
from atlas.models import Project

project, lead = Project.objects.get(), User.objects.get(username="lead")
for name, role in {people!r}:
    user, is_new = User.objects.get_or_create(
        username=name,
        defaults={{"email": name + "@hospital.example", "first_name": name.title(), "last_name": "Voss"}})
    if is_new:
        user.set_password({password!r})
        user.save()
    permissions.grant(user=user, role=role, scope=project)
LabelSchema.objects.filter(project=project).update(questions=json.loads({questions!r}))
designs.write_design(by=lead, project=project, rules=designs.Rules(**{rules!r}))
"""

HANDED_IN = """
import json
from accounts.models import User
from annotations.models import Read
from annotations.reading import assignment, journal, reads
from annotations.reading.adjudication import deciding
from annotations.reading.comparing import compare_case
from atlas.models import Project

project, lead = Project.objects.get(), User.objects.get(username="lead")
case = project.cases.get(subject__pseudonym={subject!r})
sent = json.load(open({file!r}))
missing = User.objects.filter(username__in=sent).exclude(reads__case=case)
assignment.assign(by=lead, project=project, cases=[case], readers=list(missing))
from atlas.models import Instance, Series
series = {{}}
for instance in Instance.objects.filter(series__study__cases=case).select_related("series"):
    series[instance.sop_instance_uid] = instance.series.public_id
for name, edits in sent.items():
    read = Read.objects.get(case=case, reader__username=name)
    reads.open_read(user=read.reader, read_id=read.public_id)
    for edit in edits:
        if edit["value"].get("series"):
            edit["value"]["series"] = series[edit["value"]["series"]]
    number = 0
    for start in range(0, len(edits), 500):
        piece = edits[start:start + 500]
        results, number = journal.append(user=read.reader, read_id=read.public_id, edits=piece)
        wrong = [one for one in results if one["status"] != "applied"]
        assert not wrong, wrong[:3]
    reads.submit(user=read.reader, read_id=read.public_id, number=number)
compare_case(case.pk)
case.refresh_from_db()
print(case.number, case.needs_adjudication)
"""


@dataclass(frozen=True)
class Segment:
    """A reader's mask: bool[rows, columns] by SOP instance UID; and what they answered about it."""

    planes: Mapping[str, np.ndarray]
    answers: Mapping[str, Any] = field(default_factory=dict)
    label: str = "lesion"


def prepare(
    node: Node,
    folder: Path,
    files: Mapping[str, Iterable[Path]],
    *,
    readers: Sequence[str],
    questions: Sequence[Mapping[str, Any]] = (),
    **rules: Any,
) -> None:
    """Images, a case a subject, readers, an adjudicator and the rules of the project."""
    filled.fill(node, folder, {name: list(found) for name, found in files.items()})
    people = [*((name, "reader") for name in readers), (ADJUDICATOR, "reviewer")]
    rules = {"readers_per_case": len(readers), "review": False, **rules}
    node.python(
        PEOPLE.format(people=people, password=PASSWORD, questions=json.dumps(list(questions)), rules=rules)
    )


def hand_in(node: Node, folder: Path, subject: str, marked: Mapping[str, Sequence[Segment]]) -> int:
    """Every reader's segments, drawn, submitted and compared; returns the number of the case."""
    file = folder / f"{subject}.json"
    file.write_text(
        json.dumps({name: [e for one in marks for e in edits(one)] for name, marks in marked.items()})
    )
    said = node.python(HANDED_IN.format(subject=subject, file=str(file))).split()
    assert said[1] == "True", said
    return int(said[0])


def edits(segment: Segment) -> list[dict[str, Any]]:
    """As the browser sends them; `series` is a SOP instance UID of it, which only the node can tell."""
    annotation, group = str(uuid.uuid4()), str(uuid.uuid4())
    value = {
        "kind": "segment",
        "label": segment.label,
        "series": next(iter(segment.planes)),
        "state": "present",
        "note": "",
        "origin": {"from": "reader"},
    }
    made = [_edit(group, {"annotation": annotation}, value)]
    for sop, plane in segment.planes.items():
        rows, columns = plane.shape
        rle = base64.b64encode(masks.encode(plane)).decode()
        place = {"annotation": annotation, "sop": sop, "frame": 1}
        made.append(_edit(group, place, {"rle": rle, "rows": rows, "columns": columns}))
    for key, value in segment.answers.items():
        about = {"answer": key, "of": "annotation", "id": annotation, "value": value}
        made.append(_edit(group, {"annotation": _answer_id(about)}, about))
    return made


ANSWERS = uuid.UUID("8f0c6a52-9c55-5f1c-9f6e-2a1f52e7c0d4")


def _answer_id(about: Mapping[str, Any]) -> str:
    """The same as the room and the server make of a question and what it is about."""
    return str(uuid.uuid5(ANSWERS, f"{about['of']}/{about['id']}/{about['answer']}"))


def _edit(group: str, target: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "group": group,
        "inverts": None,
        "at": "2026-03-02T10:00:00Z",
        "object": target,
        "seen": 0,
        "value": value,
    }
