"""Masks and label maps in NIfTI, read back: what is as it must be passes, any damage is found and placed."""

import gzip
from collections.abc import Callable
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest

from annotations.cohort.certificate import volumes
from annotations.cohort.certificate.findings import Differs, Findings
from annotations.cohort.formats.plan import LabelVolume, MaskVolume
from annotations.exchange.nifti import NiftiWriter
from tests.annotations.cohort.certificate.marks import a_series, marks_on, stored

SOURCE = a_series()
MARKS = marks_on(SOURCE)


def a_mask(number: int = 1) -> bytes:
    stream = BytesIO()
    NiftiWriter.of(SOURCE).write_mask(stream, MARKS[number - 1].planes)
    return stream.getvalue()


def a_label_map() -> bytes:
    stream = BytesIO()
    NiftiWriter.of(SOURCE).write_labels(stream, [(n, mark.planes) for n, mark in enumerate(MARKS, 1)])
    return stream.getvalue()


def check_mask(content: bytes, number: int = 1) -> Findings:
    findings = Findings()
    expected = MaskVolume(stored(SOURCE), MARKS[number - 1])
    volumes.mask(expected, BytesIO(content), findings, overlaps=number in (1, 2))
    return findings


def check_labels(content: bytes) -> Findings:
    findings = Findings()
    expected = LabelVolume(stored(SOURCE), list(enumerate(MARKS, 1)))
    volumes.labels(expected, BytesIO(content), findings)
    return findings


def changed(
    content: bytes,
    values: Callable[[np.ndarray], np.ndarray] | None = None,
    affine: Callable[[np.ndarray], np.ndarray] | None = None,
) -> bytes:
    """`values` gets and gives [columns, rows, slices]; `affine` leads to RAS millimetres."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(content))
    array = np.asarray(image.dataobj).copy()
    new = nib.Nifti1Image(values(array) if values else array, None, header=image.header)
    placed = affine(image.affine.copy()) if affine else image.affine
    new.set_sform(placed, code="scanner")
    new.set_qform(placed, code="scanner")
    return gzip.compress(new.to_bytes())


def one_voxel(array: np.ndarray, value: int, at: tuple[int, int, int]) -> np.ndarray:
    assert array[at] != value
    array[at] = value
    return array


def moved(affine: np.ndarray, *voxels: float) -> np.ndarray:
    affine[:3, 3] += affine[:3, :3] @ np.array(voxels)
    return affine


def wider(affine: np.ndarray, axis: int) -> np.ndarray:
    affine[:3, axis] *= 1.01
    return affine


def test_a_mask_that_was_not_touched_is_as_it_must_be() -> None:
    found = check_mask(a_mask())
    assert (found.voxels_compared, found.voxels_that_differ) == (6 * 20 * 30, 0)
    assert (found.masks, found.masks_on_the_grid, found.overlapping, found.overlapping_kept) == (1, 1, 1, 1)
    assert found.empty == 0
    assert found.largest_place_mm == pytest.approx(0, abs=1e-4)
    assert check_mask(changed(a_mask())).voxels_compared == 6 * 20 * 30


def test_an_empty_mask_counts_as_kept() -> None:
    found = check_mask(a_mask(4), 4)
    assert (found.empty, found.empty_kept, found.overlapping) == (1, 1, 0)


DAMAGE = {
    "columns flipped": lambda content: changed(content, lambda a: a[::-1]),
    "rows flipped": lambda content: changed(content, lambda a: a[:, ::-1]),
    "slices reversed": lambda content: changed(content, lambda a: a[:, :, ::-1]),
    "one voxel along a row": lambda content: changed(content, lambda a: np.roll(a, 1, axis=0)),
    "one voxel down a column": lambda content: changed(content, lambda a: np.roll(a, 1, axis=1)),
    "one slice on": lambda content: changed(content, lambda a: np.roll(a, 1, axis=2)),
    "one voxel more": lambda content: changed(content, lambda a: one_voxel(a, 1, (29, 19, 0))),
    "one voxel less": lambda content: changed(content, lambda a: one_voxel(a, 0, (5, 3, 1))),
    "another value": lambda content: changed(content, lambda a: a * 2),
    "a hole filled": lambda content: changed(content, lambda a: one_voxel(a, 1, (7, 5, 2))),
    "emptied": lambda content: changed(content, lambda a: a * 0),
    "rows and columns swapped": lambda content: changed(content, lambda a: a.transpose(1, 0, 2)),
    "a slice lost": lambda content: changed(content, lambda a: a[:, :, :-1]),
    "moved by half a voxel": lambda content: changed(content, affine=lambda m: moved(m, 0.5, 0, 0)),
    "moved by one slice": lambda content: changed(content, affine=lambda m: moved(m, 0, 0, 1)),
    "columns wider": lambda content: changed(content, affine=lambda m: wider(m, 0)),
    "rows wider": lambda content: changed(content, affine=lambda m: wider(m, 1)),
    "slices further apart": lambda content: changed(content, affine=lambda m: wider(m, 2)),
    "LPS taken for RAS": lambda content: changed(content, affine=lambda m: np.diag([-1, -1, 1, 1]) @ m),
    "flipped with its affine": lambda content: changed(
        content, lambda a: a[:, :, ::-1], lambda m: moved(m, 0, 0, 5) @ np.diag([1, 1, -1, 1])
    ),
    "cut off": lambda content: content[: len(content) // 2],
    "one byte changed": lambda content: content[:150] + bytes([content[150] ^ 255]) + content[151:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_every_damage_to_a_mask_is_found(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Differs):
        check_mask(damage(a_mask()))


def test_readers_that_take_the_other_affine_find_the_same_place() -> None:
    image = nib.Nifti1Image.from_bytes(gzip.decompress(a_mask()))
    image.set_qform(moved(image.affine.copy(), 0, 1, 0), code="scanner")
    with pytest.raises(Differs, match="mm from where its image has it"):
        check_mask(gzip.compress(image.to_bytes()))


def test_a_volume_without_a_place_is_refused() -> None:
    raw = bytearray(gzip.decompress(a_mask()))
    raw[252:256] = bytes(4)  # qform_code, sform_code
    with pytest.raises(Differs, match="place in the patient"):
        check_mask(gzip.compress(raw))


def test_the_sentence_says_which_voxel_and_how_many() -> None:
    with pytest.raises(Differs, match=r"slice 2, row 4, column 6 holds 0 instead of 1 \(1 voxel differs"):
        check_mask(DAMAGE["one voxel less"](a_mask()))
    with pytest.raises(Differs, match=r"slice 2, row 4, column 6 holds 0 instead of 1 \(125 differ"):
        check_mask(DAMAGE["emptied"](a_mask()))


def test_a_label_map_holds_the_later_mark_where_two_overlap() -> None:
    found = check_labels(a_label_map())
    assert (found.masks, found.masks_on_the_grid, found.overlapping_flattened) == (4, 4, 1)
    assert found.voxels_that_differ == 0


def test_a_label_map_with_the_other_order_is_found() -> None:
    stream = BytesIO()
    turned = [(n, mark.planes) for n, mark in enumerate(MARKS, 1)]
    turned[0], turned[1] = turned[1], turned[0]
    NiftiWriter.of(SOURCE).write_labels(stream, turned)
    with pytest.raises(Differs, match="holds 1 instead of 2"):
        check_labels(stream.getvalue())


def test_a_label_map_with_swapped_numbers_is_found() -> None:
    swapped = changed(a_label_map(), lambda a: np.where((a == 1) | (a == 2), 3 - a, a))
    with pytest.raises(Differs):
        check_labels(swapped)
