"""What models hand in: checked file by file, scored against the reference, ranked, proposed."""

import gzip
from copy import copy
from io import BytesIO
from uuid import uuid4

import nibabel as nib
import numpy as np
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import permissions
from annotations.api.imported_json import imported_json
from annotations.cohort import releases, uses, writer
from annotations.cohort.predictions import forgetting, handing_in, proposing, scoring, standings
from annotations.cohort.predictions.scoring import figures
from annotations.measures import masks
from annotations.models import (
    Case,
    CaseStudy,
    ImportedSegment,
    LabelSchema,
    PredictedCase,
    Prediction,
    PredictionFile,
    Read,
    Release,
)
from annotations.reading import journal
from annotations.reading.journal import state_at
from annotations.reading.proposals import proposals
from atlas.archive.storage import storage
from atlas.models import Project
from tests.annotations.cohort.conftest import Cohort, Shared
from tests.annotations.cohort.test_release import content

RUN = {
    releases.WRITE_CASE: writer.write_case,
    releases.FINISH: writer.finish,
    handing_in.SCORE_CASE: scoring.score_case,
    forgetting.COUNT: scoring.count,
    proposing.PROPOSE_CASE: proposing.propose_case,
}


def run_jobs() -> None:
    for job in ProcrastinateJob.objects.filter(status="todo", task_name__in=RUN).order_by("id"):
        RUN[job.task_name](**job.args)


