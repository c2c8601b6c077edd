"""A small project with its cast: who owns a read, who is a member, who has nothing to do with it."""

import base64
import gzip
import json
import uuid
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from annotations.measures import masks
from annotations.models import Case, CaseStudy, LabelSchema, Read
from atlas.archive.storage import new_key, storage
from atlas.models import Dataset, Instance, Project, Series, Study, Subject

ROWS, COLUMNS, SLICES = 32, 48, 6
ROW_MM, COLUMN_MM, SLICE_MM = 0.5, 0.8, 2.5
FRAME_OF_REFERENCE = "1.2.826.0.1.99"
_serial = count(1)

LABELS = [
    {
        "key": "tumour",
        "name": "Tumour",
        "color": "#f5a742",
        "kinds": ["segment", "length", "bidirectional", "ellipse", "polygon", "freehand"],
        "code": {"value": "4147007", "scheme": "SCT", "meaning": "Mass"},
        "required": False,
    },
    {
        "key": "node",
        "name": "Lymph node",
        "color": "#4fb3ff",
        "kinds": ["length", "point"],
        "code": None,
        "required": False,
    },
]


@dataclass
class Cast:
    """`anna` and `ben` both read `case`; the others hold the role they are named after, `outsider` none."""

    project: Project
    dataset: Dataset
    schema: LabelSchema
    case: Case
    ct: Series
    us: Series
    other_series: Series  # of a study outside the case
    anna: User
    ben: User
    reviewer: User
    lead: User
    scientist: User
    outsider: User
    read: Read
    bens_read: Read
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        if name not in self.clients:
            client = self.clients[name] = Client()
            if name != "nobody":
                client.force_login(getattr(self, name))
        return self.clients[name]

    def send(self, edits, *, who="anna", read=None, tab=None):
        read = read or self.read
        body = {"tab": tab or str(uuid.uuid4()), "edits": edits}
        return self.client(who).post(f"/api/v1/reads/{read.public_id}/edits/", body, "application/json")

    def apply(self, edits, **options):
        """Send edits that all must be applied; their results."""
        response = self.send(edits, **options)
        assert response.status_code == 200, response.content
        results = response.json()["results"]
        assert [result["status"] for result in results] == ["applied"] * len(edits), results
        return results

    def get(self, path, *, who="anna", read=None, **options):
        return self.client(who).get(f"/api/v1/reads/{(read or self.read).public_id}/{path}", **options)

    def post(self, path, body=None, *, who="anna", read=None):
        url = f"/api/v1/reads/{(read or self.read).public_id}/{path}"
        return self.client(who).post(url, {} if body is None else body, "application/json")

    def submit(self, read=None, who="anna"):
        read = read or self.read
        read.refresh_from_db()
        response = self.post("submit/", {"number": read.last_edit_number}, who=who, read=read)
        assert response.status_code == 200, response.content
        return response.json()

    def new_read(self, reader=None) -> Read:
        """A read on a case of its own, with the same images."""
        case = Case.objects.create(
            project=self.project, subject=self.case.subject, number=1000 + next(_serial)
        )
        CaseStudy.objects.create(case=case, study=self.ct.study, position=0)
        return Read.objects.create(case=case, reader=reader or self.anna, schema=self.schema)

    # Marks --------------------------------------------------------------------------------------

    def sop(self, index=0, series=None) -> str:
        return f"{(series or self.ct).series_instance_uid}.{index}"

    def segment(self, **more):
        return {
            "kind": "segment",
            "label": "tumour",
            "series": self.ct.public_id,
            "state": "present",
            "note": "",
            "origin": {"from": "reader"},
        } | more

    def length(self, end=(10.0, 0.0, 0.0), **more):
        return {
            "kind": "length",
            "label": "tumour",
            "series": self.ct.public_id,
            "state": "present",
            "note": "",
            "origin": {"from": "reader"},
            "sop": self.sop(),
            "frame": 1,
            "frame_of_reference": FRAME_OF_REFERENCE,
            "points_patient_mm": [[0.0, 0.0, 0.0], list(end)],
        } | more


def edit(value, annotation=None, *, seen=0, sop=None, frame=1, group=None, inverts=None, **more):
    """An edit as the browser sends it."""
    target = {"annotation": str(annotation or uuid.uuid4())}
    if sop is not None:
        target |= {"sop": sop, "frame": frame}
    return {
        "id": str(uuid.uuid4()),
        "group": str(group or uuid.uuid4()),
        "inverts": str(inverts) if inverts else None,
        "at": timezone.now().isoformat(),
        "object": target,
        "seen": seen,
        "value": value,
    } | more


