"""The quality gate: what is wrong with a series, in sentences for a radiologist, and what it spoils.

`spoils` names what a reader's tools must not do: "volume" (reconstructions, volumes in mL, interpolation),
"millimetres" (lengths and areas), "units" (values in HU, SUV…), "link" (reference lines to other series).
"""

from collections.abc import Sequence

from atlas.dicom.describe import Description, Frame
from atlas.dicom.geometry import TILT_DEGREES, Orientation, Stack, parallel

type Finding = dict[str, str | list[str]]


def finding(code: str, sentence: str, *spoils: str) -> Finding:
    return {"code": code, "sentence": sentence, "spoils": list(spoils)}


def of_instances(
    descriptions: Sequence[Description], cut_off: int, undecodable: Sequence[str]
) -> list[Finding]:
    """Images that can't be shown, and why."""
    found = []
    problems = [description.problem for description in descriptions if description.problem]
    for problem in dict.fromkeys(problems):
        found.append(finding("not_shown", f"{problem} ({_images(problems.count(problem))})", "volume"))
    if cut_off:
        found.append(
            finding(
                "truncated",
                f"{_images(cut_off)} left out: the file ends before the last pixel. Ask for the file again.",
                "volume",
            )
        )
    for reason in dict.fromkeys(undecodable):
        found.append(
            finding(
                "undecodable", f"{reason} ({_images(list(undecodable).count(reason))} left out)", "volume"
            )
        )
    if any(description.lossy for description in descriptions):
        found.append(finding("lossy", "Lossy compression has changed the pixels; fine detail may be lost."))
    if any(description.modality_lut for description in descriptions):
        found.append(
            finding(
                "lookup_table",
                "A lookup table gives the values their meaning; shown are stored values.",
                "units",
            )
        )
    return found


def of_frames(
    frames: Sequence[Frame], orientation: Orientation | None, *, in_patient: bool, one_reference: bool
) -> list[Finding]:
    """Frames that don't go together, or can't be measured."""
    found = []
    if len({(frame.pixel.rows, frame.pixel.columns) for frame in frames}) > 1:
        found.append(finding("mixed_size", "The images differ in rows and columns.", "volume"))
    if len({(frame.spacing.row_mm, frame.spacing.column_mm) for frame in frames}) > 1:
        found.append(finding("mixed_spacing", "The images differ in pixel spacing.", "volume"))
    located = [frame for frame in frames if frame.position and frame.orientation]
    if 0 < len(located) < len(frames):
        sentence = "Some images say where they are in the patient, others don't."
        found.append(finding("some_positions", sentence, "volume", "link"))
    elif located and not in_patient:
        sentence = "The images name no frame of reference, so their places can't be related to other series."
        found.append(finding("no_reference", sentence, "volume", "link"))
    elif in_patient and not one_reference:
        found.append(
            finding("mixed_reference", "The images name several frames of reference.", "volume", "link")
        )
    if orientation:
        turned = sum(not parallel(frame.orientation or orientation, orientation) for frame in frames)
        if turned:
            sentence = (
                f"{_images(turned)} of {len(frames)} lie in another plane than the rest (a localizer?)."
            )
            found.append(finding("mixed_orientation", sentence, "volume"))
    sources = {frame.spacing.source for frame in frames}
    if "none" in sources:
        sentence = "No pixel spacing is given: lengths and areas can only be told in pixels."
        found.append(finding("no_calibration", sentence, "millimetres"))
    elif "imager" in sources:
        sentence = "The spacing is that at the detector: true sizes are smaller than those measured."
        found.append(finding("projection", sentence, "millimetres"))
    return found


def of_stack(stack: Stack, frames: Sequence[Frame], *, phases: int) -> list[Finding]:
    """Order, gaps and tilt of parallel planes."""
    found = []
    if stack.gaps:
        missing = sum(count for _, count in stack.gaps)
        places = ", ".join(f"after image {at + 1}" for at, _ in stack.gaps[:3])
        more = " and elsewhere" if len(stack.gaps) > 3 else ""
        sentence = f"{missing} {_plural(missing, 'slice')} {_is(missing)} missing: {places}{more}."
        found.append(finding("missing_slices", sentence, "volume"))
    if stack.uneven and stack.step_mm is not None and stack.worst_step_mm is not None:
        sentence = (
            f"The slices are unevenly spaced: mostly {stack.step_mm:.2f} mm apart, but once "
            f"{stack.worst_step_mm:.2f} mm. A reconstruction would be stretched or squeezed."
        )
        found.append(finding("uneven_spacing", sentence, "volume"))
    if phases > 1:
        sentence = f"{phases} images of each place (phases, echoes or time points), shown phase by phase."
        found.append(finding("phases", sentence, "volume"))
    elif stack.copies[1] > 1:
        sentence = "Some places have several images: duplicates, or phases of which some images are missing."
        found.append(finding("duplicate_slices", sentence, "volume"))
    if stack.tilt_degrees > TILT_DEGREES:
        sentence = (
            f"The gantry was tilted: slices are shifted against each other, by {stack.tilt_degrees:.1f}°. A "
            "reconstruction that ignores this would be bent."
        )
        found.append(finding("gantry_tilt", sentence, "volume"))
    return found


def _images(count: int) -> str:
    return f"{count} {_plural(count, 'image')}"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
