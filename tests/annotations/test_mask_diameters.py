"""The diameters of masks against numbers from brute force, which the viewer's tests read, too."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotations.measures import diameters, masks

CASES = json.loads((Path(__file__).parent / "measures" / "mask_cases.json").read_text())
TENTH_MM = 0.05


def volume_of(case: dict[str, Any]) -> np.ndarray:
    volume = np.zeros((len(case["positions"]), case["rows"], case["columns"]), dtype=bool)
    for index, runs in case["slices"].items():
        volume[int(index)] = masks.decode(base64.b64decode(runs), case["rows"], case["columns"])
    return volume


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_diameters_are_those_of_brute_force(case):
    volume = volume_of(case)
    found = diameters.longest((plane, case["row_mm"], case["column_mm"]) for plane in volume)
    if case["voxels"] == 0:
        assert found is None
    else:
        assert found is not None
        assert found.long == pytest.approx(case["long_axis_mm"], abs=TENTH_MM)
        assert found.short == pytest.approx(case["short_axis_mm"], abs=TENTH_MM)
        long_end, other_long_end, short_end, other_short_end = found.ends * [
            case["column_mm"],
            case["row_mm"],
        ]
        assert np.linalg.norm(long_end - other_long_end) == pytest.approx(found.long)
        assert np.linalg.norm(short_end - other_short_end) == pytest.approx(found.short)
        assert (long_end - other_long_end) @ (short_end - other_short_end) == pytest.approx(0, abs=1e-6)

    origins_mm = np.array(case["positions"])
    row, column = np.array(case["orientation"]).reshape(2, 3)
    gaps = np.abs(np.diff(origins_mm @ np.cross(row, column)))
    longest_mm = diameters.longest_3d(
        volume,
        origins_mm=origins_mm,
        along_row=row,
        along_column=column,
        row_mm=case["row_mm"],
        column_mm=case["column_mm"],
        beyond_mm=(gaps[0], gaps[-1]),
    )
    assert longest_mm == pytest.approx(case["longest_3d_mm"], abs=TENTH_MM)


def test_a_large_organ_is_measured_in_a_moment():
    slices, rows, columns = np.indices((60, 200, 200), dtype=np.float32)
    volume = ((slices - 30) / 29) ** 2 + ((rows - 100) / 90) ** 2 + ((columns - 100) / 70) ** 2 <= 1
    found = diameters.longest((plane, 1.0, 1.0) for plane in volume)
    assert found is not None
    assert (found.long, found.short) == (pytest.approx(181, abs=0.5), pytest.approx(141, abs=0.5))
    origins_mm = np.column_stack((np.zeros(60), np.zeros(60), 5.0 * np.arange(60)))
    longest_mm = diameters.longest_3d(
        volume,
        origins_mm=origins_mm,
        along_row=np.array([1.0, 0.0, 0.0]),
        along_column=np.array([0.0, 1.0, 0.0]),
        row_mm=1.0,
        column_mm=1.0,
        beyond_mm=(5.0, 5.0),
    )
    assert longest_mm == pytest.approx(295, abs=3)