def plane_value(voxels=(), *, rows=ROWS, columns=COLUMNS):
    """A mask slice with these (row, column) voxels set."""
    plane = np.zeros((rows, columns), dtype=bool)
    for row, column in voxels:
        plane[row, column] = True
    return {"rle": base64.b64encode(masks.encode(plane)).decode(), "rows": rows, "columns": columns}


def _series(study, number, modality, *, in_patient, slices=SLICES) -> Series:
    uid = f"1.2.826.0.1.{study.pk}.{number}.{next(_serial)}"
    sops = [f"{uid}.{index}" for index in range(slices)]
    manifest = {
        "version": 1,
        "generation": 1,
        "geometry": "patient" if in_patient else "image",
        "orientation": [1, 0, 0, 0, 1, 0] if in_patient else None,
        "spacing": {"row_mm": ROW_MM, "column_mm": COLUMN_MM, "source": "pixel"},
        "pixel": {"rows": ROWS, "columns": COLUMNS},
        "frames": {
            "sop": sops,
            "frame": [1] * slices,
            "position": [[0, 0, SLICE_MM * index] for index in range(slices)] if in_patient else None,
        },
        "overrides": {},
        "findings": [],
    }
    key = new_key(".manifest")
    storage().put_durable(key, gzip.compress(json.dumps(manifest).encode()))
    series = Series.objects.create(
        organisation=study.organisation,
        study=study,
        series_instance_uid=uid,
        modality=modality,
        number=number,
        description=f"{modality} {number}",
        state=Series.State.READY,
        changed_at=timezone.now(),
        generation=1,
        instance_count=slices,
        frame_count=slices,
        manifest_key=key,
    )
    Instance.objects.bulk_create(
        Instance(
            organisation=study.organisation,
            series=series,
            sop_instance_uid=sop,
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            instance_number=index + 1,
            number_of_frames=1,
            original_sha256="0" * 64,
            stored_sha256="0" * 64,
            size=1,
            object_key="none",
        )
        for index, sop in enumerate(sops)
    )
    return series


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


def make_cast() -> Cast:
    serial = next(_serial)
    people = {}
    for name in ("anna", "ben", "reviewer", "lead", "scientist", "outsider"):
        people[name] = User.objects.create_user(
            f"{name}{serial}", first_name=name.capitalize(), last_name="Of Cast"
        )
    organisation = Organisation.objects.create(
        name=f"Hospital {serial}", slug=f"hospital-{serial}", country="ES"
    )
    dataset = Dataset.objects.create(organisation=organisation, name="CT", slug=f"ct-{serial}")
    project = Project.objects.create(
        organisation=organisation, name="Lungs", slug=f"lungs-{serial}", created_by=people["lead"]
    )
    roles = {
        "anna": "reader",
        "ben": "reader",
        "reviewer": "reviewer",
        "lead": "lead",
        "scientist": "scientist",
    }
    for name, role in roles.items():
        permissions.grant(user=people[name], role=role, scope=project)
    schema = LabelSchema.objects.create(
        project=project, version=1, labels=deepcopy(LABELS), created_by=people["lead"]
    )
    subject = Subject.objects.create(organisation=organisation, pseudonym=f"S-{serial}", sex="F")
    studies = [
        Study.objects.create(
            organisation=organisation,
            dataset=dataset,
            subject=subject,
            study_instance_uid=f"1.2.826.0.1.{serial}.{index}",
            date=f"2024-0{index + 1}-10",
            age_years=61,
        )
        for index in range(3)
    ]
    case = Case.objects.create(project=project, subject=subject, number=314, title="Lung")
    for position, study in enumerate(studies[:2]):
        CaseStudy.objects.create(case=case, study=study, position=position)
    ct = _series(studies[0], 1, "CT", in_patient=True)
    us = _series(studies[1], 2, "US", in_patient=False)
    outside = _series(studies[2], 3, "CT", in_patient=True)
    read = Read.objects.create(case=case, reader=people["anna"], schema=schema)
    bens_read = Read.objects.create(case=case, reader=people["ben"], schema=schema)
    return Cast(
        project=project,
        dataset=dataset,
        schema=schema,
        case=case,
        ct=ct,
        us=us,
        other_series=outside,
        read=read,
        bens_read=bens_read,
        **people,
    )
