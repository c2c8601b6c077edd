"""What of a case counts in the card, as JSON. Kept when the case is written: the card opens no journal."""

from collections import Counter
from itertools import pairwise
from typing import Any

from annotations.cohort.formats.tables import rows_of_case
from annotations.cohort.material import CaseMaterial, ReadMaterial
from annotations.exchange.tables import Row
from annotations.reading.overview.comparisons import comparisons_of
from annotations.reading.proposals import proposals

type Digest = dict[str, Any]

OF_MARKS = ("labels", "measurements", "annotations")
OF_IMAGES = ("case", "series", "days_between")
"""What may be told of a case whose marks are for scoring only."""


def of_case(case: CaseMaterial) -> Digest:
    """Counted are the marks that stand for the case; where nothing was settled, those of all its reads."""
    rows = case.once(rows_of_case)
    counted = [case.reference] if case.reference else case.reads
    readers = {read.reader for read in counted}
    own = {name: [row for row in rows[name] if row["reader"] in readers] for name in OF_MARKS}
    return {
        "case": rows["cases"][0],
        "series": [_of_series(row) for row in rows["series"]],
        "days_between": _days_between(rows["series"]),
        "readers": [[read.reader, read.submission.read.kind] for read in case.reads],
        "handed_in": sorted(read.submission.at.date().isoformat() for read in case.reads),
        "labels": [[row["label"], row["label_name"], row.get("state", "")] for row in own["labels"]],
        "lesions": [size for size in map(_size, own["measurements"]) if size],
        "origins": Counter(map(_origin, own["annotations"])),
        "unaided": Counter(row["unaided"] for row in rows["annotations"] if row.get("unaided")),
        "proposals": _proposals(case.reads),
        "proposed_by": sorted({row["proposed_by"] for row in rows["annotations"] if "proposed_by" in row}),
        "agreement": _agreement(case),
    }


def without_marks(digest: Digest) -> Digest:
    """Of a case whose marks are for scoring only."""
    left = {name: digest[name] for name in OF_IMAGES}
    return left | {"case": {key: one for key, one in digest["case"].items() if key != "stratum"}}


def _of_series(row: Row) -> dict[str, Any]:
    told = ("modality", "manufacturer", "model", "slice_thickness_mm", "slice_distance_mm", "frames")
    found = {name: row[name] for name in told if name in row}
    return found | {"findings": row.get("findings", ""), "has_volume": "no_nifti_because" not in row}


def _days_between(series: list[Row]) -> list[int]:
    """From each time point to the next."""
    days = {row["time_point"]: row["days_since_first"] for row in series if "days_since_first" in row}
    return [after - before for before, after in pairwise(days[point] for point in sorted(days))]


def _size(row: Row) -> dict[str, Any] | None:
    """What a mark says of how large something is that is there."""
    longest = next((row[name] for name in ("long_axis_mm", "length_mm") if name in row), None)
    if row["state"] != "present" or (longest is None and "volume_ml" not in row):
        return None
    sizes = {"longest_mm": longest, "volume_ml": row.get("volume_ml")}
    return {"label": row["label"], **sizes}


def _origin(row: Row) -> str:
    """Of imported marks whether they were changed."""
    if row["origin"] != "imported":
        return str(row["origin"])
    return "imported, changed" if row.get("changed") else "imported, as it came"


def _proposals(reads: list[ReadMaterial]) -> Counter[str]:
    """Verdicts on marks that came with the images."""
    return Counter(one.verdict for read in reads for one in proposals(read.submission.read, read.state))


def _agreement(case: CaseMaterial) -> list[dict[str, Any]]:
    """Of every two blind readers, label by label; they were compared when both had handed in."""
    rows = comparisons_of(case.release.project, of_case=case.case)
    return [
        {"label": row.label, "dice": row.dice, "said": list(row.marked)}
        for row in rows
        if row.label and row.is_between_readers and not row.not_compared
    ]
