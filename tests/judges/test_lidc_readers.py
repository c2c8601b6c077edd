"""Four radiologists' outlines of one lung nodule: read, compared, adjudicated to a reference standard.

Each number is computed apart: masks and volumes by numpy from the segmentation object that the outlines came
as, Dice and STAPLE by SimpleITK, surface distances with its distance map. Data: LIDC-IDRI-0314 (CC BY 3.0).
"""

import base64
import json
import uuid
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from django.test import Client

from accounts import permissions
from accounts.models import Organisation, User
from annotations.cohort import releases, writer
from annotations.cohort.policies import acceptable_submissions
from annotations.measures import masks
from annotations.models import (
    Case,
    CaseStudy,
    Comparison,
    Edit,
    ImportedPlane,
    LabelSchema,
    Read,
    ReadingDesign,
    ReferenceStandard,
)
from annotations.reading import journal
from annotations.reading.adjudication.rows import find as find_lesions
from annotations.reading.comparing import compare_case
from annotations.reading.journal.answers import answer_id
from atlas.archive.sources import in_paths
from atlas.archive.storage import storage
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Project, Series, Study
from tests.annotations.reading.conftest import edit
from tests.cast import person, signed_in

pytestmark = pytest.mark.judge

READERS = ("first", "second", "third", "fourth")
NODULE = {
    "key": "nodule",
    "name": "Nodule",
    "color": "#f5a742",
    "kinds": ["segment"],
    "code": {"value": "27925004", "scheme": "SCT", "meaning": "Nodule"},
    "required": False,
}


@dataclass
class Read4:
    """The case as its four readers drew it. `truth`: what each drew, bool[slices, rows, columns] by position,
    straight from the segmentation object."""

    case: Case
    people: dict[str, User]
    reads: dict[str, Read]
    truth: dict[str, np.ndarray]
    consensus: np.ndarray
    spacing_mm: tuple[float, float, float]
    ratings: dict[str, dict[str, int]]
    names: list[tuple[str, int]]  # of the slices
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        return self.clients.setdefault(who, signed_in(self.people[who]))

    def post(self, who: str, read: Read, path: str, body: dict):
        url = f"/api/v1/reads/{read.public_id}/{path}"
        return self.client(who).post(url, body, "application/json")

    def letters(self, shown: dict) -> dict[str, str]:
        """By name: the public id of the read."""
        return {name: read.public_id for name, read in self.reads.items()}


def question(key: str) -> dict:
    return {
        "key": key,
        "text": key,
        "of": "annotation",
        "only": [],
        "type": "number",
        "options": [],
        "unit": "",
        "least": 1,
        "most": 6,
        "required": True,
        "when": None,
    }


@pytest.fixture
def read4(db, objects: Path, test_data: Path) -> Read4:
    data = test_data / "ct_chest_lidc_0314"
    told = json.loads((data / "readers.json").read_text())
    ratings = [one["ratings"] for one in told["annotations"]]
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain", country="DE")
    dataset = Dataset.objects.create(
        organisation=organisation, name="Chest CT", slug="chest-ct", deidentification="already_done"
    )
    import_paths(dataset, in_paths([data / "image", data / "seg_readers.dcm"]))
    people = {name: person(name) for name in (*READERS, "judge", "lead")}
    project = Project.objects.create(
        organisation=organisation, name="Nodules", slug="nodules", created_by=people["lead"]
    )
    roles = dict.fromkeys(READERS, "reader") | {"judge": "reviewer", "lead": "lead"}
    for name, role in roles.items():
        permissions.grant(user=people[name], role=role, scope=project)
    ReadingDesign.objects.create(project=project, readers_per_case=4, review=False, dice_below=0.9)
    questions = [question(key) for key in ratings[0]]
    schema = LabelSchema.objects.create(
        project=project, version=1, labels=[NODULE], questions=questions, created_by=people["lead"]
    )
    study = Study.objects.get()
    case = Case.objects.create(project=project, subject=study.subject, number=314)
    CaseStudy.objects.create(case=case, study=study, position=1)
    ct = Series.objects.get(modality="CT")
    reads = {name: Read.objects.create(case=case, reader=people[name], schema=schema) for name in READERS}
    truth, names, spacing_mm = _drawn(data)
    found = Read4(
        case=case,
        people=people,
        reads=reads,
        truth={name: truth[number] for number, name in enumerate(READERS, start=1)},
        consensus=truth[told["consensus_segment"]],
        spacing_mm=spacing_mm,
        ratings=dict(zip(READERS, ratings, strict=True)),
        names=names,
    )
    for number, name in enumerate(READERS, start=1):
        assert found.truth[name].sum() == told["annotations"][number - 1]["voxels"]
        _draw(found, name, number, ct.public_id)
    return found


