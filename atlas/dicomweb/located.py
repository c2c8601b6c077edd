"""Where the instances of a series lie, for one who may see them: asked once, remembered for seconds."""

from dataclasses import dataclass

from atlas import policies
from atlas.access import record_viewing
from atlas.dicomweb.answers import Problem
from atlas.dicomweb.decisions import Credentials
from atlas.dicomweb.remembered import Remembered
from atlas.dicomweb.requests import Request, Root
from atlas.dicomweb.scope import Scope, in_database, scope_of
from atlas.models import Series

INSTANCES_MAX = 300_000  # in memory; one takes about 1 kB
MISSING = "There is no such image, or it is not for you."


@dataclass(slots=True)
class Row:
    """One instance: the bytes [offset, offset + size) of an object."""

    sop_instance_uid: str
    transfer_syntax_uid: str
    number_of_frames: int
    size: int
    object_key: str
    object_offset: int
    sha256: str
    pk: int


@dataclass(frozen=True, slots=True)
class Located:
    """One series. `rows` by SOP Instance UID, in the order of their numbers; held ones aren't there.

    `stays_here`: the caller may look at it, and take nothing away.
    """

    pk: int
    study_uid: str
    uid: str
    generation: int
    manifest_key: str
    thumbnail_key: str
    metadata_key: str
    pack_key: str
    stays_here: bool
    rows: dict[str, Row]


type Key = tuple[Credentials, Root, str, str]
"""(who, through which root, Study Instance UID, Series Instance UID or "" for all of the study)"""


def _locate(scope: Scope, study_uid: str, series_uid: str) -> list[Located]:
    owners = scope.sight.organisations
    series = policies.series_in(scope.sight).filter(
        study__study_instance_uid=study_uid, study__organisation__in=owners
    )
    if series_uid:
        series = series.filter(series_instance_uid=series_uid, organisation__in=owners)
    found = list(series.order_by("number", "pk"))
    if len({one.organisation_id for one in found}) > 1:
        raise Problem(409, "Two organisations have this UID: ask below /dicomweb/datasets/<dataset>/.")
    rows: dict[int, dict[str, Row]] = {one.pk: {} for one in found}
    instances = policies.instances_in(scope.sight).filter(series__in=rows)
    for series_id, *values in instances.order_by("instance_number", "sop_instance_uid").values_list(
        "series", "sop_instance_uid", "transfer_syntax_uid", "number_of_frames",
        "size", "object_key", "object_offset", "stored_sha256", "pk",
    ):  # fmt: skip
        rows[series_id][str(values[0])] = Row(*values)  # type: ignore[arg-type]
    seen = [one for one in found if rows[one.pk]]
    record_viewing(scope.user, *seen)
    stays_here = policies.only_looks_at(scope.user, {one.study_id for one in seen})
    return [_of(one, study_uid, rows[one.pk], stays_here) for one in seen]


def _of(series: Series, study_uid: str, rows: dict[str, Row], stays_here: bool) -> Located:
    return Located(
        pk=series.pk,
        study_uid=study_uid,
        uid=series.series_instance_uid,
        generation=series.generation,
        manifest_key=series.manifest_key,
        thumbnail_key=series.thumbnail_key,
        metadata_key=series.metadata_key,
        pack_key=series.pack_key,
        stays_here=stays_here,
        rows=rows,
    )


_locate_in_database = in_database(_locate)


async def _ask(key: Key) -> list[Located]:
    credentials, root, study_uid, series_uid = key
    return await _locate_in_database(await scope_of(credentials, root), study_uid, series_uid)


_series: Remembered[Key, list[Located]] = Remembered(
    _ask, weight_max=INSTANCES_MAX, weigh=lambda series: 1 + sum(len(one.rows) for one in series)
)


async def series_of(request: Request, study_uid: str, series_uid: str = "") -> list[Located]:
    """The series of a study (or that one) as far as the caller sees them. Raises Problem: 401, 404, 409."""
    found = await _series.get((request.credentials, request.root, study_uid, series_uid))
    if not found:
        raise Problem(404, MISSING)
    return found


async def instance_of(request: Request, study_uid: str, series_uid: str, uid: str) -> tuple[Located, Row]:
    """One instance and its series. Raises Problem."""
    key = (request.credentials, request.root, study_uid, series_uid)
    for _ in range(2):
        found = await _series.get(key)
        row = found[0].rows.get(uid) if found else None
        if row is not None:
            return found[0], row
        _series.drop(key)  # it may have come a moment ago
    raise Problem(404, MISSING)


def forget(request: Request, study_uid: str, series_uid: str) -> None:
    """Ask anew: bytes weren't where they were."""
    _series.drop((request.credentials, request.root, study_uid, series_uid))
    _series.drop((request.credentials, request.root, study_uid, ""))
