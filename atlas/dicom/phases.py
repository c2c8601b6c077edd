"""Images of one place, told apart: which of them make a stack that a reader scrolls through.

A series may hold the same places several times: time points of a contrast study, echoes, b-values, states of
the heart, water and fat. Mixed in one stack they flicker, and a neighbour in the list is no neighbour in the
body. Here they become stacks of their own, each with a label that a reader understands.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydicom.dataset import Dataset

from atlas.dicom import values
from atlas.dicom.geometry import SAME_POSITION_MM, Orientation, normal_of, parallel

if TYPE_CHECKING:
    from atlas.dicom.describe import Frame


OBLIQUE = 0.8  # of the normal's largest cosine: more than 37° off every plane of the body


class Moment(NamedTuple):
    """What tells images of the same place apart, strongest first; absent values are 0 or "".

    Times are milliseconds, b-values s/mm². `kind` is what the image shows (water, fat, magnitude, phase).
    `clock` is YYYYMMDDHHMMSS.FFFFFF as written. The last two only order: they tell nothing of the body.
    """

    temporal: int
    b_value: float
    echo_ms: float
    inversion_ms: float
    trigger_ms: float
    kind: str
    acquisition: int
    clock: str
    instance_number: int
    frame_index: int

    @property
    def meaning(self) -> tuple:
        """Without what only orders."""
        return self[:8]


def moment_of(
    dataset: Dataset, group: Callable[[str], Dataset | None], *, instance_number: int = 0
) -> Moment:
    """`group(name)` is the frame's functional group macro of that name (PS3.3 C.7.6.16), if it has one."""
    content = group("FrameContentSequence")
    heart = group("CardiacSynchronizationSequence")
    kind = group("MRImageFrameTypeSequence") or group("CTImageFrameTypeSequence")
    diffusion, echo = group("MRDiffusionSequence"), group("MREchoSequence")
    image_type = values.text(kind, "FrameType") or values.text(dataset, "ImageType")
    clock = values.text(content, "FrameAcquisitionDateTime") or (
        values.text(dataset, "ContentDate") + values.text(dataset, "ContentTime")
    )
    return Moment(
        temporal=values.integer(content, "TemporalPositionIndex")
        or values.integer(dataset, "TemporalPositionIdentifier")
        or 0,
        b_value=_first(values.number, (diffusion, "DiffusionBValue"), (dataset, "DiffusionBValue")),
        echo_ms=_first(values.number, (echo, "EffectiveEchoTime"), (dataset, "EchoTime")),
        inversion_ms=_first(values.number, (dataset, "InversionTime")),
        trigger_ms=_first(values.number, (heart, "NominalCardiacTriggerDelayTime"), (dataset, "TriggerTime")),
        kind="\\".join(image_type.split("\\")[2:]),
        acquisition=values.integer(content, "FrameAcquisitionNumber")
        or values.integer(dataset, "AcquisitionNumber")
        or 0,
        clock=clock,
        instance_number=instance_number,
        frame_index=0,
    )


