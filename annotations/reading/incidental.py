"""Something dangerous outside the project's question: whoever sees it tells those who look after the images.

It goes past the blind reading: data managers learn the place, the words and who wrote them, and no mark.
Only someone who still reads the same case learns nothing of it, for it would tell them of another reader.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts import audit, permissions
from accounts.models import Organisation, User
from accounts.permissions import Someone
from annotations.models import IncidentalFinding, Read
from annotations.reading import policies
from annotations.reading.frames import Grid, frames_of
from annotations.reading.review import Place, pinned_to
from atlas.api.errors import Conflict
from atlas.fanout import broadcast
from atlas.models import Dataset, Series, Study

audit.register("incidental.reported", "incidental.seen", "incidental.answered")

GROUP = "incidental"
TEXT_LENGTH_MAX = 4000
NOT_FOUND = "There is no such finding, or it is not for you."


# Which objects? ---------------------------------------------------------------------------------


def findings_for(user: Someone) -> QuerySet[IncidentalFinding]:
    """The findings about images that this person looks after; what nobody has answered comes first, and of
    that what is urgent."""
    if not user.is_authenticated:
        return IncidentalFinding.objects.none()
    datasets = permissions.objects_for(user, "import_images", Dataset)
    read_here = policies.cases_being_read_by(user).values("pk")
    return (
        IncidentalFinding.objects.filter(study__dataset__in=datasets.values("pk"))
        .filter(Q(by=user) | ~Q(read__case__in=read_here))
        .order_by(F("answered_at").asc(nulls_first=True), "-urgent", "-at")
    )


def looks_after_images(user: Someone) -> bool:
    """Whether this person takes images into some dataset, or may into those to come of an organisation."""
    return any(
        permissions.objects_for(user, "import_images", model).exists() for model in (Dataset, Organisation)
    )


def unanswered_count(user: Someone) -> int:
    """How many findings wait for an answer of this person or their colleagues."""
    return findings_for(user).filter(answered_at=None).count()


def own_findings(user: User, read: Read) -> QuerySet[IncidentalFinding]:
    """What this person told about the read's images, and what came of it."""
    found = IncidentalFinding.objects.filter(read=read, by=user)
    return found.select_related("study", "series", "answered_by").order_by("at")


def finding_or_404(user: Someone, public_id: str) -> IncidentalFinding:
    found = findings_for(user).filter(public_id=public_id).first()
    if found is None:
        raise Http404(NOT_FOUND)
    return found


@dataclass(frozen=True)
class Pin:
    """Where a finding lies on its image: the slice among those of its series, and the point in pixels."""

    slice_number: int  # from 1, in display order
    slices: int
    rows: int
    columns: int
    column: float | None  # from the left edge of the image, the centre of the first pixel is 0.5
    row: float | None
    pixel_height: float  # of a pixel that is one wide

    @property
    def height(self) -> float:
        """Of the picture, in widths of a pixel: pictures are shown in their true shape."""
        return self.rows * self.pixel_height

    @property
    def down(self) -> float:
        """Where the point lies from the upper edge, in widths of a pixel."""
        return (self.row or 0.0) * self.pixel_height


def pin_of(found: IncidentalFinding) -> Pin | None:
    """None where the finding has no place, or its image is not there any more."""
    frames = frames_of(found.series) if found.series else None
    name = (found.sop_instance_uid, found.frame_number or 1)
    grid = frames.grids.get(name) if frames else None
    if frames is None or grid is None:
        return None
    column, row = _on(grid, found) or (None, None)
    number = list(frames.grids).index(name) + 1
    shape = grid.row_mm / grid.column_mm if grid.row_mm and grid.column_mm else 1.0
    return Pin(number, len(frames.grids), grid.rows, grid.columns, column, row, shape)


