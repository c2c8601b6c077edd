"""COCO, slice by slice: pictures, and what is outlined on each as run lengths or polygons.

coco/images/0314_CT_<series>_0031.png
coco/{train,validation,test}.json, or coco/all.json where the release has no parts
coco/left_out.json: what is in none of them, and why
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from annotations.cohort.formats import nnunet
from annotations.cohort.formats.labelling import (
    REGIONS,
    NumberedLabel,
    numbered_labels,
)
from annotations.cohort.formats.plan import Format, PlannedFile, Write
from annotations.cohort.formats.slices import MarkedSeries, MarkedSlices, Picture
from annotations.cohort.formats.streamed import Rows, write_lists
from annotations.cohort.material import CaseMaterial, ReleaseMaterial, withheld_of
from annotations.exchange.coco import closed_line, outline_of_plane, outline_of_points
from annotations.exchange.marks import SEGMENT, Mark
from annotations.exchange.slice_png import eight_bits, png
from annotations.measures import masks

KINDS = REGIONS | {SEGMENT}
FILES = {"train": "train", "validation": "validation", "test": "test", "": "all"}
"""By part of the release, the name of its file."""

_CASE_BITS = 31  # numbers of images and outlines: the case above, a digest below; 22 bits of cases fit JSON


class Coco(Format):
    key, title, holds = "coco", "COCO", "slices as PNG, outlines as run lengths and polygons, by part"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        if withheld_of(case.release, case.release_case):
            return
        for series in case.once(slices_of).series:
            for picture in series.pictures:
                read = series.read.pinned
                yield PlannedFile(
                    f"coco/{_file_name(case, series, picture)}", _png(series, picture), read=read
                )

    def record(self, case: CaseMaterial) -> Any:
        if withheld_of(case.release, case.release_case):
            return None
        slices = case.once(slices_of)
        categories = {each.key: each.number for each in slices.labels}
        numbers = _Numbers(case.release_case.number)
        return {
            "images": [
                _image(case, series, picture, categories, numbers)
                for series in slices.series
                for picture in series.pictures
            ],
            "left_out": slices.left_out,
        }

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        parts: set[str] = set()
        is_complete = True
        for release_case, record in release.records(self.key):
            is_complete = is_complete and not record["left_out"]
            if record["images"]:
                parts.add(release_case.part)
        for part, name in FILES.items():
            if part in parts:
                yield PlannedFile(f"coco/{name}.json", partial(_write_part, release, part))
        if not is_complete:
            left_out = partial(nnunet.write_left_out, release, self.key)
            yield PlannedFile("coco/left_out.json", left_out)


def slices_of(case: CaseMaterial) -> MarkedSlices:
    return MarkedSlices.of(case, numbered_labels(case.release, KINDS), KINDS)


# Pictures ---------------------------------------------------------------------------------------------


def _file_name(case: CaseMaterial, series: MarkedSeries, picture: Picture) -> str:
    return f"images/{case.release_case.number:04d}_{series.stored.name}_{picture.index + 1:04d}.png"


def _png(series: MarkedSeries, picture: Picture) -> Write:
    def write(stream: BinaryIO) -> None:
        values = series.stored.frame_pixels(picture.frame.key)
        shades = series.shades(picture)
        slope, intercept = picture.frame.slope, picture.frame.intercept
        stream.write(
            png(
                eight_bits(values)
                if shades is None
                else shades.of(values, 1.0 if slope is None else slope, intercept or 0.0)
            )
        )

    return write


# What is on them --------------------------------------------------------------------------------------


def _image(
    case: CaseMaterial,
    series: MarkedSeries,
    picture: Picture,
    categories: dict[str, int],
    numbers: "_Numbers",
) -> dict[str, Any]:
    frame, shades = picture.frame, series.shades(picture)
    image = numbers.of("image", series.stored.series.public_id, *frame.key)
    return {
        "id": image,
        "file_name": _file_name(case, series, picture),
        "width": frame.columns,
        "height": frame.rows,
        "license": 1,
        "case": case.release_case.number,
        "subject": case.case.subject.pseudonym,
        "series": series.stored.name,
        "slice": picture.index + 1,
        "sop_instance_uid": frame.key.sop_instance_uid,
        "frame_number": frame.key.frame_number,
        "pixel_spacing_mm": [frame.row_mm, frame.column_mm] if frame.row_mm else None,
        "window": None if shades is None else [shades.low, shades.high],
        "is_inverted": bool(shades and shades.is_inverted),
        "units": series.stored.source.units,
        "unknown_labels": series.unknown,
        "annotations": [
            {
                "id": numbers.of("outline", str(mark.identity), *frame.key),
                "image_id": image,
                "category_id": categories[mark.label["key"]],
                **_outline(mark, picture),
                "iscrowd": 0 if mark.state == "present" else 1,
                "annotation": str(mark.identity),
                "kind": mark.kind,
                "state": mark.state,
            }
            for mark in picture.marks
        ],
    }


def _outline(mark: Mark, picture: Picture) -> dict[str, Any]:
    frame = picture.frame
    if mark.kind == SEGMENT:
        return outline_of_plane(masks.decode(mark.planes[frame.key], frame.rows, frame.columns))
    return outline_of_points(closed_line(mark, frame))


@dataclass
class _Numbers:
    """Numbers that follow from what they are for: the same in every release, and each given once."""

    case: int

    def __post_init__(self) -> None:
        self.given: set[int] = set()

    def of(self, *parts: str | int) -> int:
        digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
        number = int.from_bytes(digest[:4]) >> (32 - _CASE_BITS)
        while number in self.given:
            number = (number + 1) % 2**_CASE_BITS
        self.given.add(number)
        return (self.case << _CASE_BITS) | number


# A part of a release ------------------------------------------------------------------------------------


def _write_part(release: ReleaseMaterial, part: str, stream: BinaryIO) -> None:
    of = release.release
    head = {
        "info": {
            "description": " · ".join(filter(None, (of.project.name, of.title, FILES[part]))),
            "version": f"{of.project.slug} {of.number}",
            "year": of.frozen_at.year,
            "contributor": of.citation,
            "date_created": of.frozen_at.isoformat(),
        },
        "licenses": [{"id": 1, "name": of.licence, "url": ""}],
        "categories": [_category(each) for each in numbered_labels(of, KINDS)],
    }
    write_lists(stream, head, ("images", "annotations"), _rows(release, part))


def _category(label: NumberedLabel) -> dict[str, Any]:
    told = label.as_json()
    return {
        "id": label.number,
        "name": label.key,
        "supercategory": "",
        "title": told["name"],
        "code": told["code"],
    }


def _rows(release: ReleaseMaterial, part: str) -> Rows:
    for release_case, record in release.records(Coco.key, part=part):
        fold = {} if release_case.fold is None else {"fold": release_case.fold}
        for image in record["images"]:
            outlines = image.pop("annotations")
            yield "images", image | fold
            yield from (("annotations", one) for one in outlines)