def _first(read: Callable, *places: tuple[Dataset | None, str]) -> float:
    return next((found for place in places if (found := read(*place)) is not None), 0.0)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stack: frames of different places, in order along their normal. `label` is "" for the only one.
    `seconds`: since the first stack of its plane was begun, where the stacks are time points."""

    label: str
    frames: list["Frame"]
    seconds: int | None = None


_WHAT = {
    "temporal": "time point",
    "b_value": "b-value",
    "echo_ms": "echo time",
    "inversion_ms": "inversion time",
    "trigger_ms": "time after the heartbeat",
    "kind": "kind of image",
    "acquisition": "acquisition",
    "clock": "time",
}


@dataclass(frozen=True, slots=True)
class Split:
    """`told_apart_by` names what differs between the phases, in words; "" where nothing does but the
    instance number, or where there is only one phase. `planes`: how many directions they lie in."""

    phases: list[Phase]
    told_apart_by: str = ""
    planes: int = 1


PLANES_MAX = 6  # stacks of different directions; beyond, a series turns round an axis and is no set of stacks


def arrange(frames: Sequence["Frame"], orientation: Orientation) -> Split:
    """Frames with positions and directions, most of them parallel to `orientation`, as stacks.

    Frames in other planes (localizers) make stacks of their own, after the others.
    """
    planes: list[tuple[Orientation, list[Frame]]] = [(orientation, [])]
    for frame in sorted(frames, key=lambda one: (one.instance_number or 0, one.sop_instance_uid, one.number)):
        own = frame.orientation or orientation
        for direction, members in planes:
            if parallel(own, direction):
                members.append(frame)
                break
        else:
            planes.append((own, [frame]))
    if len(planes) == 1:
        return split(planes[0][1], orientation)
    if len(planes) > PLANES_MAX:
        straight, turned = planes[0][1], [frame for _, members in planes[1:] for frame in members]
        return Split([Phase("", by_place(straight, orientation) + turned)])
    stacks, told_apart_by = [], []
    names = [plane_name(direction) for direction, _ in planes]
    for at, (direction, members) in enumerate(planes):
        again = f" {1 + names[:at].count(names[at])}" if names.count(names[at]) > 1 else ""
        parted = split(members, direction)
        told_apart_by.append(parted.told_apart_by)
        stacks += [
            replace(phase, label=", ".join(filter(None, (names[at] + again, phase.label))))
            for phase in parted.phases
        ]
    return Split(stacks, next(filter(None, told_apart_by), ""), len(planes))


def plane_name(orientation: Orientation) -> str:
    """The anatomical plane that a direction comes closest to."""
    normal = np.abs(normal_of(orientation))
    return "Oblique" if normal.max() < OBLIQUE else ("Sagittal", "Coronal", "Axial")[int(normal.argmax())]


def split(frames: Sequence["Frame"], orientation: Orientation) -> Split:
    """Parallel frames with positions, as stacks without two images of one place, wherever that is possible.

    First by the strongest attribute that gives few stacks of many places; then, where every place has equally
    many images left, by their order in time. Otherwise all stay one stack.
    """
    ordered = by_place(frames, orientation)
    place = places_of(ordered, orientation)
    most = max(Counter(place).values(), default=1)
    if most == 1 or len(set(place)) == 1:
        # Images of one place alone are a film: its order is that of time.
        return Split([Phase("", ordered if most == 1 else sorted(ordered, key=lambda one: one.order))])
    chosen: list[str] = []
    groups = _grouped(ordered, place, chosen)
    for name in _WHAT:
        if _copies(groups) == 1:
            break
        finer = _grouped(ordered, place, [*chosen, name])
        is_few = len(finer) <= 2 * most
        if is_few and len(finer) > len(groups) and _copies(finer) < _copies(groups):
            chosen, groups = [*chosen, name], finer
    if _copies(groups) > 1:
        ranked = _by_rank(groups)
        if ranked is None:
            return Split([Phase("", ordered)])
        groups = ranked
        meanings = {frame.order.meaning[:7] for frame in ordered}
        clocks = {frame.order.clock for frame in ordered}
        if len(clocks) > len(meanings) and "clock" not in chosen:
            chosen = [*chosen, "clock"]
    stacks = [[frame for _, frame in group] for _, group in sorted(groups.items())]
    since = _since(stacks, chosen)
    labels = _labels(stacks, [name for name in chosen if name != "clock"], since)
    return Split(
        [
            Phase(label, stack, since[at] if since else None)
            for at, (label, stack) in enumerate(zip(labels, stacks, strict=True))
        ],
        " and ".join(_WHAT[name] for name in chosen),
    )


def by_place(frames: Sequence["Frame"], orientation: Orientation) -> list["Frame"]:
    """Along the normal; frames of one place by what tells them apart."""
    normal = normal_of(orientation)

    def key(frame: "Frame") -> tuple:
        # Rounded so that images of one place stay together in spite of the last digits.
        return (round(float(normal @ frame.position), 2), frame.order, frame.sop_instance_uid)

    return sorted(frames, key=key)


def places_of(ordered: Sequence["Frame"], orientation: Orientation) -> list[int]:
    """Number of the place of each frame, from frames sorted by place."""
    along = np.array([frame.position for frame in ordered], dtype=float) @ normal_of(orientation)
    return np.cumsum(np.diff(along, prepend=along[:1]) > SAME_POSITION_MM).tolist()


type _Groups = dict[tuple, list[tuple[int, "Frame"]]]


def _grouped(ordered: Sequence["Frame"], place: Sequence[int], names: Sequence[str]) -> _Groups:
    groups: _Groups = {}
    for at, frame in zip(place, ordered, strict=True):
        key = tuple(getattr(frame.order, name) for name in names)
        groups.setdefault(key, []).append((at, frame))
    return groups


def _copies(groups: _Groups) -> int:
    return max(max(Counter(at for at, _ in group).values()) for group in groups.values())


def _by_rank(groups: _Groups) -> _Groups | None:
    """Each group cut by the rank of a frame among those of its place; None where places differ in number."""
    cut: _Groups = {}
    for key, group in groups.items():
        counts = set(Counter(at for at, _ in group).values())
        if len(counts) > 1:
            return None
        seen: Counter[int] = Counter()
        for at, frame in group:
            cut.setdefault((*key, seen[at]), []).append((at, frame))
            seen[at] += 1
    return cut


_KINDS = {
    "M": "magnitude",
    "P": "phase image",
    "R": "real part",
    "I": "imaginary part",
    "W": "water",
    "WATER": "water",
    "F": "fat",
    "FAT": "fat",
    "IP": "in phase",
    "IN_PHASE": "in phase",
    "OP": "opposed phase",
    "OPP_PHASE": "opposed phase",
    "OUT_PHASE": "opposed phase",
    "ADC": "ADC",
}


def _since(stacks: Sequence[Sequence["Frame"]], chosen: Sequence[str]) -> list[int] | None:
    """Seconds from the first stack to each; None where they aren't points of time, or not different ones."""
    times = [moment for stack in stacks if (moment := _begun(stack)) is not None]
    if len(times) < len(stacks) or {"b_value", "echo_ms", "trigger_ms", "kind"} & set(chosen):
        return None
    since = [round((moment - min(times)).total_seconds()) for moment in times]
    return since if len(set(since)) == len(since) else None


