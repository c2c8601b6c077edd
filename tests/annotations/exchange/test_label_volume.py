"""Label maps: numbers in voxels, the later mask wins, and what is lost is counted."""

import gzip
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest

from annotations.exchange.label_volume import overwritten
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.source import ExchangeError, FrameKey
from annotations.measures import masks
from tests.annotations.exchange.makers import oblique, series

SOURCE = series(orientation=oblique())


def planes_of(voxels: np.ndarray) -> dict:
    """Of bool[slices, rows, columns]."""
    return {
        frame.key: masks.encode(plane)
        for frame, plane in zip(SOURCE.frames, voxels, strict=True)
        if plane.any()
    }


def box(slices: slice, rows: slice, columns: slice) -> np.ndarray:
    voxels = np.zeros((6, 20, 30), dtype=bool)
    voxels[slices, rows, columns] = True
    return voxels


def label_map(values) -> nib.Nifti1Image:
    stream = BytesIO()
    NiftiWriter.of(SOURCE).write_labels(stream, values)
    return nib.Nifti1Image.from_bytes(gzip.decompress(stream.getvalue()))


def test_each_voxel_holds_the_number_of_the_last_mask_that_covers_it() -> None:
    first, second = box(slice(1, 4), slice(2, 9), slice(3, 10)), box(slice(2, 5), slice(5, 12), slice(8, 20))
    written = label_map([(1, planes_of(first)), (3, planes_of(second))])
    expected = np.where(second, 3, np.where(first, 1, 0))
    np.testing.assert_array_equal(np.asarray(written.dataobj).T, expected)
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_allclose(written.affine, NiftiWriter.of(SOURCE).grid.affine_ras_mm, atol=1e-5)


def test_voxels_that_another_label_takes_are_counted_by_the_label_that_lost_them() -> None:
    first, second = box(slice(1, 4), slice(2, 9), slice(3, 10)), box(slice(2, 5), slice(5, 12), slice(8, 20))
    lost = overwritten(SOURCE, [(1, planes_of(first)), (3, planes_of(second))])
    assert lost == {1: int((first & second).sum())} == {1: 2 * 4 * 2}


def test_masks_of_one_label_lose_nothing_to_each_other() -> None:
    mask = box(slice(1, 4), slice(2, 9), slice(3, 10))
    assert overwritten(SOURCE, [(2, planes_of(mask)), (2, planes_of(mask))]) == {}


def test_no_mask_is_an_empty_label_map_of_the_whole_series() -> None:
    written = label_map([])
    assert written.shape == (30, 20, 6)
    assert not np.asarray(written.dataobj).any()


def test_a_single_voxel_is_there() -> None:
    written = label_map([(1, planes_of(box(slice(5, 6), slice(19, 20), slice(29, 30))))])
    assert np.argwhere(np.asarray(written.dataobj)).tolist() == [[29, 19, 5]]


def test_numbers_beyond_a_byte_get_two() -> None:
    written = label_map([(300, planes_of(box(slice(0, 1), slice(0, 1), slice(0, 1))))])
    assert written.get_data_dtype() == np.uint16
    assert int(np.asarray(written.dataobj).max()) == 300


@pytest.mark.parametrize("number", [0, 65536])
def test_numbers_that_no_label_map_holds_are_refused(number: int) -> None:
    with pytest.raises(ExchangeError, match="between 1 and 65,535"):
        label_map([(number, {})])


def test_a_mask_on_an_image_of_another_series_is_refused() -> None:
    with pytest.raises(ExchangeError, match=r"9\.9, which isn't in it"):
        label_map([(1, {FrameKey("9.9", 1): masks.encode(np.ones((20, 30), dtype=bool))})])
