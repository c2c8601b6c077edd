"""A project's own hanging protocols: written, ordered and removed by its leads; read with every case."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.http import Http404

from accounts import audit, permissions
from accounts.models import User
from annotations.models import HangingProtocol
from annotations.reading.hanging.built_in import BUILT_IN
from annotations.reading.hanging.matching import EARLIEST, LAST, Protocol, Rules, Wanted
from atlas.models import Project

audit.register("hanging.written", "hanging.moved", "hanging.removed")

PROTOCOLS_MAX = 50
NAME_LENGTH_MAX = 64
WORDS_LENGTH_MAX = 200
ROWS_MAX = COLUMNS_MAX = 3
PRIORS_MAX = 99
PHASES_MAX = 99
PLANES = ("axial", "coronal", "sagittal", "oblique")
CUTS = ("axial", "coronal", "sagittal")
LATERALITIES = ("R", "L")
PRESETS = {
    "ct-soft": "CT soft tissue",
    "ct-lung": "CT lung",
    "ct-liver": "CT liver",
    "ct-bone": "CT bone",
    "ct-brain": "CT brain",
    "ct-mediastinum": "CT mediastinum",
    "ct-stroke": "CT stroke",
    **{f"pt-suv-{top}": f"PET SUV 0 to {top}" for top in (3, 5, 7, 10, 15)},
}
"""Windows that the reading room knows by these names (static/viewer/src/store/presets.ts)."""


def protocols_of(project: Project) -> list[HangingProtocol]:
    """The project's own, in the order they are tried."""
    return list(HangingProtocol.objects.filter(project=project).select_related("changed_by"))


def tried_in(project: Project) -> list[Protocol]:
    """The project's own, then the built-in ones."""
    return [as_protocol(row) for row in HangingProtocol.objects.filter(project=project)] + list(BUILT_IN)


def protocol_or_404(project: Project, public_id: str) -> HangingProtocol:
    found = HangingProtocol.objects.filter(project=project, public_id=public_id).first()
    if found is None:
        raise Http404("There is no such protocol in this project.")
    return found


def as_protocol(row: HangingProtocol) -> Protocol:
    return Protocol(
        id=row.public_id,
        name=row.name,
        rules=_known(Rules, row.rules | {"modalities": tuple(row.rules.get("modalities", ()))}),
        rows=row.rows,
        columns=row.columns,
        panes=tuple(_known(Wanted, pane) for pane in row.panes),
        link=row.link,
    )


def _known[T](kind: type[T], values: Mapping[str, Any]) -> T:
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in names})


# Writing ----------------------------------------------------------------------------------------


def checked(
    *,
    name: str,
    rules: Mapping[str, Any],
    rows: Any,
    columns: Any,
    panes: Sequence[Mapping[str, Any]],
    link: bool,
    public_id: str = "",
) -> Protocol:
    """A protocol from what someone wrote, without keeping it.

    Raises ValidationError by field: "name", "rules.words", and for panes, from 0, "2.view".
    """
    problems: dict[str, str] = {}
    name = _line(name)
    if not name:
        problems["name"] = "Give the protocol a name."
    elif len(name) > NAME_LENGTH_MAX:
        problems["name"] = f"At most {NAME_LENGTH_MAX} characters; this has {len(name)}."
    if rows not in range(1, ROWS_MAX + 1) or columns not in range(1, COLUMNS_MAX + 1):
        raise ValidationError({"layout": f"A layout has 1 to {ROWS_MAX} rows and columns."})
    found_rules = _rules(rules, problems)
    found_panes = [_pane(panes[at] if at < len(panes) else {}, at, problems) for at in range(rows * columns)]
    if problems:
        raise ValidationError(problems)
    return Protocol(public_id, name, found_rules, rows, columns, tuple(found_panes), bool(link))


@transaction.atomic
def write_protocol(
    *, by: User, project: Project, protocol: Protocol, row: HangingProtocol | None = None
) -> HangingProtocol:
    """Keep what `checked` gave: a new protocol, tried last of the project's own, or `row` changed.

    Raises ValidationError where another of the project has the name, or there are too many.
    """
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)  # places are numbered without gaps
    own = HangingProtocol.objects.filter(project=project)
    others = own.exclude(pk=row.pk) if row else own
    if others.filter(name__iexact=protocol.name).exists():
        raise ValidationError({"name": "Another protocol of this project has this name."})
    if row is None:
        if own.count() >= PROTOCOLS_MAX:
            raise ValidationError(f"At most {PROTOCOLS_MAX} protocols in a project.")
        row = HangingProtocol(project=project, place=(own.aggregate(last=Max("place"))["last"] or 0) + 1)
    row.name = protocol.name
    row.rules = asdict(protocol.rules)
    row.rows, row.columns, row.link = protocol.rows, protocol.columns, protocol.link
    row.panes = [asdict(pane) for pane in protocol.panes]
    row.changed_by = by
    row.save()
    audit.record(by, "hanging.written", row, project=row.project_id, panes=len(protocol.panes))
    return row