def _drawn(data: Path) -> tuple[dict[int, np.ndarray], list[tuple[str, int]], tuple[float, float, float]]:
    """The segments of the object by number, on the images in the order of their position."""
    images = [pydicom.dcmread(path, stop_before_pixels=True) for path in (data / "image").rglob("*.dcm")]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    index = {image.SOPInstanceUID: at for at, image in enumerate(images)}
    seg = pydicom.dcmread(data / "seg_readers.dcm")
    shape = (len(images), images[0].Rows, images[0].Columns)
    found = {int(one.SegmentNumber): np.zeros(shape, dtype=bool) for one in seg.SegmentSequence}
    for groups, plane in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        number = int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        found[number][index[source.ReferencedSOPInstanceUID]] = plane.astype(bool)
    rows_mm, columns_mm = map(float, images[0].PixelSpacing)
    step_mm = float(images[1].ImagePositionPatient[2]) - float(images[0].ImagePositionPatient[2])
    return found, [(image.SOPInstanceUID, 1) for image in images], (step_mm, rows_mm, columns_mm)


def _draw(read4: Read4, name: str, number: int, series: str) -> None:
    """As a browser would: the segment slice by slice, then the ratings, then it is handed in."""
    mark = uuid.uuid4()
    value = {
        "kind": "segment",
        "label": "nodule",
        "series": series,
        "state": "present",
        "note": "",
        "origin": {"from": "reader"},
    }
    edits = [edit(value, mark)]
    planes = ImportedPlane.objects.filter(segment__segment_number=number)
    assert planes.count() == read4.truth[name].any(axis=(1, 2)).sum()
    for at in np.flatnonzero(read4.truth[name].any(axis=(1, 2))):
        plane = read4.truth[name][at]
        runs = {"rle": _base64(masks.encode(plane)), "rows": plane.shape[0], "columns": plane.shape[1]}
        edits.append(edit(runs, mark, sop=read4.names[at][0]))
    for key, rating in read4.ratings[name].items():
        said = {"answer": key, "of": "annotation", "id": str(mark), "value": rating}
        edits.append(edit(said, answer_id(answer=key, of="annotation", about=str(mark))))
    read = read4.reads[name]
    sent = read4.post(name, read, "edits/", {"edits": edits}).json()
    assert {one["status"] for one in sent["results"]} == {"applied"}, sent
    submitted = read4.post(name, read, "submit/", {"number": len(edits)})
    assert submitted.status_code == 200, submitted.content
    assert submitted.json()["state"] == "accepted"


def _base64(runs: bytes) -> str:

    return base64.b64encode(runs).decode()


# Computed apart -----------------------------------------------------------------------------------


def itk(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing_mm[::-1])
    return image


def dice(first: sitk.Image, second: sitk.Image) -> float:
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(first, second)
    return overlap.GetDiceCoefficient(1)


def hd95(first: sitk.Image, second: sitk.Image) -> float:
    """From SimpleITK's contours and distance maps."""
    ways = []
    for here, there in ((first, second), (second, first)):
        surface = sitk.LabelContour(there, fullyConnected=False)
        distance = sitk.SignedMaurerDistanceMap(
            surface, squaredDistance=False, useImageSpacing=True, insideIsPositive=False
        )
        edge = sitk.GetArrayFromImage(sitk.LabelContour(here, fullyConnected=False)) > 0
        away = np.maximum(sitk.GetArrayFromImage(distance)[edge], 0)
        ways.append(np.percentile(away, 95))
    return max(ways)


