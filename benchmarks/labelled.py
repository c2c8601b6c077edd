"""Labelled cases for load: CT-like volumes that compress as CT does, two segments each, read and accepted.

What has to do with the node's database runs in a process of the node (`manage.py shell`).
"""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.images import COLUMNS, ROWS, Scanner

LABELS = [
    {
        "key": key,
        "name": name,
        "color": color,
        "kinds": ["segment"],
        "code": {"value": code, "scheme": "SCT", "meaning": meaning},
        "required": False,
    }
    for key, name, color, code, meaning in (
        ("tumour", "Tumour", "#f5a742", "108369006", "Neoplasm"),
        ("nodule", "Nodule", "#f27cc0", "27925004", "Nodule"),
    )
]
_NOISE = 25  # HU: a soft kernel at a usual dose


def write_study(folder: Path, *, slices: int, seed: int, side: int = ROWS) -> None:
    """One series of a new patient: air without noise around a body with lungs, each slice another."""
    random = np.random.default_rng(seed)
    made = Scanner(20_000_000 + seed).study(slices)
    at = made[0].index(b"\xe0\x7f\x10\x00OW") + 12
    rows, columns = np.ogrid[:ROWS, :COLUMNS]
    body = ((rows - 256) / 170) ** 2 + ((columns - 256) / 230) ** 2 <= 1
    folder.mkdir(parents=True)
    for index, image in enumerate(made):
        breadth = 60 + 20 * np.sin(3 * index / slices)
        lungs = sum(
            ((rows - 240) / 100) ** 2 + ((columns - middle) / breadth) ** 2 <= 1 for middle in (160, 352)
        )
        values = np.where(lungs > 0, 174, 1064) + random.normal(0, _NOISE, (ROWS, COLUMNS))
        stored = np.where(body, values.clip(0, 4095), 0).astype("<u2")
        (folder / f"{index + 1:04d}.dcm").write_bytes(image[:at] + stored.tobytes())
    if side != ROWS:
        _cut_out(folder, side)


def _cut_out(folder: Path, side: int) -> None:
    """The middle of each image only."""
    import pydicom

    first = (ROWS - side) // 2
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        pixels = image.pixel_array[first : first + side, first : first + side]
        image.Rows = image.Columns = side
        image.PixelData = pixels.astype("<u2").tobytes()
        image.save_as(path)


def segments(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """bool[2, slices, rows, columns]: two ellipsoids that overlap for some seeds."""
    random = np.random.default_rng(seed)
    axes = np.ogrid[: shape[0], : shape[1], : shape[2]]
    found = np.zeros((2, *shape), dtype=bool)
    for mask in found:
        middle = [size * random.uniform(0.4, 0.6) for size in shape]
        radii = [max(1.0, size * random.uniform(0.05, 0.12)) for size in shape]
        away = sum(((at - m) / r) ** 2 for at, m, r in zip(axes, middle, radii, strict=True))
        mask[:] = away <= 1
    return found


# In a process of the node ---------------------------------------------------------------------------


def project_of(slug: str) -> object:
    """A project of the bench's organisation, led by its manager."""
    from accounts import permissions
    from accounts.models import Organisation, User
    from annotations.models import LabelSchema
    from atlas.models import Project

    lead = User.objects.get(username="bench")
    organisation = Organisation.objects.get(slug="bench")
    project = Project.objects.create(organisation=organisation, name=slug, slug=slug, created_by=lead)
    permissions.grant(user=lead, role="lead", scope=project)
    LabelSchema.objects.create(project=project, version=1, labels=LABELS, created_by=lead)
    return project


def add_cases(project, count: int, *, series: list) -> None:
    """Cases on these series in turn, each with two segments of its own, read and accepted."""
    from accounts.models import User
    from annotations.cohort.images import StoredSeries
    from annotations.measures import masks
    from annotations.models import Case, CaseStudy, Edit, LabelSchema, Read, Review, Submission

    lead = User.objects.get(username="bench")
    reader, _ = User.objects.get_or_create(username="bench-reader", email="bench-reader@example.org")
    schema = LabelSchema.objects.get(project=project, version=1)
    sources = {one.pk: StoredSeries(one).source for one in series}
    first = Case.objects.filter(project=project).count() + 1
    for number in range(first, first + count):
        own = series[number % len(series)]
        frames = sources[own.pk].frames
        case = Case.objects.create(project=project, subject=own.study.subject, number=number)
        CaseStudy.objects.create(case=case, study=own.study, position=1)
        read = Read.objects.create(case=case, reader=reader, schema=schema, state=Read.State.ACCEPTED)
        drawn = segments((len(frames), frames[0].rows, frames[0].columns), seed=number)
        edits = []

        def edit(identity: uuid.UUID, read=read, edits=edits, **what) -> None:
            edits.append(
                Edit(
                    read=read,
                    number=len(edits) + 1,
                    edit_id=uuid.uuid4(),
                    group=uuid.uuid4(),
                    by=reader,
                    annotation_id=identity,
                    version=1,
                    drawn_at=datetime.now(tz=UTC),
                    **what,
                )
            )

        for label, voxels in zip(LABELS, drawn, strict=True):
            identity = uuid.UUID(int=uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {label['key']}").int)
            value = {"kind": "segment", "label": label["key"], "series": own.public_id, "state": "present"}
            edit(identity, value=value | {"note": "", "origin": {"from": "reader"}})
            for frame, plane in zip(frames, voxels, strict=True):
                if plane.any():
                    edit(
                        identity,
                        sop_instance_uid=frame.key.sop_instance_uid,
                        frame_number=frame.key.frame_number,
                        runs=masks.encode(plane),
                        rows=frame.rows,
                        columns=frame.columns,
                    )
        Edit.objects.bulk_create(edits)
        submission = Submission.objects.create(read=read, round=1, edit_number=len(edits), by=reader)
        Review.objects.create(submission=submission, verdict="accept", by=lead)


def frozen(project, numbers: range, formats: tuple[str, ...]):
    """A release of these cases that no worker has been told of."""
    from accounts.models import User
    from annotations.cohort import releases
    from annotations.models import ReleaseCase

    releases._have_written = lambda release: None
    lead = User.objects.get(username="bench")
    release = releases.freeze(by=lead, project=project, choice=releases.Choice(formats=formats))
    ReleaseCase.objects.filter(release=release).exclude(number__in=numbers).delete()
    release.cases_total = len(numbers)
    release.save(update_fields=["cases_total"])
    return release