def _on(grid: Grid, found: IncidentalFinding) -> tuple[float, float] | None:
    """(column, row) of the point on its image; a point beside the plane is carried straight onto it."""
    if found.point_image:
        column, row = found.point_image
        return column, row
    origin_mm, orientation = grid.origin_patient_mm, grid.orientation
    if not (found.point_patient_mm and origin_mm and orientation and grid.row_mm and grid.column_mm):
        return None
    offset_mm = np.array(found.point_patient_mm, dtype=np.float64) - np.array(origin_mm, dtype=np.float64)
    along_row, along_column = np.array(orientation, dtype=np.float64).reshape(2, 3)
    return (
        float(offset_mm @ along_row / grid.column_mm) + 0.5,
        float(offset_mm @ along_column / grid.row_mm) + 0.5,
    )


# Services ---------------------------------------------------------------------------------------


@transaction.atomic
def report(
    *, user: User, read_id: str, study: str, text: str, urgent: bool = False, place: Place | None = None
) -> IncidentalFinding:
    """Tell the data managers of the study's dataset. `study` is a public id; a place must lie in it.

    Whoever may open the read may tell; sending the same words about the same study again changes nothing.
    Raises ValidationError where nothing is said, or the study or place is not of this case.
    """
    read, _ = policies.read_and_rights_or_404(user, read_id)
    # One at a time, so that a double click finds what the first has written.
    read = Read.objects.select_for_update(of=("self",)).select_related("case__project").get(pk=read.pk)
    policies.rights_on(user, read)
    said = text.strip()
    if not said:
        raise ValidationError({"text": ["Say what you saw."]})
    about = Study.objects.filter(public_id=study, case_studies__case=read.case_id).first()
    if about is None:
        raise ValidationError({"study": ["This case has no such study."]})
    pinned = pinned_to(read, place) if place else {}
    series: Series | None = pinned.get("series")
    if series is not None and series.study_id != about.pk:
        raise ValidationError({"study": ["The place lies in another study."]})
    known = IncidentalFinding.objects.filter(
        read=read, by=user, study=about, text=said, urgent=urgent, answered_at=None
    ).first()
    if known is not None:
        return known
    found = IncidentalFinding.objects.create(
        read=read, study=about, text=said, urgent=urgent, by=user, **pinned
    )
    audit.record(user, "incidental.reported", found, read=read.pk, study=about.pk, urgent=urgent)
    _announce(found)
    return found


@transaction.atomic
def note_seen(*, user: User, finding_id: str) -> IncidentalFinding:
    """Someone who looks after the images has read it. The first of them counts."""
    found = finding_or_404(user, finding_id)
    now = timezone.now()
    if IncidentalFinding.objects.filter(pk=found.pk, seen_at=None).update(seen_at=now, seen_by=user):
        found.seen_at, found.seen_by = now, user
        audit.record(user, "incidental.seen", found)
        _announce(found)
    return found


@transaction.atomic
def answer(*, user: User, finding_id: str, text: str) -> IncidentalFinding:
    """Say what was done about it. Raises Conflict where a colleague has answered, ValidationError where
    nothing is said."""
    found = finding_or_404(user, finding_id)
    said = text.strip()
    if not said or len(said) > TEXT_LENGTH_MAX:
        raise ValidationError({"answer": [f"Say what was done, in at most {TEXT_LENGTH_MAX} characters."]})
    now = timezone.now()
    open_still = IncidentalFinding.objects.filter(pk=found.pk, answered_at=None)
    if not open_still.update(answer=said, answered_by=user, answered_at=now):
        raise Conflict("A colleague has answered this meanwhile.")
    IncidentalFinding.objects.filter(pk=found.pk, seen_at=None).update(seen_at=now, seen_by=user)
    audit.record(user, "incidental.answered", found)
    _announce(found)
    found.refresh_from_db()
    return found


def _announce(found: IncidentalFinding) -> None:
    """To the pages of those who look after images, and to the room of whoever told: ids only."""
    for group in (GROUP, f"read.{found.read.public_id}"):
        message = {"type": "incidental", "finding": found.public_id}
        transaction.on_commit(partial(broadcast, group, message), robust=True)
