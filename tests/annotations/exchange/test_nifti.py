"""NIfTI images and masks: the same grid for both, in the place that DICOM says, with true values."""

import gzip
from dataclasses import replace
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest

from annotations.exchange.grid import Grid
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.measures import masks
from tests.annotations.exchange.makers import oblique, series

SIGNED_16 = (-32768, 32767)
UNSIGNED_12 = (0, 4095)


def frames_of(source: SourceSeries) -> list[np.ndarray]:
    random = np.random.default_rng(4)
    return [random.integers(0, 2000, (f.rows, f.columns)).astype(np.uint16) for f in source.frames]


def image_of(source: SourceSeries, frames: list[np.ndarray], stored_range=UNSIGNED_12) -> nib.Nifti1Image:
    stream = BytesIO()
    NiftiWriter.of(source).write_image(stream, frames, stored_range=stored_range)
    return nib.Nifti1Image.from_bytes(gzip.decompress(stream.getvalue()))


def mask_of(source: SourceSeries, planes: dict) -> nib.Nifti1Image:
    stream = BytesIO()
    NiftiWriter.of(source).write_mask(stream, planes)
    return nib.Nifti1Image.from_bytes(gzip.decompress(stream.getvalue()))


@pytest.mark.parametrize(
    "source",
    [
        series(),
        series(step_mm=-2.5),
        series(orientation=oblique()),
        series(orientation=(0, 1, 0, 0, 0, -1), step_mm=3.3),
        series(multi_frame=True),
    ],
    ids=["axial", "left-handed", "oblique", "sagittal", "multi-frame"],
)
def test_every_voxel_lies_where_dicom_puts_it(source: SourceSeries) -> None:
    """By hand, PS3.3 C.7.6.2.1.1: position + column × Δcolumn × X + row × Δrow × Y, then LPS to RAS."""
    frames = frames_of(source)
    image = image_of(source, frames)
    values = np.asarray(image.dataobj)
    assert values.shape == (30, 20, 6)
    assert image.header.get_xyzt_units()[0] == "mm"
    for slice_index, frame in enumerate(source.frames):
        for row, column in ((0, 0), (7, 21), (19, 29)):
            along_row = np.array(frame.orientation[:3])
            down_column = np.array(frame.orientation[3:])
            lps = np.array(frame.position) + column * 0.9 * along_row + row * 0.7 * down_column
            for affine in (image.get_sform(), image.get_qform()):
                ras = nib.affines.apply_affine(affine, (column, row, slice_index))
                np.testing.assert_allclose(ras, lps * (-1, -1, 1), atol=1e-3)
            assert values[column, row, slice_index] == int(frames[slice_index][row, column]) - 1024


def test_a_mask_has_the_images_shape_and_affine_and_the_drawn_voxels() -> None:
    source = series(orientation=oblique())
    plane = np.zeros((20, 30), dtype=bool)
    plane[3:9, 11:14] = True
    mask = mask_of(source, {source.frames[2].key: masks.encode(plane)})
    image = image_of(source, frames_of(source))
    assert mask.shape == image.shape
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert mask.get_data_dtype() == np.uint8
    expected = np.zeros(mask.shape, dtype=np.uint8)
    expected[11:14, 3:9, 2] = 1
    np.testing.assert_array_equal(np.asarray(mask.dataobj), expected)


def test_whole_numbers_stay_whole_numbers_of_the_smallest_type_that_holds_them() -> None:
    source = series()
    assert image_of(source, frames_of(source)).get_data_dtype() == np.int16
    assert image_of(source, frames_of(source), SIGNED_16).get_data_dtype() == np.int16
    bright = frames_of(source)
    bright[3][5, 6] = 65535
    image = image_of(source, bright, (0, 65535))
    assert image.get_data_dtype() == np.int32
    assert np.asarray(image.dataobj)[6, 5, 3] == 65535 - 1024


def test_fractions_after_rescaling_become_floats() -> None:
    source = series(slope=0.25, intercept=-3.5)
    frames = frames_of(source)
    image = image_of(source, frames)
    assert image.get_data_dtype() == np.float32
    np.testing.assert_allclose(np.asarray(image.dataobj)[4, 9, 1], frames[1][9, 4] * 0.25 - 3.5)


def test_each_slice_is_rescaled_by_its_own_line() -> None:
    """As PET does: the slope changes from slice to slice."""
    source = series(intercept=0)
    scaled = tuple(replace(frame, slope=0.5 + index) for index, frame in enumerate(source.frames))
    source = replace(source, frames=scaled)
    frames = frames_of(source)
    values = np.asarray(image_of(source, frames).dataobj)
    for index in range(6):
        np.testing.assert_allclose(values[:, :, index], frames[index].T * (0.5 + index), rtol=1e-6)


def test_the_same_image_gives_the_same_bytes() -> None:
    source = series()
    written = []
    for _ in range(2):
        stream = BytesIO()
        NiftiWriter.of(source).write_image(stream, frames_of(source), stored_range=UNSIGNED_12)
        written.append(stream.getvalue())
    assert written[0] == written[1]


def moved(source: SourceSeries, index: int, by: tuple[float, float, float]) -> SourceSeries:
    frames = list(source.frames)
    place = np.array(frames[index].position) + by
    frames[index] = replace(frames[index], position=tuple(place.tolist()))
    return replace(source, frames=tuple(frames))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (moved(series(), 5, (0, 0, 2.5)), "slices 5 and 6 are 5.00 mm apart, where it is 2.50 mm elsewhere"),
        (series(step=(0, 0.8, 2.5)), "sheared by 17.7°, as with a tilted gantry"),
        (moved(series(), 3, (0, 0, -2.5)), "several images at one place"),
        (moved(series(), 3, (1.0, 0, 0)), "off the others' line"),
        (replace(series(), photometric="RGB"), "its pixels are colours"),
        (series(slices=1), "one slice only"),
    ],
    ids=["gap", "tilt", "doubled", "sideways", "colour", "single"],
)
def test_what_is_no_regular_volume_is_refused_with_the_reason(source: SourceSeries, reason: str) -> None:
    with pytest.raises(ExchangeError, match=reason):
        NiftiWriter.of(source)


def test_positions_that_a_scanner_rounded_are_a_volume_as_long_as_no_slice_lies_elsewhere() -> None:
    """One step is shorter by 0.08 mm, as between the bed positions of a PET."""
    source = series(slices=80, step_mm=3.27)
    for index in range(40, 80):
        source = moved(source, index, (0, 0, -0.08))
    grid = Grid.of(source)
    for index, frame in enumerate(source.frames):
        placed = nib.affines.apply_affine(grid.affine_lps_mm, (0, 0, index))
        assert np.linalg.norm(placed - frame.position) <= 0.05
    for index in range(40, 80):
        source = moved(source, index, (0, 0, -0.08))
    with pytest.raises(ExchangeError, match=r"slices 40 and 41 are 3\.11 mm apart, where it is 3\.27 mm"):
        Grid.of(source)


def test_the_grids_affine_leads_back_to_the_position_of_each_slice() -> None:
    source = series(orientation=oblique(), slices=40)
    grid = Grid.of(source)
    np.testing.assert_allclose(grid.voxel_size_mm, (0.9, 0.7, 2.5), atol=1e-9)
    for index, frame in enumerate(source.frames):
        np.testing.assert_allclose(
            nib.affines.apply_affine(grid.affine_lps_mm, (0, 0, index)), frame.position, atol=1e-9
        )
