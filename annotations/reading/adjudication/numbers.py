"""What an adjudicator is told of one lesion: each reader's numbers, how far they differ, what could be taken.

Everything here is JSON for `AdjudicatedLesion.numbers`; readers are named by the public ids of their reads.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotations.measures import diameters
from annotations.measures.agreement.lesions import Lesion, overlap_of
from annotations.measures.agreement.masks import MaskPair
from annotations.measures.agreement.voxels import Mask
from annotations.measures.consensus import majority_of
from annotations.models import ReadingDesign
from annotations.reading.adjudication.fields import Field, field_of
from annotations.reading.adjudication.groups import Found, Handed
from annotations.reading.adjudication.rule import PairNumbers, past_limits
from annotations.reading.frames import Frames

STAPLE_LEAST = 3  # of two readers it can't tell who is right

type Json = dict[str, Any]


def numbers_of(
    found: Found, handed: Sequence[Handed], design: ReadingDesign, frames: Mapping[str, Frames | None]
) -> Json:
    """`frames` by series. Takes the memory of one lesion's box, once a reader."""
    readers = [each.reader.id for each in handed]
    lesions = {reader: marked.lesion for reader, marked in found.members.items()}
    field = field_of(lesions, readers)
    pairs = _pairs(found, field)
    compared = _Compared(field)
    reads = {
        reader: _read(reader, lesion, field, compared, lesions, pairs, frames, design)
        for reader, lesion in lesions.items()
    }
    dices = [pair.dice for pair in pairs if pair.dice is not None]
    aparts = [pair.longest_apart_mm for pair in pairs if pair.longest_apart_mm is not None]
    return {
        "compared_to": compared.to,
        "compared": compared.numbers,
        "reads": reads,
        "pairs": [_pair_json(pair, design) for pair in pairs],
        "least_dice": min(dices, default=None),
        "most_apart_mm": max(aparts, default=None),
        "options": _options(field, lesions, compared),
        "suggested": _suggested(field, lesions, readers),
        "series": field.series if field else None,
        "place": _place(field, handed, found, frames),
        "answers": _answers(lesions),
        "votes": list(field.votes) if field else [],
    }


def pairs_of(numbers: Json) -> list[PairNumbers]:
    """The pairs again, from what `numbers_of` kept."""
    names = ("first", "second", "dice", "hd95_mm", "longest_apart_mm")
    return [PairNumbers(**{name: pair[name] for name in names}) for pair in numbers["pairs"]]


def mask_numbers(field: Field, mask: Mask) -> Json:
    """Of a result: volume, diameters in a slice, slices and voxels. Numbers the images can't give are
    null."""
    found: Json = {
        "volume_mm3": field.volume_mm3(mask),
        "longest_mm": None,
        "short_mm": None,
        "slices": int(mask.any(axis=(1, 2)).sum()) if mask.size else 0,
        "voxels": int(np.count_nonzero(mask)),
        "areas_mm2": areas_mm2(field, mask),
    }
    if field.grid.is_in_mm:
        spacing = field.grid.row_mm, field.grid.column_mm
        axes = diameters.longest((plane, *spacing) for plane in mask)
        if axes is not None:
            found |= {"longest_mm": axes.long, "short_mm": axes.short}
    return found


def areas_mm2(field: Field, mask: Mask) -> Json | None:
    """Slice by slice; `first` is the frame's number in its series, from 0."""
    if not field.grid.is_in_mm:
        return None
    pixel_mm2 = field.grid.row_mm * field.grid.column_mm
    values = mask.sum(axis=(1, 2)) * pixel_mm2
    return {"first": field.first_frame + field.corner[0], "values": [round(float(one), 3) for one in values]}


def against(field: Field, reader_mask: Mask, mask: Mask) -> Json:
    """Dice and HD95 of two masks in one field."""
    pair = MaskPair(reader_mask, mask, field.grid.spacing_mm)
    return {"dice": pair.overlap.dice, "hd95_mm": pair.hd95_mm if field.grid.is_in_mm else None}


# Each reader ------------------------------------------------------------------------------------


class _Compared:
    """The mask that each reader is compared with: where at least half of them set the voxel. Of two readers
    each is compared with the other; of one there is nothing to compare with."""

    def __init__(self, field: Field | None) -> None:
        self.to: Json | None = None
        self.numbers: Json | None = None
        self.mask: Mask | None = None
        if field is None or len(field.votes) < 2:
            return
        if len(field.votes) == 2:
            self.to = {"take": "other"}
            return
        self.to = {"take": "at_least", "at_least": field.most, "of": len(field.votes)}
        self.mask = field.at_least(field.most)
        measured = mask_numbers(field, self.mask)
        self.numbers = {name: measured[name] for name in ("volume_mm3", "longest_mm", "short_mm")}


