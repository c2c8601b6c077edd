"""The work of the line `release`, in a process of the node's (`manage.py shell`): prints one line of JSON."""

import csv
import gzip
import json
import os
import resource
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
from django.db import connections

from annotations.cohort import writer
from annotations.cohort.certificate.checking import Checks
from annotations.cohort.images import StoredSeries
from annotations.models import Case, Release
from atlas.archive.storage import open_instance, storage
from atlas.models import Project, Series
from benchmarks import by_hand, labelled

FORMATS = ("nifti", "seg", "tables")
AT_A_TIME = max(2, os.cpu_count() or 2)
"""Cases that one worker of a node writes at a time."""
COMPARED = 2  # cases of each round, voxel for voxel


def against_hand(cases: int, rounds: int) -> None:
    """Rounds of so many cases, ours and by hand in turn, after a short one that isn't counted."""
    series = list(Series.objects.exclude(pack_key="").select_related("study__subject").order_by("pk"))
    project = labelled.project_of("release")
    labelled.add_cases(project, cases * rounds, series=series)
    certificate = _Certificate()
    measured, compared = [], 0
    with tempfile.TemporaryDirectory() as place:
        folders = {one.pk: _images(one, Path(place, one.public_id)) for one in series}
        for at in range(rounds + 1):
            numbers = range(1, 3) if at == 0 else range(1 + (at - 1) * cases, 1 + at * cases)
            ours, release = _written(project, numbers)
            hand, out = _by_hand(project, numbers, folders, Path(place, "out"))
            if at:
                measured.append((ours / len(numbers), hand / len(numbers)))
            compared += _compare(release, numbers, out)
            _forget(release)
            shutil.rmtree(out)
        certificate.is_on = True
        numbers = range(1, 1 + min(10, cases))
        checked, _ = _written(project, numbers)
    print(
        json.dumps(
            {
                "measured": measured,
                "compared": compared,
                "certificate_s": certificate.seconds / len(numbers),
                "checked_s": checked / len(numbers),
            }
        )
    )


class _Certificate:
    """Measures how long files are read back; doesn't do it at first."""

    def __init__(self) -> None:
        self.seconds, self.is_on = 0.0, False
        check = Checks.check

        def measured(checks, planned, file) -> None:
            if self.is_on:
                begin = time.perf_counter()
                check(checks, planned, file)
                self.seconds += time.perf_counter() - begin

        Checks.check = measured


def _written(project, numbers: range) -> tuple[float, Release]:
    release = labelled.frozen(project, numbers, FORMATS)
    cases = list(release.release_cases.order_by("number").values_list("case_id", flat=True))
    begin = time.perf_counter()
    with ThreadPoolExecutor(AT_A_TIME) as jobs:
        list(jobs.map(partial(_write_case, release.pk), cases))
    writer.finish(release.pk)
    seconds = time.perf_counter() - begin
    release.refresh_from_db()
    if release.state != Release.State.READY:
        raise SystemExit(f"The release could not be written: {release.problem}")
    return seconds, release


def _write_case(release_id: int, case_id: int) -> None:
    try:
        writer.write_case(release_id, case_id)
    finally:
        connections.close_all()  # of this thread


def _images(series: Series, folder: Path) -> Path:
    """The stored images as files, as the peer would have them."""
    folder.mkdir()
    for number, instance in enumerate(StoredSeries(series).instances.values()):
        with open_instance(instance) as file:
            (folder / f"{number:04d}.dcm").write_bytes(file.read())
    return folder


def _series_of(case: Case) -> Series:
    return Series.objects.exclude(pack_key="").get(study__cases=case)


def _by_hand(project, numbers: range, folders: dict[int, Path], out: Path) -> tuple[float, Path]:
    todo = []
    for case in Case.objects.filter(project=project, number__in=numbers).order_by("number"):
        series = _series_of(case)
        frames = StoredSeries(series).source.frames
        shape = (len(frames), frames[0].rows, frames[0].columns)
        todo.append((case.number, folders[series.pk], shape))
    seconds = 0.0
    out.mkdir()
    with (out / "measurements.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, by_hand.COLUMNS)
        table.writeheader()
        for number, folder, shape in todo:
            drawn = labelled.segments(shape, seed=number)  # whoever writes by hand has them
            begin = time.perf_counter()
            by_hand.write_case(folder, drawn, labelled.LABELS, out / f"{number:04d}", table)
            seconds += time.perf_counter() - begin
    return seconds, out


# The same results -------------------------------------------------------------------------------


def _compare(release: Release, numbers: range, out: Path) -> int:
    """Voxels, places and sizes of a few cases; returns how many. Stops where they differ."""
    rows = {
        (row["case_number"], row["label"]): row
        for row in csv.DictReader(StringIO(_content(release, "tables/measurements.csv").decode()))
    }
    by_hand_rows = list(csv.DictReader((out / "measurements.csv").open()))
    for row in by_hand_rows:
        ours = rows[str(int(row["case"])), row["label"]]
        assert int(ours["voxels"]) == int(row["voxels"])
        np.testing.assert_allclose(float(ours["volume_ml"]), float(row["volume_ml"]), rtol=1e-6)
    assert len(by_hand_rows) == 2 * len(numbers)
    for number in list(numbers)[:COMPARED]:
        own = release.files.filter(path__startswith=f"cases/{number:04d}/")
        pairs = {"image": own.get(path__contains="/images/")}
        for at, label in enumerate(labelled.LABELS, start=1):
            pairs[f"mask_{at}"] = own.get(path__endswith=f"_{label['key']}.nii.gz")
        for name, file in pairs.items():
            ours = nib.Nifti1Image.from_bytes(gzip.decompress(_content(release, file.path)))
            theirs = nib.load(out / f"{number:04d}" / f"{name}.nii.gz")
            np.testing.assert_array_equal(np.asarray(ours.dataobj), np.asarray(theirs.dataobj))
            np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
        seg = BytesIO(_content(release, own.get(path__contains="/seg/").path))
        ours, theirs = hd.seg.segread(seg), hd.seg.segread(out / f"{number:04d}" / "seg.dcm")
        uids = [uid for _, _, uid in theirs.get_source_image_uids()]
        for one in (1, 2):
            np.testing.assert_array_equal(*(_planes(each, uids, one) for each in (ours, theirs)))
    return min(COMPARED, len(numbers))


def _planes(seg: hd.seg.Segmentation, uids: list[str], segment: int) -> np.ndarray:
    return seg.get_pixels_by_source_instance(uids, [segment], assert_missing_frames_are_empty=True)[..., 0]


def _content(release: Release, path: str) -> bytes:
    with storage().open(release.files.get(path=path).object_key) as file:
        return file.read()


def _forget(release: Release) -> None:
    """Room for the next."""
    for key in release.files.values_list("object_key", flat=True):
        storage().delete(key)
    release.files.all().delete()


# Memory -----------------------------------------------------------------------------------------


def make_small(cases: int) -> None:
    series = list(Series.objects.exclude(pack_key="").select_related("study__subject").order_by("pk"))
    labelled.add_cases(labelled.project_of("small"), cases, series=series)


def peak_of(cases: int) -> None:
    """Prints what this process has held at most after writing so many cases, and reading them back, in MB."""
    project = Project.objects.get(slug="small")
    _written(project, range(1, cases + 1))
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
