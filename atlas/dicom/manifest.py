"""Builds a series manifest from descriptions of its instances: all that a viewer needs, columns by frame."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from atlas.dicom import quality
from atlas.dicom.describe import Description, Frame
from atlas.dicom.geometry import EQUAL_DIRECTION, Orientation, common, normal_of, parallel, survey

VERSION = 1


@dataclass(frozen=True, slots=True)
class Built:
    """`manifest` without its generation and public ids; `frames` in the same order as its columns."""

    manifest: dict
    frames: list[Frame]


def build(
    descriptions: Sequence[Description], frames: Sequence[Frame], *, undecodable: Sequence[str] = ()
) -> Built:
    """`frames` are those of the descriptions as they will be delivered (decoded ones replaced, those that
    could not be decoded left out, their reasons in `undecodable`)."""
    shown = [frame for frame in frames if frame.ranges is not None]
    findings = quality.of_instances(descriptions, len(frames) - len(shown), undecodable)
    references = {description.frame_of_reference_uid for description in descriptions if description.frames}
    facts = dict(next(description.facts for description in descriptions if description.facts))
    units = {description.units for description in descriptions if description.frames}
    factors = {description.suv_factor for description in descriptions if description.frames}
    is_located = bool(shown) and all(frame.position and frame.orientation for frame in shown)
    # Without a frame of reference nothing says that two images' positions are told from the same point.
    in_patient = is_located and "" not in references
    orientation: Orientation | None = None
    phases = 1
    if is_located:
        orientation = common([frame.orientation for frame in shown if frame.orientation])
        shown, phases = _in_order(shown, orientation)
    else:
        shown = sorted(
            shown, key=lambda frame: (frame.instance_number or 0, frame.sop_instance_uid, frame.number)
        )
    if shown:
        findings += quality.of_frames(
            shown, orientation, in_patient=in_patient, one_reference=len(references) == 1
        )
        findings += _stack_findings(shown, orientation, phases)
    manifest = {
        "version": VERSION,
        "series": facts,
        "geometry": "patient" if in_patient else "image",
        "orientation": list(orientation) if orientation and in_patient else None,
        "units": units.pop() if len(units) == 1 else "",
        "suv_factor": factors.pop() if len(factors) == 1 else None,
        **_columns(shown, orientation if in_patient else None),
        "findings": findings,
    }
    if phases > 1:
        manifest["phases"] = phases
    return Built(manifest, shown)


def _in_order(frames: list[Frame], orientation: Orientation) -> tuple[list[Frame], int]:
    """Frames by place along the normal; where every place has n frames, phase by phase, each by place.

    Frames of another orientation come last, by their own normal. Returns the frames and n.
    """
    straight = [frame for frame in frames if parallel(frame.orientation or orientation, orientation)]
    turned = [frame for frame in frames if not parallel(frame.orientation or orientation, orientation)]
    straight = _by_place(straight, orientation)
    turned.sort(key=lambda frame: (frame.instance_number or 0, frame.sop_instance_uid, frame.number))
    stack = survey([frame.position for frame in straight], orientation)  # type: ignore[misc]
    copies = stack.copies[0]
    if copies == stack.copies[1] and copies > 1 and stack.places > 1:
        return [frame for phase in range(copies) for frame in straight[phase::copies]] + turned, copies
    return straight + turned, 1


def _by_place(frames: list[Frame], orientation: Orientation) -> list[Frame]:
    normal = normal_of(orientation)

    def key(frame: Frame) -> tuple:
        # Rounded so that phases of one place stay together in spite of the last digits.
        return (round(float(normal @ frame.position), 2), frame.order, frame.sop_instance_uid)

    return sorted(frames, key=key)


def _stack_findings(
    frames: list[Frame], orientation: Orientation | None, phases: int
) -> list[quality.Finding]:
    if orientation is None:
        return []
    straight = [frame for frame in frames if parallel(frame.orientation or orientation, orientation)]
    one_phase = straight[: len(straight) // phases]
    if len(one_phase) < 2:
        return []
    stack = survey([frame.position for frame in one_phase], orientation)  # type: ignore[misc]
    return quality.of_stack(stack, one_phase, phases=phases)


def _columns(frames: list[Frame], orientation: Orientation | None) -> dict:
    syntaxes = list(dict.fromkeys(frame.syntax for frame in frames))
    spacing = common([frame.spacing for frame in frames]) if frames else None
    pixel = common([frame.pixel for frame in frames]) if frames else None
    overrides: dict[str, dict] = {}
    for index, frame in enumerate(frames):
        own: dict = {}
        if (
            orientation
            and frame.orientation
            and not parallel(frame.orientation, orientation, EQUAL_DIRECTION)
        ):
            own["orientation"] = list(frame.orientation)
        if frame.spacing != spacing:
            own["spacing"] = asdict(frame.spacing)
        if frame.pixel != pixel:
            own["pixel"] = asdict(frame.pixel)
        if own:
            overrides[str(index)] = own
    return {
        "spacing": asdict(spacing) if spacing else {"row_mm": None, "column_mm": None, "source": "none"},
        "pixel": asdict(pixel) if pixel else None,
        "frames": {
            "sop": [frame.sop_instance_uid for frame in frames],
            "frame": [frame.number for frame in frames],
            "instance_number": [frame.instance_number for frame in frames],
            "position": [list(frame.position) for frame in frames if frame.position] if orientation else None,
            "center": [frame.center for frame in frames],
            "width": [frame.width for frame in frames],
            "slope": [frame.slope for frame in frames],
            "intercept": [frame.intercept for frame in frames],
            "length": [sum(length for _, length in frame.ranges or ()) for frame in frames],
            "syntax": [syntaxes.index(frame.syntax) for frame in frames],
        },
        "syntaxes": syntaxes,
        "overrides": overrides,
    }