class Given:
    """A release of one case with two overlapping tumours and a node that isn't there."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        read = cohort.read()
        self.drawn = list(cohort.draw(read).values())
        cohort.accept(read)
        self.scientist = cohort.people["scientist"]
        self.lead = cohort.people["lead"]
        choice = releases.Choice(formats=("nifti", "seg"))
        self.release = releases.freeze(by=self.lead, project=cohort.project, choice=choice)
        run_jobs()
        run_jobs()
        self.release.refresh_from_db()
        assert self.release.state == Release.State.READY, self.release.problem
        uses.state_use(by=self.scientist, release=self.release, purpose="A model of tumours", agrees=True)
        image = self.release.files.get(path__contains="/images/")
        self.image = nib.Nifti1Image.from_bytes(gzip.decompress(content(self.release, image.path)))
        self.stem = f"{cohort.case.number:04d}_MR_{cohort.series.public_id}"

    def again(self, cohort: Cohort) -> "Given":
        """With rows of its own, as they are in the database now."""
        given = copy(self)
        given.cohort, given.scientist, given.lead = cohort, cohort.people["scientist"], cohort.people["lead"]
        given.release = Release.objects.get(pk=self.release.pk)
        return given

    @property
    def tumour(self) -> np.ndarray:
        """bool[slices, rows, columns]."""
        return self.drawn[0] | self.drawn[1]

    def nifti(self, values: np.ndarray, affine: np.ndarray | None = None) -> bytes:
        """From [slices, rows, columns]."""
        turned = np.ascontiguousarray(values.transpose(2, 1, 0).astype(np.uint8))
        image = nib.Nifti1Image(turned, self.image.affine if affine is None else affine)
        return gzip.compress(image.to_bytes())

    def opened(self, name: str = "nnU-Net 2") -> Prediction:
        return handing_in.open_prediction(
            by=self.scientist, release=self.release, name=name, description="", part=""
        )

    def take(self, prediction: Prediction, name: str, content: bytes) -> PredictionFile:
        return handing_in.take_file(
            by=self.scientist, prediction=prediction, name=name, content=BytesIO(content)
        )

    def scored(self, values: np.ndarray, name: str = "nnU-Net 2") -> Prediction:
        prediction = self.opened(name)
        self.take(prediction, f"{self.stem}.nii.gz", self.nifti(values))
        handing_in.hand_in(by=self.scientist, prediction=prediction)
        run_jobs()
        prediction.refresh_from_db()
        assert prediction.problem == ""
        return prediction


@pytest.fixture(scope="module")
def shared_given(shared: Shared, shared_cohort: Cohort) -> Given:
    with shared.made():
        return Given(shared_cohort.again())


@pytest.fixture
def given(shared_given: Given, cohort: Cohort) -> Given:
    return shared_given.again(cohort)


# Scores -------------------------------------------------------------------------------------------------


def test_what_was_drawn_scores_one_and_what_is_absent_agrees(given):
    prediction = given.scored(given.tumour * 1)
    assert prediction.state == Prediction.State.SCORED
    assert prediction.rank_by == 1.0
    tumour, node = prediction.scores["labels"]["tumour"], prediction.scores["labels"]["node"]
    assert (tumour["dice"]["mean"], tumour["dice"]["n"], tumour["hd95_mm"]["median"]) == (1.0, 1, 0.0)
    assert (node["dice"]["n"], node["agree_absent"], node["f1"]) == (0, 1, None)


def test_a_shifted_mask_scores_its_own_dice_and_a_made_up_node_is_counted(given):
    shifted = np.roll(given.tumour, 3, axis=2)
    values = shifted * 1
    values[0, :4, :4] = 2  # a node where there is none
    prediction = given.scored(values)
    both = np.count_nonzero(given.tumour & shifted)
    wanted = 2 * both / (np.count_nonzero(given.tumour) + np.count_nonzero(shifted))
    labels = prediction.scores["labels"]
    assert labels["tumour"]["dice"]["mean"] == pytest.approx(wanted, abs=1e-12)
    assert 0 < wanted < 1
    assert labels["tumour"]["hd95_mm"]["median"] > 0
    assert (labels["node"]["extra_per_case"], labels["node"]["dice"]["mean"]) == (1.0, 0.0)
    assert prediction.rank_by == pytest.approx(wanted / 2)


def test_nothing_found_is_a_dice_of_zero(given):
    prediction = given.scored(np.zeros_like(given.tumour))
    tumour = prediction.scores["labels"]["tumour"]
    assert (tumour["dice"]["mean"], tumour["recall"], tumour["hd95_mm"]["n"]) == (0.0, 0.0, 0)


def test_a_release_s_own_segmentation_scores_as_it_was_drawn(given):
    path = given.release.files.get(path__contains="/seg/").path
    prediction = given.opened()
    given.take(prediction, f"{given.stem}.dcm", content(given.release, path))
    handing_in.hand_in(by=given.scientist, prediction=prediction)
    run_jobs()
    prediction.refresh_from_db()
    assert prediction.rank_by == 1.0


def test_axes_may_be_turned_but_not_resampled(given):
    prediction = given.opened()
    straight = nib.Nifti1Image(given.tumour.transpose(2, 1, 0).astype(np.uint8), given.image.affine)
    for wanted in ("RAS", "LPS", "SLA"):
        turned = straight.as_reoriented(
            nib.orientations.ornt_transform(
                nib.io_orientation(straight.affine), nib.orientations.axcodes2ornt(wanted)
            )
        )
        given.take(prediction, f"{given.stem}.nii.gz", gzip.compress(turned.to_bytes()))
    handing_in.hand_in(by=given.scientist, prediction=prediction)
    run_jobs()
    prediction.refresh_from_db()
    assert prediction.rank_by == 1.0

    coarse = given.image.affine @ np.diag([2, 1, 1, 1])
    with pytest.raises(ValidationError, match="don't resample"):
        given.take(given.opened("Coarse"), f"{given.stem}.nii.gz", given.nifti(given.tumour, coarse))
    beside = given.image.affine.copy()
    beside[0, 3] += 0.5
    with pytest.raises(ValidationError, match=r"0\.50 mm beside"):
        given.take(given.opened("Beside"), f"{given.stem}.nii.gz", given.nifti(given.tumour, beside))


def test_figures_have_n_and_an_interval_over_subjects():
    cases = [
        (
            subject,
            {"t": {"dice": dice, "surface_dice": dice, "hd95_mm": None, "found": 1, "missed": 1, "extra": 2}},
        )
        for subject, dice in enumerate((0.5, 0.6, 0.7, 0.8, 0.9))
    ]
    found = figures(cases)["labels"]["t"]
    assert found["dice"]["mean"] == pytest.approx(0.7)
    low, high = found["dice"]["interval"]
    assert 0.5 < low < 0.7 < high < 0.9
    assert (found["recall"], found["precision"], found["f1"]) == (0.5, pytest.approx(1 / 3), 0.4)
    assert figures(cases[:4])["labels"]["t"]["dice"]["interval"] is None  # under five subjects


# Refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("{stem}_tumour.nii.gz", ""),
        ("{stem}_liver.nii.gz", "no label 'liver'; it has tumour, node"),
        ("9999_MR_{series}.nii.gz", "no case 9999"),
        ("0001_MR_aaaaaaaaaaaa.nii.gz", "no series aaaaaaaaaaaa"),
        ("prediction.nii.gz", "which case and series"),
        ("../{stem}.nii.gz", "which case and series"),
        ("{stem}.dcm", "can't be read as a DICOM Segmentation"),
        ("{stem}_tumour.dcm", "leave the label out"),
    ],
)
def test_a_file_says_by_its_name_what_it_is_about(given, name, why):
    prediction = given.opened()
    asked = name.format(stem=given.stem, series=given.cohort.series.public_id)
    if not why:
        assert given.take(prediction, asked, given.nifti(given.tumour)).label == "tumour"
        return
    with pytest.raises(ValidationError, match=why):
        given.take(prediction, asked, given.nifti(given.tumour))
    assert not PredictionFile.objects.exists()


def placed(given: Given, number: float) -> bytes:
    """With this number everywhere in its srow_x to srow_z (bytes 280 to 327 of the header)."""
    content = bytearray(gzip.decompress(given.nifti(given.tumour)))
    content[280:328] = np.full(12, number, dtype="<f4").tobytes()
    return gzip.compress(bytes(content))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda given: b"", "it is empty"),
        (lambda given: b"nothing of the kind", "can't be read as NIfTI"),
        (lambda given: given.nifti(given.tumour)[:-20], "cut off"),
        (lambda given: given.nifti(given.tumour * 7), "stand for no label: 7"),
        (lambda given: given.nifti(given.tumour[:-1]), "voxels, and the image"),
        (lambda given: gzip.compress(b"\0" * 50_000_000), "larger than the voxels"),
        (lambda given: placed(given, np.nan), "doesn't say where it lies"),
        (lambda given: placed(given, 0.0), "don't resample"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason_and_nothing_is_kept(given, damage, why):
    prediction = given.opened()
    with pytest.raises(ValidationError, match=why):
        given.take(prediction, f"{given.stem}.nii.gz", damage(given))
    assert not PredictionFile.objects.exists()


def test_every_case_needs_a_file_and_what_was_handed_in_is_final(given):
    prediction = given.opened()
    with pytest.raises(ValidationError, match="no file for case 1"):
        handing_in.hand_in(by=given.scientist, prediction=prediction)
    given.take(prediction, f"{given.stem}.nii.gz", given.nifti(given.tumour))
    handing_in.hand_in(by=given.scientist, prediction=prediction)
    with pytest.raises(ValidationError, match="final"):
        given.take(prediction, f"{given.stem}.nii.gz", given.nifti(given.tumour))
    with pytest.raises(ValidationError, match="final"):
        handing_in.hand_in(by=given.scientist, prediction=prediction)


def test_a_file_again_replaces_the_one_before(given, django_capture_on_commit_callbacks):
    prediction = given.opened()
    with django_capture_on_commit_callbacks(execute=True):
        first = given.take(prediction, f"{given.stem}.nii.gz", given.nifti(given.tumour))
        second = given.take(prediction, f"{given.stem}.nii.gz", given.nifti(given.tumour))
    assert list(PredictionFile.objects.all()) == [second]
    with pytest.raises(Exception, match=first.object_key):
        storage().size(first.object_key)


def test_only_so_many_a_day_are_scored(given, monkeypatch):
    monkeypatch.setattr(handing_in, "HANDED_IN_A_DAY", 1)
    given.scored(given.tumour)
    second = given.opened("Again")
    given.take(second, f"{given.stem}.nii.gz", given.nifti(given.tumour))
    with pytest.raises(ValidationError, match="within a day"):
        handing_in.hand_in(by=given.scientist, prediction=second)
    second.refresh_from_db()
    assert second.state == Prediction.State.OPEN


def test_whoever_stated_no_use_or_may_not_download_hands_nothing_in(given):
    with pytest.raises(PermissionDenied, match="what you want release 1 for"):
        handing_in.open_prediction(by=given.lead, release=given.release, name="Mine", description="", part="")
    for who in ("reader", "stranger"):
        with pytest.raises((PermissionDenied, Http404)):
            handing_in.open_prediction(
                by=given.cohort.people[who], release=given.release, name="Mine", description="", part=""
            )


# Who sees what ------------------------------------------------------------------------------------------


def test_of_a_withheld_part_scientists_see_the_figures_and_not_the_cases(given):
    prediction = given.scored(given.tumour)
    assert list(standings.leaderboard(given.scientist, given.release)) == [prediction]
    assert standings.scored_cases(given.scientist, prediction).count() == 1
    Release.objects.update(sequestered=Release.Sequestered.MARKS)
    Prediction.objects.update(part="test")
    prediction = Prediction.objects.select_related("release__project").get()
    assert not standings.scored_cases(given.scientist, prediction).exists()
    assert standings.scored_cases(given.lead, prediction).count() == 1


def test_somebody_else_s_prediction_is_not_found_while_the_lead_sees_it(given):
    prediction = given.opened()
    slug, number = given.cohort.project.slug, given.release.number
    for who, sees in (("scientist", True), ("lead", True)):
        assert handing_in.prediction_or_404(given.cohort.people[who], slug, number, prediction.public_id)
        assert sees
    Prediction.objects.update(by=given.lead)
    with pytest.raises(Http404):
        handing_in.prediction_or_404(given.scientist, slug, number, prediction.public_id)


# What follows -------------------------------------------------------------------------------------------


def test_a_scored_prediction_becomes_proposals_once(given):
    prediction = given.scored(given.tumour)
    before = ImportedSegment.objects.count()
    with pytest.raises((PermissionDenied, Http404)):
        proposing.propose(by=given.scientist, prediction=prediction)
    proposing.propose(by=given.lead, prediction=prediction)
    run_jobs()
    run_jobs()  # a job that runs twice changes nothing
    made = ImportedSegment.objects.order_by("pk")[before:]
    planes = [plane for segment in made for plane in segment.planes.all()]
    voxels = sum(int(masks.decode(bytes(p.runs), p.rows, p.columns).sum()) for p in planes)
    assert voxels == np.count_nonzero(given.tumour)
    assert {segment.label for segment in made} == {"Tumour"}
    assert "nnU-Net 2" in made[0].origin
    with pytest.raises(ValidationError, match="before"):
        proposing.propose(by=given.lead, prediction=prediction)


def test_what_is_proposed_in_one_project_is_offered_in_no_other(given):
    case, people = given.cohort.case, given.cohort.people
    other = Project.objects.create(
        organisation=case.project.organisation, name="Other", slug="other", created_by=given.lead
    )
    permissions.grant(user=people["other_reader"], role="reader", scope=other)
    schema = LabelSchema.objects.create(
        project=other, version=1, labels=given.cohort.schema.labels, created_by=given.lead
    )
    elsewhere = Case.objects.create(project=other, subject=case.subject, number=1)
    for point in case.case_studies.all():
        CaseStudy.objects.create(case=elsewhere, study=point.study, position=point.position)
    here = given.cohort.read("other_reader")
    there = Read.objects.create(case=elsewhere, reader=people["other_reader"], schema=schema)
    came_along = {one.public_id for one in ImportedSegment.objects.all()}
    assert came_along

    proposing.propose(by=given.lead, prediction=given.scored(given.tumour))
    run_jobs()
    proposed = set(ImportedSegment.objects.values_list("public_id", flat=True)) - came_along
    assert proposed
    assert {one["id"] for one in imported_json(here)} == came_along | proposed
    assert {one["id"] for one in imported_json(there)} == came_along
    assert {one.imported for one in proposals(there, state_at(there, 0))} == came_along
    taken_over = given.cohort.segment("tumour") | {"origin": {"from": "imported", "imported": min(proposed)}}
    for read, status in ((here, "applied"), (there, "refused")):
        edit = {
            "id": str(uuid4()),
            "group": str(uuid4()),
            "inverts": None,
            "at": "2026-11-20T08:00:00Z",
            "object": {"annotation": str(uuid4())},
            "seen": 0,
            "value": taken_over,
        }
        results, _ = journal.append(user=read.reader, read_id=read.public_id, edits=[edit])
        assert results[0]["status"] == status, results


def test_a_withdrawn_case_takes_its_predictions_with_it(given):
    prediction = given.opened()
    file = given.take(prediction, f"{given.stem}.nii.gz", given.nifti(given.tumour))
    handing_in.hand_in(by=given.scientist, prediction=prediction)
    with transaction.atomic():
        objects = releases.withdraw_case(
            given.release, given.cohort.case.number, because="The wrong patient."
        )
    assert file.object_key in objects
    assert not PredictedCase.objects.exists()
    run_jobs()
    prediction.refresh_from_db()
    assert prediction.state == Prediction.State.SCORED  # nothing waits any more
    assert prediction.rank_by is None