# The four reads -----------------------------------------------------------------------------------


def test_the_four_agree_as_far_as_simpleitk_says(read4: Read4) -> None:
    compare_case(read4.case.pk)
    images = {name: itk(mask, read4.spacing_mm) for name, mask in read4.truth.items()}
    seen = 0
    for first, second in combinations(READERS, 2):
        pair = {read4.reads[first].pk, read4.reads[second].pk}
        row = Comparison.objects.get(label="nodule", first__read__in=pair, second__read__in=pair)
        assert row.dice == pytest.approx(dice(images[first], images[second]), abs=1e-9)
        assert row.hd95_mm == pytest.approx(hd95(images[first], images[second]), abs=1e-4)
        assert (row.matched, row.unmatched) == (1, 0)
        seen += 1
    assert seen == 6
    _check_the_lesion(read4)


def _check_the_lesion(read4: Read4) -> None:
    """All four marked one lesion; each reader's numbers against at least two of four."""
    shown, _ = _begun(read4)
    (lesion,) = shown["lesions"]
    assert lesion["present"] == 4
    assert lesion["numbers"]["compared_to"] == {"take": "at_least", "at_least": 2, "of": 4}
    voxel_mm3 = float(np.prod(read4.spacing_mm))
    half = itk(read4.consensus, read4.spacing_mm)
    for name in READERS:
        numbers = lesion["numbers"]["reads"][read4.reads[name].public_id]
        mask = read4.truth[name]
        assert numbers["voxels"] == mask.sum()
        assert numbers["volume_mm3"] == pytest.approx(mask.sum() * voxel_mm3, rel=1e-6)
        assert numbers["volume_difference_mm3"] == pytest.approx(
            (int(mask.sum()) - int(read4.consensus.sum())) * voxel_mm3, rel=1e-6
        )
        assert numbers["dice"] == pytest.approx(dice(itk(mask, read4.spacing_mm), half), abs=1e-9)
        assert numbers["hd95_mm"] == pytest.approx(hd95(itk(mask, read4.spacing_mm), half), abs=1e-4)
        areas = numbers["areas_mm2"]
        pixel_mm2 = read4.spacing_mm[1] * read4.spacing_mm[2]
        expected = mask.sum(axis=(1, 2))[areas["first"] : areas["first"] + len(areas["values"])] * pixel_mm2
        assert areas["values"] == pytest.approx(expected.tolist(), abs=1e-3)
    assert {answer["answer"] for answer in lesion["answers"] if answer["differs"]} == {
        key for key in read4.ratings["first"] if len({rating[key] for rating in read4.ratings.values()}) > 1
    }


def test_merges_hold_what_numpy_counts_and_two_of_four_is_the_consensus_that_came_along(read4: Read4) -> None:
    _, adjudication = _begun(read4)
    votes = sum(mask.astype(int) for mask in read4.truth.values())
    for choice, least in (("union", 1), ("majority", 3), ("intersection", 4)):
        assert (_preview(read4, adjudication, {"take": choice}) == (votes >= least)).all()
    half = _preview(read4, adjudication, {"take": "at_least", "at_least": 2})
    assert (half == read4.consensus).all()
    _check_staple(read4, adjudication)


