"""The quality gate: what is wrong with a series, in sentences for a radiologist, and what it spoils.

`spoils` names what a reader's tools must not do: "volume" (reconstructions, volumes in mL, interpolation),
"millimetres" (lengths and areas), "units" (what values mean: HU, …), "suv", "link" (other series).
"""

from collections.abc import Sequence

from atlas.dicom.describe import Description, Frame
from atlas.dicom.geometry import TILT_DEGREES, Orientation, Stack, parallel, survey
from atlas.dicom.phases import Split
from atlas.dicom.wellformed import name_of

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
    ends_early = sum(description.ends_early for description in descriptions)
    if ends_early:
        sentence = (
            f"{_images(ends_early)} may be cut off: the compressed data have no end. Ask for the file again."
        )
        found.append(finding("ends_early", sentence, "volume"))
    if any(description.ultrasound_regions for description in descriptions):
        sentence = "Millimetres hold within the ultrasound field; over curves and text they mean nothing."
        found.append(finding("ultrasound_regions", sentence))
    found += _of_values(descriptions)
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


# Attributes that give pixel values their meaning: misread, the values are wrong.
VALUES = {"RescaleSlope", "RescaleIntercept", "RescaleType", "Units", "BitsStored", "PixelRepresentation"}


def _of_values(descriptions: Sequence[Description]) -> list[Finding]:
    found = []
    keywords = list(dict.fromkeys(keyword for one in descriptions for keyword in one.ill_formed))
    if keywords:
        names = ", ".join(name_of(keyword) for keyword in keywords[:4])
        more = f" and {len(keywords) - 4} more" if len(keywords) > 4 else ""
        sentence = (
            f"Some values are written in a way that DICOM doesn't allow ({names}{more}); what couldn't be "
            "read was taken as absent."
        )
        found.append(finding("ill_formed", sentence, *(["units"] if VALUES & set(keywords) else [])))
    images = [one for one in descriptions if one.frames]
    problems = list(dict.fromkeys(one.no_suv for one in images if one.no_suv))
    factors = {one.suv_factor for one in images}
    if problems:
        found.append(finding("no_suv", f"No SUV can be told: {'; '.join(problems)}.", "suv"))
    elif len(factors) > 1:
        sentence = "No SUV can be told: dose, weight or times differ between its images."
        found.append(finding("no_suv", sentence, "suv"))
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
        sentence = (
            "A projection that nobody calibrated: its spacing is that at the detector, where everything is "
            "larger. Lengths and areas can only be told in pixels."
        )
        found.append(finding("projection", sentence, "millimetres"))
    elif "estimated" in sources:
        sentence = (
            "A projection: millimetres are estimates, by the spacing at the detector and how much the device "
            "is said, or known, to magnify."
        )
        found.append(finding("estimated", sentence))
    return found


def of_stacks(arranged: Split) -> list[Finding]:
    """Order, gaps and tilt of parallel planes, and whether several stacks were told apart."""
    found = []
    stacks = arranged.phases
    if len(stacks) > arranged.planes:
        found.append(_phases(arranged))
    for stack in stacks:
        direction = stack.frames[0].orientation
        straight = [
            frame
            for frame in stack.frames
            if direction and parallel(frame.orientation or direction, direction)
        ]
        if direction is None or len(straight) < 2:
            continue
        where = f"{stack.label}: " if len(stacks) > 1 else ""
        survey_of = survey([frame.position for frame in straight], direction)  # type: ignore[misc]
        for one in of_stack(survey_of, straight):
            sentence = str(one["sentence"])
            one["sentence"] = where + (sentence if not where else sentence[0].lower() + sentence[1:])
            found.append(one)
    return _merged(found, len(stacks))


def _phases(arranged: Split) -> Finding:
    n, by = len(arranged.phases), arranged.told_apart_by
    how = f"told apart by {by}" if by else "told apart by nothing but their instance number"
    counts = {len(phase.frames) for phase in arranged.phases}
    some = "the same places" if len(counts) == 1 else "many of the same places"
    sentence = f"{n} stacks of {some}, {how}; each is shown by itself."
    return finding("phases", sentence)


def _merged(findings: Sequence[Finding], stacks: int) -> list[Finding]:
    """What is true of every stack is said once; of many, the first two name theirs."""
    by_code: dict[str, list[Finding]] = {}
    for one in findings:
        by_code.setdefault(str(one["code"]), []).append(one)
    merged = []
    for same in by_code.values():
        merged.append(same[0])
        if len(same) > 1:
            sentence = str(same[0]["sentence"])
            more = len(same) - 1
            others = "the other" if stacks == 2 else f"{more} other {_plural(more, 'stack')}"
            same[0]["sentence"] = f"{sentence} The like in {others}."
    return merged


def of_stack(stack: Stack, frames: Sequence[Frame]) -> list[Finding]:
    """Order, gaps and tilt of the planes of one stack."""
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
    if stack.copies[1] > 1:
        meanings = {frame.order.meaning for frame in frames}
        if stack.places == 1 and len(meanings) > 1:
            sentence = f"All {len(frames)} images show one place: a film over time, not a volume."
            found.append(finding("one_place", sentence, "volume"))
        else:
            sentence = (
                "Some places have several images: duplicates, or phases of which some images are missing."
            )
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