@transaction.atomic
def move_protocol(*, by: User, row: HangingProtocol, up: bool) -> None:
    """Try it before the one above it, or after the one below. At the end nothing changes."""
    permissions.require(by, "manage_project", row.project)
    Project.objects.select_for_update().get(pk=row.project_id)
    row.refresh_from_db(fields=["place"])
    others = HangingProtocol.objects.filter(project=row.project_id)
    beside = (
        others.filter(place__lt=row.place).order_by("-place")
        if up
        else others.filter(place__gt=row.place).order_by("place")
    ).first()
    if beside is None:
        return
    row.place, beside.place = beside.place, row.place
    for one in (row, beside):
        one.save(update_fields=["place"])
    audit.record(by, "hanging.moved", row, project=row.project_id, place=row.place)


@transaction.atomic
def remove_protocol(*, by: User, row: HangingProtocol) -> None:
    """Cases open with the next protocol that is for them; readers who chose this one, too."""
    permissions.require(by, "manage_project", row.project)
    Project.objects.select_for_update().get(pk=row.project_id)
    audit.record(by, "hanging.removed", row, project=row.project_id)
    row.delete()


# Checking ---------------------------------------------------------------------------------------


def _line(text: Any) -> str:
    """One line without control characters, which PostgreSQL's JSON doesn't take, either."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())


def _rules(sent: Mapping[str, Any], problems: dict[str, str]) -> Rules:
    def wrong(field: str, sentence: str) -> None:
        problems[f"rules.{field}"] = sentence

    modalities = tuple(dict.fromkeys(_line(sent.get("modalities", "")).upper().replace(",", " ").split()))
    if not all(re.fullmatch(r"[A-Z]{2,16}", modality) for modality in modalities) or len(modalities) > 8:
        wrong("modalities", "DICOM's words for modalities, such as CT, PT.")
    body_part, words = _line(sent.get("body_part", "")), _line(sent.get("words", ""))
    if len(body_part) > 16:
        wrong("body_part", "At most 16 characters, as in DICOM.")
    if len(words) > WORDS_LENGTH_MAX:
        wrong("words", f"At most {WORDS_LENGTH_MAX} characters.")
    try:
        low, high = (_count(sent.get(end)) for end in ("priors_min", "priors_max"))
    except ValueError:
        wrong("priors", f"Whole numbers up to {PRIORS_MAX}, or nothing.")
        low = high = None
    if high is not None and high < (low or 0):
        wrong("priors", "The most is less than the least.")
    return Rules(
        modalities=modalities,
        body_part=body_part,
        words=words,
        laterality=_one_of(sent, "laterality", LATERALITIES, problems, "rules"),
        view=_view(sent, problems, "rules"),
        priors_min=low or 0,
        priors_max=high,
        complete=bool(sent.get("complete")),
    )


def _pane(sent: Mapping[str, Any], at: int, problems: dict[str, str]) -> Wanted:
    where = str(at)
    modality, words = _line(sent.get("modality", "")).upper(), _line(sent.get("words", ""))
    if modality and not re.fullmatch(r"[A-Z]{2,16}", modality):
        problems[f"{where}.modality"] = "One of DICOM's modalities, such as CT."
    if len(words) > WORDS_LENGTH_MAX:
        problems[f"{where}.words"] = f"At most {WORDS_LENGTH_MAX} characters."
    return Wanted(
        study=_whole(sent, "study", EARLIEST, 9, problems, where),
        modality=modality,
        words=words,
        plane=_one_of(sent, "plane", PLANES, problems, where),
        laterality=_one_of(sent, "laterality", LATERALITIES, problems, where),
        view=_view(sent, problems, where),
        phase=_whole(sent, "phase", LAST, PHASES_MAX, problems, where),
        preset=_one_of(sent, "preset", tuple(PRESETS), problems, where),
        cut=_one_of(sent, "cut", CUTS, problems, where),
        fused=bool(sent.get("fused")),
    )


def _view(sent: Mapping[str, Any], problems: dict[str, str], where: str) -> str:
    view = _line(sent.get("view", "")).upper()
    if not re.fullmatch(r"[A-Z0-9 _]{0,16}", view):
        problems[f"{where}.view"] = "A view as in DICOM, such as CC or MLO."
    return view


def _one_of(
    sent: Mapping[str, Any], field: str, choices: Sequence[str], problems: dict[str, str], where: str
) -> str:
    written = str(sent.get(field) or "")
    if written and written not in choices:
        problems[f"{where}.{field}"] = "Choose one of the list."
        return ""
    return written


def _whole(
    sent: Mapping[str, Any], field: str, least: int, most: int, problems: dict[str, str], where: str
) -> int:
    written = str(sent.get(field, 0) or 0)
    if not re.fullmatch(r"-?[0-9]{1,4}", written) or not least <= int(written) <= most:
        problems[f"{where}.{field}"] = "Choose one of the list."
        return 0
    return int(written)


def _count(written: Any) -> int | None:
    """A number of priors, None for nothing. Raises ValueError."""
    text = "" if written is None else str(written).strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > PRIORS_MAX:
        raise ValueError(text)
    return int(text)