def test_adjudicated_it_is_the_reference_standard_and_what_a_release_holds(read4: Read4) -> None:
    shown, adjudication = _begun(read4)
    before = list(Edit.objects.filter(read__in=read4.reads.values()).order_by("pk").values())
    (lesion,) = shown["lesions"]
    body = {
        "choice": {"take": "at_least", "at_least": 2},
        "reason": "Two of four draw the spicule at the lower edge.",
        "version": 0,
        "answers": {answer["answer"]: 4 for answer in lesion["answers"] if answer["differs"]},
    }
    settled = read4.post("judge", adjudication, "adjudication/lesions/1/settle/", body)
    assert settled.status_code == 200, settled.content
    last = settled.json()["number"]
    submitted = read4.post("judge", adjudication, "submit/", {"number": last})
    assert submitted.status_code == 200, submitted.content
    standard = ReferenceStandard.objects.get(case=read4.case)
    assert (standard.how, standard.submission.read) == ("adjudicated", adjudication)
    state = journal.state_at(adjudication, standard.submission.edit_number)
    assert (_stacked(read4, state.planes) == read4.consensus).all()
    assert list(Edit.objects.filter(read__in=read4.reads.values()).order_by("pk").values()) == before

    project = read4.case.project
    assert [one.read for one in acceptable_submissions(project)] == [adjudication]
    release = releases.freeze(by=read4.people["lead"], project=project)
    writer.write_case(release.pk, read4.case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    assert release.state == "ready", release.problem
    (file,) = release.files.filter(path__endswith="annotations.json")
    with storage().open(file.object_key) as stream:
        told = json.loads(stream.read())["reference_standard"]
    assert told["how"] == "adjudicated"
    assert list(told["readers"]) == ["A", "B", "C", "D"]
    assert told["lesions"][0]["choice"] == {"take": "at_least", "at_least": 2}


def _check_staple(read4: Read4, adjudication: Read) -> None:
    """SimpleITK's, in the same field: one voxel around all that anybody drew."""
    path = "adjudication/lesions/1/preview/"
    told = read4.post("judge", adjudication, path, {"take": "staple"}).json()
    where = np.argwhere(np.any(list(read4.truth.values()), axis=0))
    field = tuple(slice(low - 1, high + 2) for low, high in zip(where.min(0), where.max(0), strict=True))
    # The readers vote in the order of their letters.
    order = sorted(READERS, key=lambda name: read4.reads[name].public_id)
    judge = sitk.STAPLEImageFilter()
    judge.SetForegroundValue(1)
    images = [itk(read4.truth[name][field], read4.spacing_mm) for name in order]
    estimate = sitk.GetArrayFromImage(judge.Execute(images)) >= 0.5
    found = _preview(read4, adjudication, {"take": "staple"})
    assert (found[field] == estimate).all()
    assert found.sum() == estimate.sum()
    for name, sensitivity, specificity in zip(
        order, judge.GetSensitivity(), judge.GetSpecificity(), strict=True
    ):
        said = told["staple"][read4.reads[name].public_id]
        assert said["sensitivity"] == pytest.approx(sensitivity, abs=1e-5)
        assert said["specificity"] == pytest.approx(specificity, abs=1e-5)


def _begun(read4: Read4) -> tuple[dict, Read]:
    compare_case(read4.case.pk)
    read4.case.refresh_from_db()
    assert read4.case.needs_adjudication
    url = f"/api/v1/projects/nodules/cases/{read4.case.number}/adjudication/"
    begun = read4.client("judge").post(url, {}, "application/json")
    assert begun.status_code == 201, begun.content
    adjudication = Read.objects.get(public_id=begun.json()["read"])
    find_lesions(adjudication.pk)  # the job
    shown = read4.client("judge").get(f"/api/v1/reads/{adjudication.public_id}/adjudication/")
    return shown.json(), adjudication


def _preview(read4: Read4, adjudication: Read, choice: dict) -> np.ndarray:
    answer = read4.post("judge", adjudication, "adjudication/lesions/1/preview/", choice)
    assert answer.status_code == 200, answer.content
    return _stacked(read4, answer.json()["planes"])


def _stacked(read4: Read4, planes) -> np.ndarray:

    found = np.zeros_like(read4.consensus)
    index = {name: at for at, name in enumerate(read4.names)}
    for plane in planes:
        if isinstance(plane, dict):
            runs = base64.b64decode(plane["rle"])
            name, size = (plane["sop"], plane["frame"]), (plane["rows"], plane["columns"])
        else:
            runs = plane.runs
            name, size = (plane.sop_instance_uid, plane.frame_number), (plane.rows, plane.columns)
        found[index[name]] = masks.decode(runs, *size)
    return found
