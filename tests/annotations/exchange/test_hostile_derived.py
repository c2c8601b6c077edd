"""Derived objects changed at random: what is read of them is whole, and nothing takes long."""

import random
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from annotations.exchange.pr_reader import read_pr
from annotations.exchange.rtstruct_reader import read_rtstruct
from annotations.exchange.source import ExchangeError
from annotations.exchange.sr_reader import read_sr
from annotations.measures import masks
from tests.annotations.exchange import makers
from tests.annotations.exchange.test_reports import annotation, graphic, presentation, words
from tests.annotations.exchange.test_rtstruct import box, outline, stored, structure_set

SOURCE = makers.series()


def content(dataset: Dataset) -> bytes:
    stream = BytesIO()
    stored(dataset).save_as(stream)
    return stream.getvalue()


def _structure_set() -> bytes:
    regions = {"GTV": [outline(SOURCE, 1, box(2, 2, 8, 8)), outline(SOURCE, 2, [(3, 3)], kind="POINT")]}
    return content(structure_set(regions))


def _presentation() -> bytes:
    item = annotation(
        SOURCE,
        images=[1],
        graphics=[graphic("ELLIPSE", [(2, 5), (9, 5), (5, 2), (5, 8)])],
        texts=[words("x", (1, 1))],
    )
    dataset = presentation(SOURCE, item, windows=[(40, 400)])
    dataset.StudyInstanceUID = "1.2"
    return content(dataset)


READERS = {"structure set": (_structure_set(), read_rtstruct), "presentation": (_presentation(), read_pr)}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 6))
def test_bytes_changed_at_random(name: str, seed: int, changes: int):
    """What comes through lies on the images, whole; the deadline is what a reader may take for it."""
    original, read = READERS[name]
    dice, changed = random.Random(seed), bytearray(original)
    for _ in range(changes):
        changed[dice.randrange(132, len(changed))] = dice.choice(
            [0, 1, 0x30, 0x5C, 0x7F, 0xFF, dice.randrange(256)]
        )
    try:
        result = read(dcmread(BytesIO(bytes(changed))), [SOURCE])
    except Exception:
        return
    for segment in getattr(result, "segments", ()):
        for key, runs in segment.planes.items():
            frame = SOURCE.frame_at[key]
            masks.validate(runs, frame.rows, frame.columns)
    for shape in result.shapes:
        assert shape.key in SOURCE.frame_at
        assert np.isfinite(np.array(shape.points_patient_mm)).all()


@pytest.mark.parametrize("number", ["1e300", "-1e308", "99999999999"])
def test_points_beyond_the_world_take_no_memory_and_no_time(number: str):
    dataset = structure_set({"GTV": [outline(SOURCE, 1, box(2, 2, 8, 8))]})
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = [number, "0", contour.ContourData[2], *contour.ContourData[3:]]
    read = read_rtstruct(stored(dataset), [SOURCE])
    assert "reaches beyond" in read.notes[0]


def test_a_structure_set_of_very_many_outlines_is_not_read(monkeypatch):
    monkeypatch.setattr("annotations.exchange.rtstruct_reader.OUTLINES_MAX", 3)
    dataset = structure_set({"GTV": [outline(SOURCE, 1, box(2, 2, 8, 8)) for _ in range(4)]})
    with pytest.raises(ExchangeError, match="more outlines than any plan"):
        read_rtstruct(dataset, [SOURCE])


def test_an_empty_report_says_so():
    empty = Dataset()
    empty.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    with pytest.raises(ExchangeError, match="keeps and doesn't read"):
        read_sr(empty, [SOURCE])