def _labels(
    stacks: Sequence[Sequence["Frame"]], chosen: Sequence[str], since: Sequence[int] | None
) -> list[str]:
    firsts = [stack[0].order for stack in stacks]
    parts = [[_part(name, order, firsts) for name in chosen] for order in firsts]
    if set(chosen) <= {"temporal", "acquisition"} and len({tuple(part) for part in parts}) < len(parts):
        parts = [[] for _ in parts]  # half a count is none: they are all counted alike
    labels = [", ".join(part) for part in parts]
    for at, label in enumerate(labels):
        # Several stacks of one label, or none: they are counted.
        if parts.count(parts[at]) > 1:
            number = 1 + parts[:at].count(parts[at])
            labels[at] = f"{label}, image {number}" if label else f"Phase {number}"
    if since:
        labels = [f"{label}, +{s // 60}:{s % 60:02d} min" for label, s in zip(labels, since, strict=True)]
    return labels


def _part(name: str, order: Moment, firsts: Sequence[Moment]) -> str:
    written: dict[str, str] = {
        "temporal": f"Time point {_rank(name, order, firsts)}",
        "b_value": f"b {order.b_value:g} s/mm²",
        "echo_ms": f"Echo {order.echo_ms:g} ms",
        "inversion_ms": f"Inversion {order.inversion_ms:g} ms",
        "trigger_ms": f"{order.trigger_ms:g} ms after the heartbeat",
        "kind": _kind(order.kind, [other.kind for other in firsts]),
        "acquisition": f"Acquisition {_rank(name, order, firsts)}",
    }
    return written[name]


def _rank(name: str, order: Moment, firsts: Sequence[Moment]) -> int:
    """Scanners may count from anywhere: the reader sees the first, second, …"""
    return 1 + sorted({getattr(other, name) for other in firsts}).index(getattr(order, name))


def _kind(own: str, others: Sequence[str]) -> str:
    """The words of an image type that the others don't all have, where known in plain English."""
    shared = set.intersection(*(set(other.split("\\")) for other in others))
    words = [_KINDS.get(word, word.lower()) for word in own.split("\\") if word and word not in shared]
    return (", ".join(dict.fromkeys(words)) or "other").capitalize()


def _begun(stack: Sequence["Frame"]) -> datetime | None:
    """The earliest time of a stack's images."""
    written = min((frame.order.clock for frame in stack if frame.order.clock), default="")
    on, at = values.parse_day(written), values.parse_clock(written[8:].split("+")[0].split("-")[0])
    return datetime.combine(on, at) if on and at else None