def _read(
    reader: str,
    lesion: Lesion,
    field: Field | None,
    compared: _Compared,
    lesions: Mapping[str, Lesion],
    pairs: Sequence[PairNumbers],
    frames: Mapping[str, Frames | None],
    design: ReadingDesign,
) -> Json:
    numbers = compared.numbers
    agreement: Json = {"dice": None, "hd95_mm": None}
    own = field.of_reader(reader) if field and reader in field.votes else None
    if own is not None and field is not None and compared.mask is not None:
        agreement = against(field, own, compared.mask)
    elif compared.to == {"take": "other"}:
        others = [pair for pair in pairs if reader in (pair.first, pair.second)]
        if others:
            agreement = {"dice": others[0].dice, "hd95_mm": others[0].hd95_mm}
        other = next((one for name, one in lesions.items() if name != reader), None)
        numbers = {"volume_mm3": other.volume_mm3, "longest_mm": other.longest_mm} if other else None
    found: Json = {
        "longest_mm": lesion.longest_mm,
        "short_mm": lesion.short_mm,
        "volume_mm3": lesion.volume_mm3,
        "slices": int(lesion.voxels.mask.any(axis=(1, 2)).sum()) if lesion.voxels else 0,
        "voxels": lesion.voxels.count if lesion.voxels else 0,
        "longest_difference_mm": _difference(lesion.longest_mm, numbers, "longest_mm"),
        "volume_difference_mm3": _difference(lesion.volume_mm3, numbers, "volume_mm3"),
        **agreement,
        "series": lesion.series,
        "areas_mm2": areas_mm2(field, own) if field and own is not None else None,
        "problem": _problem(lesion, field, frames),
    }
    facts = PairNumbers(reader, "", found["dice"], None, _size(found["longest_difference_mm"]))
    return found | {"past": past_limits(design, facts)}


def _difference(own: float | None, numbers: Json | None, name: str) -> float | None:
    than = numbers.get(name) if numbers else None
    return None if own is None or than is None else own - than


def _size(difference: float | None) -> float | None:
    return None if difference is None else abs(difference)


def _problem(lesion: Lesion, field: Field | None, frames: Mapping[str, Frames | None]) -> str | None:
    if lesion.voxels is None:
        return None
    if field is None:
        return (
            "The readers drew on images without a common frame of reference: their voxels can't be compared."
        )
    if field.series != lesion.series:
        return "Drawn on another series than most: its voxels are compared where they lie in the patient."
    known = frames.get(lesion.series)
    if not field.grid.is_in_mm:
        placed = known is not None and known.in_patient
        return (
            "The geometry of these images can't be trusted, so there are no millimetres."
            if placed
            else "These images have no position in the patient, so there is no volume."
        )
    return None


# Every two --------------------------------------------------------------------------------------


def _pairs(found: Found, field: Field | None) -> list[PairNumbers]:
    measured = []
    for first, one, second, other in found.pairs():
        dice = hd95_mm = None
        if field is not None and first in field.votes and second in field.votes:
            masks = field.of_reader(first), field.of_reader(second)
            pair = MaskPair(*masks, field.grid.spacing_mm)
            dice = pair.overlap.dice
            if len(field.votes) == 2 and field.grid.is_in_mm:
                hd95_mm = pair.hd95_mm
        elif field is None:
            overlap = overlap_of(one, other)
            dice = overlap.dice if overlap else None
        both = one.longest_mm is not None and other.longest_mm is not None
        apart = abs((one.longest_mm or 0) - (other.longest_mm or 0)) if both else None
        measured.append(PairNumbers(first, second, dice, hd95_mm, apart))
    return measured


def _pair_json(pair: PairNumbers, design: ReadingDesign) -> Json:
    return {
        "first": pair.first,
        "second": pair.second,
        "dice": pair.dice,
        "hd95_mm": pair.hd95_mm,
        "longest_apart_mm": pair.longest_apart_mm,
        "past": past_limits(design, pair),
    }


# What can be taken ------------------------------------------------------------------------------


