"""Images of one place told apart: which stacks a series becomes, what they are called, and what is said."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from atlas.dicom.phases import plane_name
from tests.atlas.slices import header, part_10, pixels, series
from tests.atlas.test_dicom_geometry import built, codes, real

PLACES = [(0, 0, 0), (0, 0, 3), (0, 0, 6)]
TWICE = PLACES * 2


def phases(result) -> list[tuple[str, int, int]]:
    return [(one["label"], one["first"], one["count"]) for one in result.manifest.get("phases", [])]


def heights(result) -> list[float]:
    return [place[2] for place in result.manifest["frames"]["position"]]


def halves(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    return [first] * 3 + [second] * 3


@pytest.mark.parametrize(
    ("first", "second", "labels"),
    [
        (
            {"TemporalPositionIdentifier": 4},
            {"TemporalPositionIdentifier": 9},
            ["Time point 1", "Time point 2"],
        ),
        ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 800.0}, ["b 0 s/mm²", "b 800 s/mm²"]),
        ({"EchoTime": 2.3}, {"EchoTime": 4.6}, ["Echo 2.3 ms", "Echo 4.6 ms"]),
        ({"InversionTime": 90}, {"InversionTime": 2500}, ["Inversion 90 ms", "Inversion 2500 ms"]),
        (
            {"TriggerTime": 0},
            {"TriggerTime": 310},
            ["0 ms after the heartbeat", "310 ms after the heartbeat"],
        ),
        (
            {"ImageType": ["DERIVED", "PRIMARY", "DIXON", "F"]},
            {"ImageType": ["DERIVED", "PRIMARY", "DIXON", "W"]},
            ["Fat", "Water"],
        ),
        ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}, ["Acquisition 1", "Acquisition 2"]),
    ],
    ids=["temporal position", "b-value", "echo", "inversion", "trigger", "water and fat", "acquisition"],
)
def test_two_stacks_are_told_apart_by_what_differs_and_named_after_it(first, second, labels):
    result = built(series(TWICE, each=halves(first, second)))
    assert phases(result) == [(labels[0], 0, 3), (labels[1], 3, 3)]
    assert heights(result) == [0, 3, 6, 0, 3, 6]
    assert codes(result) == ["phases"]


def test_phases_told_apart_by_their_clock_alone_say_how_long_after_the_first():
    """Every slice has a time of its own; it is their order at each place that counts."""
    each = [
        {"ContentDate": "20260114", "ContentTime": f"10{minute:02d}{second:02d}"}
        for minute, second in ((0, 1), (0, 2), (0, 3), (1, 36), (1, 37), (1, 38))
    ]
    result = built(series(TWICE, each=each))
    assert phases(result) == [("Phase 1, +0:00 min", 0, 3), ("Phase 2, +1:35 min", 3, 3)]
    assert "told apart by time" in result.manifest["findings"][0]["sentence"]


def test_b_values_in_several_directions_are_numbered_within_their_b_value():
    each = [
        {"DiffusionBValue": b, "ContentTime": f"1000{at:02d}"} for at, b in enumerate([0.0] * 3 + [800.0] * 6)
    ]
    result = built(series(PLACES * 3, each=each))
    assert phases(result) == [
        ("b 0 s/mm²", 0, 3),
        ("b 800 s/mm², image 1", 3, 3),
        ("b 800 s/mm², image 2", 6, 3),
    ]


def test_a_phase_that_lacks_an_image_stays_a_stack_and_names_the_gap():
    places = [(0, 0, z) for z in (0, 3, 6, 9, 12)]
    each = [{"AcquisitionNumber": 1}] * 5 + [{"AcquisitionNumber": 2}] * 4
    result = built(series([*places, *places[:2], *places[3:]], each=each))
    assert [count for _, _, count in phases(result)] == [5, 4]
    assert codes(result) == ["phases", "missing_slices"]
    gap = result.manifest["findings"][1]
    assert gap["sentence"] == "Acquisition 2: 1 slice is missing: after image 2."
    assert gap["spoils"] == ["volume"]


def test_an_acquisition_number_of_its_own_for_every_image_makes_no_phases():
    result = built(series(PLACES, each=[{"AcquisitionNumber": at} for at in range(3)]))
    assert phases(result) == []
    assert codes(result) == []


def test_one_image_sent_twice_is_a_duplicate_and_no_phase():
    result = built(series([*PLACES, PLACES[1]]))
    assert phases(result) == []
    assert codes(result) == ["duplicate_slices"]


def test_many_times_of_one_place_are_a_film_in_the_order_of_time():
    each = [{"TriggerTime": time} for time in (300, 0, 600, 900)]
    result = built(series([(0, 0, 5)] * 4, each=each))
    assert phases(result) == []
    assert result.manifest["frames"]["instance_number"] == [3, 4, 2, 1]
    assert codes(result) == ["one_place"]


def test_planes_of_a_localizer_are_stacks_of_their_own():
    coronal, sagittal = [1.0, 0, 0, 0, 0, -1.0], [0.0, 1, 0, 0, 0, -1.0]
    each = [{}, {}, {}] + [{"ImageOrientationPatient": coronal}] * 2 + [{"ImageOrientationPatient": sagittal}]
    places = [*PLACES, (0, 5, 0), (0, 9, 0), (9, 0, 0)]
    result = built(series(places, each=each))
    assert sorted(phases(result)) == [
        ("Axial", 0, 3),
        ("Coronal", *by(result, "Coronal")),
        ("Sagittal", *by(result, "Sagittal")),
    ]
    assert codes(result) == ["mixed_orientation"]
    assert "3 images of 6" in result.manifest["findings"][0]["sentence"]


def by(result, label: str) -> tuple[int, int]:
    return next((first, count) for name, first, count in phases(result) if name == label)


def test_a_series_turned_round_an_axis_stays_in_one_piece():
    each = [
        {"ImageOrientationPatient": [1, 0, 0, 0, c, s]} for c, s in ((1, 0), (0.8, 0.6), (0.6, 0.8), (0, 1))
    ]
    each += [
        {"ImageOrientationPatient": [1, 0, 0, 0, -c, s]} for c, s in ((0.8, 0.6), (0.6, 0.8), (0.28, 0.96))
    ]
    each += [{"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}]
    result = built(series([(0, 0, at) for at in range(8)], each=each))
    assert phases(result) == []
    assert codes(result) == ["mixed_orientation"]


@pytest.mark.parametrize(
    ("orientation", "name"),
    [
        ((1, 0, 0, 0, 1, 0), "Axial"),
        ((1, 0, 0, 0, 0, -1), "Coronal"),
        ((0, 1, 0, 0, 0, -1), "Sagittal"),
        ((1, 0, 0, 0, 0.7071, 0.7071), "Oblique"),
    ],
)
def test_a_plane_is_named_as_radiologists_do(orientation, name):
    assert plane_name(orientation) == name


def group(name: str, **attributes: Any) -> Dataset:
    inner, outer = Dataset(), Dataset()
    for keyword, value in attributes.items():
        setattr(inner, keyword, value)
    setattr(outer, name, Sequence([inner]))
    return outer


def test_an_enhanced_image_tells_its_phases_in_functional_groups():
    import numpy as np

    dataset = header(
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, Modality="MR"
    )
    shared = group("PixelMeasuresSequence", PixelSpacing=[1, 1])
    shared.update(group("PlaneOrientationSequence", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]))
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    each = []
    for z in (0, 3):
        for time in (1, 2):
            own = group("PlanePositionSequence", ImagePositionPatient=[0, 0, z])
            own.update(group("FrameContentSequence", TemporalPositionIndex=time))
            each.append(own)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(each)
    result = built([part_10(dataset, np.stack([pixels(number) for number in range(4)]))])
    assert result.manifest["frames"]["frame"] == [1, 3, 2, 4]
    assert phases(result) == [("Time point 1", 0, 2), ("Time point 2", 2, 2)]


def test_a_real_contrast_study_becomes_its_three_phases(test_data):
    """Told apart by content time and acquisition number only: no temporal position in any header."""
    result = real(test_data / "mr_breast_dce_ucsf08/image")
    assert phases(result) == [
        ("Phase 1, +0:00 min", 0, 43),
        ("Phase 2, +6:12 min", 43, 43),
        ("Phase 3, +11:50 min", 86, 43),
    ]
    positions = result.manifest["frames"]["position"]
    assert positions[:43] == positions[43:86] == positions[86:]
    assert [finding["spoils"] for finding in result.manifest["findings"]] == [[]]
