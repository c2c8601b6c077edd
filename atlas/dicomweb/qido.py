"""QIDO-RS (PS3.18 10.6): searches for studies, series and instances.

Names are never matched fuzzily: that is said in a Warning header. A parameter that isn't known is refused by
name: a filter with a slip of the pen must not select everything.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from atlas import policies
from atlas.dicomweb import found, searched
from atlas.dicomweb.answers import Headers, Problem, Send, send_body, send_empty
from atlas.dicomweb.attributes import (
    BY_TAG,
    LEVELS,
    NEVER_KEPT,
    Attribute,
    path_from,
    tag_of,
)
from atlas.dicomweb.matching import condition
from atlas.dicomweb.media import accepts_json
from atlas.dicomweb.requests import Request
from atlas.dicomweb.scope import in_database, scope_of
from atlas.models import Instance, Series, Study

RESULTS_MAX = {"study": 1000, "series": 5000, "instance": 20_000}
NEVER_KEPT_SEQUENCE = "00400275"  # Request Attributes: the Basic Profile removes it
_MODELS: dict[str, Any] = {"study": Study, "series": Series, "instance": Instance}
OWN_UID = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID", "instance": "SOPInstanceUID"}
_SWITCHES = {"fuzzymatching", "emptyvaluematching", "multiplevaluematching"}


@dataclass(slots=True)
class Asked:
    """A search, taken apart. `matches` are attributes with what they are to match."""

    level: str
    uids: tuple[str | None, ...]
    matches: list[tuple[Attribute, str]] = field(default_factory=list)
    included: set[str] = field(default_factory=set)
    limit: int = 0
    offset: int = 0
    finds_nothing: bool = False
    warnings: list[str] = field(default_factory=list)


async def search(request: Request, level: str, uids: tuple[str | None, ...], send: Send) -> None:
    """Answer a search: 200 with DICOM JSON, or 204 where nothing matches."""
    if not accepts_json(request.accept):
        raise Problem(406, "Searches are answered as application/dicom+json.")
    asked = taken_apart(request.parameters, level, uids)
    scope = await scope_of(request.credentials, request.root)
    rows, has_more = await _find(asked, scope.sight, request.base_url)
    if has_more:
        asked.warnings.append("There are more results: ask on with offset.")
    headers: Headers = [(b"cache-control", b"no-store"), (b"vary", b"Cookie, Authorization")]
    headers += [(b"warning", f'299 Atlas "{text}"'.encode("latin-1", "replace")) for text in asked.warnings]
    if not rows:
        await send_empty(send, 204, headers)
        return
    body = b"[" + b",".join(rows) + b"]"
    await send_body(send, b"application/dicom+json", body, headers, is_head=request.is_head)


def taken_apart(parameters: list[tuple[str, str]], level: str, uids: tuple[str | None, ...]) -> Asked:
    """Raises Problem (400) for a parameter that isn't known, or a value that can't be read."""
    asked = Asked(level, uids, limit=RESULTS_MAX[level])
    for name, value in parameters:
        if name == "limit":
            asked.limit = min(_count(name, value), RESULTS_MAX[level])
        elif name == "offset":
            asked.offset = _count(name, value)
        elif name == "includefield":
            _include(asked, value)
        elif name in _SWITCHES:
            if value not in ("true", "false"):
                raise Problem(400, f"{name} is true or false.")
            if name == "fuzzymatching" and value == "true":
                asked.warnings.append(
                    "The fuzzymatching parameter is not supported. Only literal matching has been performed."
                )
        elif name != "accept":
            _match(asked, name, value)
    return asked


def _count(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Problem(400, f"{name} is a whole number from 0.")
    return int(value)


def _include(asked: Asked, value: str) -> None:
    for name in value.split(","):
        if name == "all":
            asked.included |= set(BY_TAG)
            continue
        tag = tag_of(name.split(".")[0])
        if tag is None:
            raise Problem(400, f"includefield: {name[:64]!r} is no attribute that DICOM knows.")
        if tag in BY_TAG and _is_in_reach(BY_TAG[tag], asked.level):
            asked.included.add(tag)
        else:
            asked.warnings.append(f"{tag} is not indexed and left out; the metadata has it.")


def _match(asked: Asked, name: str, value: str) -> None:
    tag = tag_of(name.split(".")[0])
    if tag is None:
        raise Problem(400, f"{name[:64]!r} is neither a parameter of searches nor an attribute.")
    attribute = BY_TAG.get(tag)
    if tag == NEVER_KEPT_SEQUENCE or attribute in NEVER_KEPT:
        if value not in ("", "*", '""'):
            asked.finds_nothing = True
            asked.warnings.append(f"{tag} identifies people and is never kept: nothing can match it.")
        return
    if attribute is None or not attribute.is_matched or "." in name:
        known = ", ".join(
            sorted(
                one.keyword for one in BY_TAG.values() if one.is_matched and _is_in_reach(one, asked.level)
            )
        )
        raise Problem(400, f"{name[:64]!r} can't be searched for here. What can: {known}.")
    if not _is_in_reach(attribute, asked.level):
        hint = " Ask for ModalitiesInStudy." if attribute.keyword == "Modality" else ""
        raise Problem(
            400, f"{attribute.keyword} belongs to a {attribute.level}, below what is searched.{hint}"
        )
    asked.matches.append((attribute, value))


def _is_in_reach(attribute: Attribute, level: str) -> bool:
    return LEVELS.index(attribute.level) <= LEVELS.index(level)


@in_database
def _find(asked: Asked, sight: policies.Sight, base_url: str) -> tuple[list[bytes], bool]:
    """The results as DICOM JSON, and whether there are more."""
    return find(asked, sight, base_url)


def find(asked: Asked, sight: policies.Sight, base_url: str) -> tuple[list[bytes], bool]:
    if asked.finds_nothing or not asked.limit:
        return [], False
    tell = {"study": found.studies, "series": found.series, "instance": found.instances}[asked.level]
    last = asked.offset + asked.limit + 1
    if searched.is_narrow(sight, asked.uids, asked.matches):
        rows = matching(asked, sight).order_by(*searched.ORDER[asked.level])[asked.offset : last]
    else:
        keys = searched.keys(asked.level, asked.matches, sight, asked.offset, last)
        if not keys:
            return [], False
        rows = _MODELS[asked.level].objects.filter(pk__in=keys).order_by(*searched.ORDER[asked.level])
    results = tell(rows, base_url, asked.included)
    return results[: asked.limit], len(results) > asked.limit


def matching(asked: Asked, sight: policies.Sight) -> QuerySet[Any]:
    everything = {
        "study": policies.studies_in,
        "series": policies.series_in,
        "instance": policies.instances_in,
    }
    rows: QuerySet[Any] = everything[asked.level](sight)  # type: ignore[operator]
    above = [BY_TAG[tag] for tag in ("0020000D", "0020000E")]
    for attribute, uid in zip(above, asked.uids, strict=False):
        if uid is not None:
            rows = rows.filter(**{path_from(asked.level, attribute): uid})
    for attribute, value in asked.matches:
        wanted = _condition(asked.level, attribute, value)
        if wanted is not None:
            rows = rows.filter(wanted)
        if wanted is not None and sight.organisations and attribute.keyword == OWN_UID[asked.level]:
            rows = rows.filter(organisation__in=sight.organisations)
    return rows


def _condition(level: str, attribute: Attribute, value: str) -> Q | None:
    if attribute.keyword != "ModalitiesInStudy":
        return condition(attribute, path_from(level, attribute), value)
    wanted = condition(attribute, "modality", value)
    if wanted is None:
        return None
    own_study = {"study": "pk", "series": "study", "instance": "series__study"}[level]
    return Q(Exists(Series.objects.filter(wanted, study=OuterRef(own_study))))