def _options(field: Field | None, lesions: Mapping[str, Lesion], compared: _Compared) -> list[Json]:
    base = compared.numbers["volume_mm3"] if compared.numbers else None

    def option(take: str, volume_mm3: float | None, **more: Any) -> Json:
        difference = None if volume_mm3 is None or base is None else volume_mm3 - base
        return {"take": take, **more, "volume_mm3": volume_mm3, "difference_mm3": difference}

    found = [
        option("read", lesion.volume_mm3, read=reader, longest_mm=lesion.longest_mm)
        for reader, lesion in lesions.items()
    ]
    if field is not None and len(field.votes) > 1:
        votes = len(field.votes)
        volumes: Sequence[float | None] = field.volumes_by_votes_mm3() or [None] * votes
        found.append(option("union", volumes[0], of=votes))
        found += [option("at_least", volumes[n - 1], at_least=n, of=votes) for n in range(2, votes)]
        majority = majority_of(votes)
        found.append(option("majority", volumes[majority - 1], at_least=majority, of=votes))
        found.append(option("intersection", volumes[-1], of=votes))
        if votes >= STAPLE_LEAST:
            found.append(option("staple", field.volume_mm3(field.staple.mask), of=votes))
    return [*found, {"take": "drawn"}, {"take": "absent"}]


def _suggested(field: Field | None, lesions: Mapping[str, Lesion], readers: Sequence[str]) -> Json | None:
    """What most readers say; null where fewer than half have the lesion at all: a person has to look."""
    if 2 * len(lesions) < len(readers):
        return None
    if field is not None and len(field.votes) >= STAPLE_LEAST:
        return {"take": "at_least", "at_least": field.most}
    return {"take": "read", "read": next(iter(lesions))}


def _answers(lesions: Mapping[str, Lesion]) -> dict[str, dict[str, Any]]:
    """By question, then by reader."""
    keys = sorted({key for lesion in lesions.values() for key in lesion.answers})
    return {key: {reader: lesion.answers.get(key) for reader, lesion in lesions.items()} for key in keys}


# Where to look ----------------------------------------------------------------------------------


def _place(
    field: Field | None, handed: Sequence[Handed], found: Found, frames: Mapping[str, Frames | None]
) -> Json:
    if field is not None:
        place = _middle(field, frames)
        if place is not None:
            return place
    reader, marked = next(iter(found.members.items()))
    state = next(each.state for each in handed if each.reader.id == reader)
    value = next(
        (mark.value for mark in state.annotations if str(mark.annotation_id) == marked.lesion.identity), {}
    )
    place = {"series": marked.lesion.series, "sop": value.get("sop"), "frame": value.get("frame")}
    if place["sop"] is None and marked.lesion.voxels is not None and marked.lesion.grid is not None:
        alone = field_of({reader: marked.lesion}, [reader])
        if alone is not None and (middle := _middle(alone, frames)) is not None:
            return middle
    in_patient = bool(value.get("points_patient_mm"))
    points = value.get("points_patient_mm") or value.get("points_image") or [list(marked.lesion.centroid_mm)]
    point = np.mean(np.array(points, dtype=np.float64), axis=0).tolist()
    return place | {
        "index": _index(frames.get(marked.lesion.series), place["sop"], place["frame"]),
        "point_patient_mm": point if in_patient else None,
        "point_image": None if in_patient else point[:2],
    }


def _index(frames: Frames | None, sop: str | None, frame: int | None) -> int | None:
    names = list(frames.grids) if frames else []
    return names.index((sop, frame)) if sop and frame and (sop, frame) in names else None


def _middle(field: Field, frames: Mapping[str, Frames | None]) -> Json | None:
    """The middle of the slice where most is set by at least half of the readers, else by any."""
    known = frames.get(field.series)
    mask = field.at_least(field.most)
    if not mask.any():
        mask = field.at_least(1)
    if known is None or not mask.any():
        return None
    at = int(mask.sum(axis=(1, 2)).argmax())
    set_there = np.argwhere(mask[at])
    row, column = set_there[np.abs(set_there - set_there.mean(axis=0)).sum(axis=1).argmin()]
    index = np.array([[at + field.corner[0], row + field.corner[1], column + field.corner[2]]])
    number = field.first_frame + int(index[0, 0])
    sop, frame = list(known.grids)[number]
    in_mm = field.grid.is_in_mm
    return {
        "series": field.series,
        "sop": sop,
        "frame": frame,
        "index": number,
        "point_patient_mm": field.grid.centres_mm(index)[0].tolist() if in_mm else None,
        "point_image": None if in_mm else [float(index[0, 2]) + 0.5, float(index[0, 1]) + 0.5],
    }
