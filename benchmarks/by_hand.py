"""The peer of `release`: what somebody writes with pydicom, highdicom and nibabel who has a folder of images
and an array of masks. As fast as these libraries allow: nothing is read or converted twice."""

import csv
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom

COLUMNS = ("case", "label", "voxels", "volume_ml")


def write_case(folder: Path, masks: np.ndarray, labels: list[dict], out: Path, table: csv.DictWriter) -> None:
    """`masks`: bool[segments, slices, rows, columns], slices along the normal of the images."""
    images = [pydicom.dcmread(path) for path in folder.iterdir()]
    normal = np.cross(*np.reshape(images[0].ImageOrientationPatient, (2, 3)).astype(float))
    images.sort(key=lambda image: float(np.dot(normal, image.ImagePositionPatient)))
    out.mkdir(parents=True)
    affine = _affine(images)
    first = images[0]
    intercept = np.int16(int(first.RescaleIntercept))  # slopes are 1, values have 12 bits
    volume = np.stack([image.pixel_array.astype(np.int16) + intercept for image in images])
    nib.save(_nifti(volume, affine), out / "image.nii.gz")
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    described = []
    for number, (mask, label) in enumerate(zip(masks, labels, strict=True), start=1):
        nib.save(_nifti(mask.astype(np.uint8), affine), out / f"mask_{number}.nii.gz")
        voxels = int(mask.sum())
        table.writerow(dict(zip(COLUMNS, (out.name, label["key"], voxels, voxels * voxel_ml), strict=True)))
        code = label["code"]
        described.append(
            hd.seg.SegmentDescription(
                segment_number=number,
                segment_label=label["name"],
                segmented_property_category=hd.sr.CodedConcept(
                    "49755003", "SCT", "Morphologically Abnormal Structure"
                ),
                segmented_property_type=hd.sr.CodedConcept(code["value"], code["scheme"], code["meaning"]),
                algorithm_type="MANUAL",
            )
        )
    segmentation = hd.seg.Segmentation(
        source_images=images,
        pixel_array=np.moveaxis(masks, 0, -1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid=hd.UID(),
        series_number=1000,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="By hand",
        manufacturer_model_name="By hand",
        software_versions="1",
        device_serial_number="1",
    )
    segmentation.save_as(out / "seg.dcm")


def _affine(images: list[pydicom.Dataset]) -> np.ndarray:
    """From (column, row, slice) to RAS millimetres."""
    first, last = images[0], images[-1]
    along_row, down_column = np.reshape(first.ImageOrientationPatient, (2, 3)).astype(float)
    row_mm, column_mm = map(float, first.PixelSpacing)
    origin = np.array(first.ImagePositionPatient, dtype=float)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = along_row * column_mm, down_column * row_mm
    affine[:3, 2] = (np.array(last.ImagePositionPatient, dtype=float) - origin) / (len(images) - 1)
    affine[:3, 3] = origin
    return np.diag([-1, -1, 1, 1]) @ affine


def _nifti(values: np.ndarray, affine: np.ndarray) -> nib.Nifti1Image:
    """`values`: [slices, rows, columns]."""
    image = nib.Nifti1Image(values.T, affine)
    image.header.set_xyzt_units("mm")
    return image
