"""The columns of a release's tables, each defined once: the files, their documentation and the metadata about
them all follow from here.

`python -m annotations.exchange.columns` writes them into docs/scientist.md.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

type Kind = Literal["text", "integer", "number", "boolean", "date"]


@dataclass(frozen=True)
class Column:
    """`unit` as in UCUM: mm, mm2, mL, d, a, deg; {pixel} for what has no millimetres. `values`: all that
    occur, each with its meaning; empty where there is no list of them."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    values: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        values = [{"value": value, "meaning": meaning} for value, meaning in self.values]
        return {
            "name": self.name,
            "type": self.kind,
            "unit": self.unit,
            "meaning": self.meaning,
            **({"values": values} if values else {}),
        }


@dataclass(frozen=True)
class Table:
    """`key`: the columns whose values tell one row from all others."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "key": list(self.key), "columns": [one.as_json() for one in self.columns]}


def text(name: str, meaning: str, *values: tuple[str, str]) -> Column:
    return Column(name, "text", meaning, values=values)


def integer(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name, "integer", meaning, unit)


def number(name: str, meaning: str, unit: str) -> Column:
    return Column(name, "number", meaning, unit)


def boolean(name: str, meaning: str) -> Column:
    return Column(name, "boolean", meaning)


def date(name: str, meaning: str) -> Column:
    return Column(name, "date", meaning)


CASE = (
    integer("case_number", "Number of the case in the project, as in the paths"),
    text("subject", "Pseudonym, unique within its site"),
)
READ = (
    *CASE,
    text("reader", "Identifier of the reader, as in the paths; no name behind it"),
    boolean(
        "is_reference", "Whether this read stands for the case: its reference standard, or its only read"
    ),
)
CODED = (
    text("label", "Key of the label in the schema"),
    text("label_name", "Name of the label"),
    text("code_value", "The label's code, such as 108369006"),
    text("code_scheme", "Where that code is from, such as SCT"),
    text("code_meaning", "What that code means, such as Neoplasm"),
)
PRESENCE = (
    ("present", "there"),
    ("absent", "looked for, not there"),
    ("indeterminate", "can't be told"),
    ("not_assessed", "not looked for"),
)
STATE = text("state", "What the reader says of it", *PRESENCE)
KIND = text("kind", "`segment`, or one of the figures")
IMAGE = (
    text("study_instance_uid", "DICOM UID of the study"),
    text("series_instance_uid", "DICOM UID of the series"),
)
TIME_POINT = integer("time_point", "Place of the study in the case, from 1")

CASES = Table(
    "cases",
    "a case: one subject's time points",
    ("case_number",),
    (
        *CASE,
        text("site", "Organisation that the subject belongs to"),
        text("country", "Of the site, ISO 3166-1 alpha-2"),
        text("dataset", "Home of the studies; several are parted by “; ”"),
        text(
            "part",
            "Part of the split; empty: not parted",
            ("train", "to learn from"),
            ("validation", "to choose by"),
            ("test", "to judge by"),
        ),
        integer("fold", "Fold in which the case validates, from 0"),
        text("stratum", "What is alike about the cases that were shared out evenly"),
        text("sex", "As in DICOM", ("F", "female"), ("M", "male"), ("O", "other")),
        integer("age_years", "Age at the first study", "a"),
        integer("time_points", "Number of studies"),
        date("first_study_date", "As in the images; shifted where de-identification shifts dates"),
        integer("days_spanned", "From the first study to the last", "d"),
        integer("series", "Number of image series"),
        integer("reads", "Number of reads that the release holds of this case"),
        text(
            "reference",
            "How the read that stands for the case came about; empty: several reads, none of them settled",
            ("accepted", "one read, accepted"),
            ("agreed", "the readers agreed"),
            ("adjudicated", "settled by an adjudicator"),
        ),
    ),
)

SERIES = Table(
    "series",
    "an image series",
    ("series_instance_uid",),
    (
        *CASE,
        TIME_POINT,
        text("study_instance_uid", "DICOM UID of the study"),
        date("study_date", "As in the images; shifted where de-identification shifts dates"),
        integer("days_since_first", "From the first study of the case to this one", "d"),
        text("series_instance_uid", "DICOM UID of the series"),
        text("series", "The node's identifier of the series, as in the names of files"),
        text("modality", "As in DICOM: CT, MR, PT …"),
        integer("series_number", "As in DICOM"),
        text("series_description", "As in DICOM"),
        text("body_part", "As in DICOM"),
        text("manufacturer", "Of the scanner"),
        text("model", "Of the scanner"),
        text("frame_of_reference_uid", "Series that share it share their coordinates"),
        text("plane", "How the images lie: axial, coronal, sagittal, oblique"),
        integer("frames", "Number of images"),
        integer("rows", "Of the first image", "{pixel}"),
        integer("columns", "Of the first image", "{pixel}"),
        number("row_spacing_mm", "Between the centres of rows", "mm"),
        number("column_spacing_mm", "Between the centres of columns", "mm"),
        number("slice_distance_mm", "Usual distance between neighbouring images", "mm"),
        number("slice_thickness_mm", "Slice Thickness as in DICOM", "mm"),
        text("units", "What pixel values mean: HU, SUV, … ; empty where that is not known"),
        text("image", "Path of the NIfTI image"),
        text("originals", "Path of the original images"),
        text("no_nifti_because", "Why there is no NIfTI image"),
        text("findings", "Codes of what the quality gate found; several are parted by “; ”"),
    ),
)

ANNOTATIONS = Table(
    "annotations",
    "a mark of a read",
    ("reader", "annotation"),
    (
        *READ,
        integer("round", "The round that was accepted, from 1"),
        integer("schema_version", "Of the labels that the read followed"),
        text("annotation", "Identifier of the mark, as in `annotations.json`"),
        *CODED,
        KIND,
        STATE,
        TIME_POINT,
        *IMAGE,
        text("modality", "As in DICOM"),
        text("sop_instance_uid", "Image it was drawn on; empty for segments and what was drawn on a cut"),
        integer("frame_number", "Frame of that image, from 1"),
        text("frame_of_reference_uid", "Of its coordinates"),
        text(
            "origin",
            "Where the mark came from",
            ("reader", "drawn by the reader"),
            ("imported", "taken over from what came with the images"),
            ("adjudication", "made in adjudication"),
        ),
        text("proposed_by", "Of an imported mark: where that was from, in words"),
        boolean("changed", "Of an imported mark: whether the reader changed it since"),
        text(
            "unaided",
            "Of a read that began without proposals: what the mark was before they were shown",
            ("same", "as it is now"),
            ("other", "there, but changed since"),
            ("none", "not there yet"),
        ),
        text("note", "What the reader wrote beside it"),
        text("mask", "Path of its NIfTI mask"),
        text("seg", "Path of the DICOM Segmentation that holds it"),
        integer("seg_segment_number", "Number of the segment in that file"),
        text("labelmap", "Path of the DICOM label map that holds it"),
        integer("labelmap_segment_number", "Number of the segment in that file"),
        text("labelmap_rle", "Path of the compressed DICOM label map that holds it"),
        integer("labelmap_rle_segment_number", "Number of the segment in that file"),
        text("sr", "Path of the DICOM structured report that holds it"),
        text("rtstruct", "Path of the DICOM structure set that holds it"),
        integer("rtstruct_roi_number", "Number of the region in that file"),
    ),
)

MEASURED = (
    number("length_mm", "Of a length", "mm"),
    number("long_axis_mm", "The longer axis; of a segment its longest diameter in any of its slices", "mm"),
    number("short_axis_mm", "The shorter axis; of a segment the longest across that diameter, there", "mm"),
    number("area_mm2", "Of a figure", "mm2"),
    number("perimeter_mm", "Of a figure", "mm"),
    number("longest_3d_mm", "Of a segment: its longest diameter through the slices", "mm"),
    number("diameter_mm", "Of a circle", "mm"),
    number("width_mm", "Of rectangles and boxes: along the rows of the image", "mm"),
    number("height_mm", "Of rectangles and boxes: down its columns", "mm"),
    number("depth_mm", "Of boxes: across its slices", "mm"),
    number("angle_deg", "Of angles", "deg"),
    number("volume_ml", "Of a segment; each slice stands for the distance to its neighbours", "mL"),
    integer("voxels", "Of a segment", "{voxel}"),
    integer("slices", "That a segment lies on"),
    number("length_px", "As in millimetres, where images have no position in the patient", "{pixel}"),
    number("long_axis_px", "The same", "{pixel}"),
    number("short_axis_px", "The same", "{pixel}"),
    number("area_px2", "The same", "{pixel}2"),
    number("perimeter_px", "The same", "{pixel}"),
    number("diameter_px", "The same", "{pixel}"),
    number("width_px", "The same", "{pixel}"),
    number("height_px", "The same", "{pixel}"),
)

MEASUREMENTS = Table(
    "measurements",
    "a mark of a read, with what it measures",
    ("reader", "annotation"),
    (
        *READ,
        text("annotation", "Identifier of the mark, as in the annotations"),
        text("label", "Key of the label in the schema"),
        KIND,
        STATE,
        TIME_POINT,
        text("series_instance_uid", "DICOM UID of the series"),
        *MEASURED,
        boolean("estimated", "Whether millimetres are only an estimate"),
        text("problem", "Why a number is missing"),
    ),
)

LABELS = Table(
    "labels",
    "a label of the schema in a read, also where nothing was marked",
    ("case_number", "reader", "label"),
    (
        *READ,
        *CODED,
        text(
            "state",
            "What the read says of the label in this case; empty: nothing was marked or said",
            *PRESENCE,
        ),
        boolean("is_stated", "Whether the reader said so, rather than only drew marks"),
        integer("marks", "Number of marks with this label"),
        integer("segments", "Number of these that are segments with voxels"),
        number("longest_mm", "Long axis or length of the largest of them", "mm"),
        number("volume_ml", "Of all segments together", "mL"),
    ),
)

ANSWERS = Table(
    "answers",
    "an answer to a question",
    ("case_number", "reader", "about", "about_id", "question"),
    (
        *READ,
        integer("round", "The round that was accepted, from 1"),
        text(
            "about",
            "What it is about",
            ("case", "the case"),
            ("study", "a study"),
            ("series", "a series"),
            ("annotation", "a mark"),
            ("label", "a label: whether the case shows it"),
        ),
        text("about_id", "UID of the study or series, identifier of the mark, key of the label"),
        text("question", "Key of the question in the schema; `state` for a label"),
        text("question_text", "As the reader saw it"),
        text("answer", "Key of the option, or what was written; several are parted by “; ”"),
        text("answer_text", "In words; several are parted by “; ”"),
        text("unit", "Of a number"),
        text("code_value", "Of a coded answer; several are parted by “; ”"),
        text("code_scheme", "The same"),
        text("code_meaning", "The same"),
    ),
)

TABLES = {table.name: table for table in (CASES, SERIES, ANNOTATIONS, MEASUREMENTS, LABELS, ANSWERS)}


def as_json() -> dict[str, Any]:
    """What `tables/columns.json` holds."""
    return {"tables": {name: table.as_json() for name, table in TABLES.items()}}


# Documentation ------------------------------------------------------------------------------------------

BEGIN, END = "<!-- columns: {} -->", "<!-- end of columns -->"
_MARKED = re.compile(r"<!-- columns: (\w+) -->\n.*?<!-- end of columns -->", re.DOTALL)


def documented(page: str) -> str:
    """A page of documentation with its tables of columns as they are now."""
    return _MARKED.sub(lambda found: as_markdown(TABLES[found[1]]), page)


def as_markdown(table: Table) -> str:
    lines = [BEGIN.format(table.name), "| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
    for column in table.columns:
        values = "; ".join(f"`{value}` {meaning}" for value, meaning in column.values)
        meaning = f"{column.meaning}: {values}" if values else column.meaning
        key = " (key)" if column.name in table.key else ""
        lines.append(f"| `{column.name}` | {column.kind}{key} | {column.unit} | {meaning} |")
    return "\n".join([*lines, END])


if __name__ == "__main__":
    scientist = Path(__file__).resolve().parents[2] / "docs" / "scientist.md"
    scientist.write_text(documented(scientist.read_text()))
