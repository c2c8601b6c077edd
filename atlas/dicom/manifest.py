"""Builds a series manifest from descriptions of its instances: all that a viewer needs, columns by frame."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from atlas.dicom import quality
from atlas.dicom.describe import Description, Frame
from atlas.dicom.geometry import EQUAL_DIRECTION, Orientation, common, parallel
from atlas.dicom.phases import Phase, arrange

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
    stacks: list[Phase] = []
    if is_located:
        orientation = common([frame.orientation for frame in shown if frame.orientation])
        arranged = arrange(shown, orientation)
        stacks = arranged.phases
        shown = [frame for stack in stacks for frame in stack.frames]
    else:
        shown = sorted(
            shown, key=lambda frame: (frame.instance_number or 0, frame.sop_instance_uid, frame.number)
        )
    if shown:
        findings += quality.of_frames(
            shown, orientation, in_patient=in_patient, one_reference=len(references) == 1
        )
    if orientation:
        findings += quality.of_stacks(arranged)
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
    if len(stacks) > 1:
        manifest["phases"] = _ranges(stacks)
    return Built(manifest, shown)


def _ranges(stacks: Sequence[Phase]) -> list[dict]:
    """Which frames a reader scrolls through together: [{label, first, count, seconds}], first counted from 0.
    `seconds` since the first of them was begun, where that tells something."""
    found, first = [], 0
    for stack in stacks:
        when = {} if stack.seconds is None else {"seconds": stack.seconds}
        found.append({"label": stack.label, "first": first, "count": len(stack.frames)} | when)
        first += len(stack.frames)
    return found


def _columns(frames: list[Frame], orientation: Orientation | None) -> dict:
    syntaxes = list(dict.fromkeys(frame.syntax for frame in frames))
    spacing = common([frame.spacing for frame in frames]) if frames else None
    pixel = common([frame.pixel for frame in frames]) if frames else None
    # Only where no direction in the patient says it better.
    letters = common([frame.letters for frame in frames]) if frames and not orientation else None
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
        if frame.letters != letters and not orientation:
            own["letters"] = list(frame.letters) if frame.letters else None
        if frame.pixel != pixel:
            own["pixel"] = asdict(frame.pixel)
        if own:
            overrides[str(index)] = own
    # Lists of nothing are left out: most images have no view, and one side a series stands in its facts.
    sides: dict[str, list[str]] = {}
    if any(frame.side[1] for frame in frames) or len({frame.side for frame in frames}) > 1:
        sides = {
            "laterality": [frame.side[0] for frame in frames],
            "view": [frame.side[1] for frame in frames],
        }
    return {
        "spacing": asdict(spacing) if spacing else {"row_mm": None, "column_mm": None, "source": "none"},
        "letters": list(letters) if letters else None,
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
            **sides,
        },
        "syntaxes": syntaxes,
        "overrides": overrides,
    }
