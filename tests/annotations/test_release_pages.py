"""The page of a release: what it says, to whom, in which state, and at what cost."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.cohort import splits
from annotations.models import (
    Read,
    Release,
    ReleaseCase,
    ReleaseFile,
    ReleaseRead,
    ReleaseUse,
)
from annotations.templatetags.releases import card_plots, columns_of
from tests import scene as scenes
from tests.annotations.pages import signed_in, text_of
from tests.annotations.released import RELEASES, more_cases, released
from tests.scene import Scene

AGREEMENT = "You try to find out nobody's name."
FILES = [
    ("nifti", "cases/0004/images/CT_1.nii.gz", 700),
    ("nifti", "cases/0004/reader/masks/CT_1_lesion.nii.gz", 20),
    ("nifti", "cases/0004/reader/masks/CT_1_node.nii.gz", 5),
    ("seg", "cases/0004/reader/seg/CT_1.dcm", 30),
    ("", "certificate.json", 2),
]


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


@pytest.fixture
def release(scene: Scene) -> Release:
    """Release 1, with files of case 4."""
    assert scene.release is not None
    held = ReleaseCase.objects.get(release=scene.release)
    for key, path, size in FILES:
        ReleaseFile.objects.create(
            release=scene.release,
            release_case=held if path.startswith("cases/") else None,
            format=key,
            path=path,
            size=size,
            sha256="0" * 64,
            crc32=0,
            object_key="x",
        )
    return scene.release


# Download, after a purpose is stated --------------------------------------------------------------


def test_formats_are_counted_and_open_once_a_purpose_is_stated(scene: Scene, release: Release) -> None:
    client = signed_in(scene, "scientist")
    answer = client.get(f"{RELEASES}1/")
    found = [(row.title, row.files, row.size) for row in answer.context["formats"]]
    assert found == [("NIfTI", 3, 725), ("DICOM SEG", 1, 30), ("About the release", 1, 2)]
    before = answer.content.decode()
    assert "What will you use it for?" in before
    assert "/archive/" not in before
    assert "/files/" not in before

    answer = client.post(f"{RELEASES}1/use/", {"purpose": "Pretraining a detector of lesions"})
    assert answer.url == f"{RELEASES}1/#download"
    after = text_of(client, f"{RELEASES}1/")
    assert "What will you use it for?" not in after
    assert "Pretraining a detector of lesions" in after
    assert "/api/v1/projects/respond/releases/1/archive/?formats=nifti" in after
    assert "/api/v1/projects/respond/releases/1/files/cases/0004/images/CT_1.nii.gz" in after
    assert "curl -f -C - -o respond-1-seg.zip" in after
    assert "atlas-client get respond@1" in after


def test_an_agreement_is_accepted_first_and_what_was_typed_stays(scene: Scene, release: Release) -> None:
    Release.objects.filter(pk=release.pk).update(agreement=AGREEMENT)
    client = signed_in(scene, "scientist")
    assert "You try to find out nobody&#x27;s name." in text_of(client, f"{RELEASES}1/")
    answer = client.post(f"{RELEASES}1/use/", {"purpose": "Teaching"})
    assert answer.status_code == 400
    assert "Accept the agreement of this release" in answer.content.decode()
    assert ">Teaching</textarea>" in answer.content.decode()
    assert not ReleaseUse.objects.exists()
    client.post(f"{RELEASES}1/use/", {"purpose": "Teaching", "agrees": "on"})
    assert ReleaseUse.objects.get().user == scene.people["scientist"]


def test_another_agreement_asks_again(scene: Scene, release: Release) -> None:
    client = signed_in(scene, "scientist")
    client.post(f"{RELEASES}1/use/", {"purpose": "Teaching"})
    Release.objects.filter(pk=release.pk).update(agreement=AGREEMENT)
    assert "/archive/" not in text_of(client, f"{RELEASES}1/")


def test_files_are_listed_by_format_and_withdrawn_ones_struck(scene: Scene, release: Release) -> None:
    ReleaseFile.objects.filter(path="cases/0004/reader/seg/CT_1.dcm").update(
        withdrawn_at=timezone.now(), object_key=""
    )
    client = signed_in(scene, "scientist")
    answer = client.get(f"{RELEASES}1/?of=seg")
    assert [file.format for file in answer.context["files"]] == ["seg"]
    assert "<s>cases/0004/reader/seg/CT_1.dcm</s>" in answer.content.decode()
    assert [file.path for file in client.get(f"{RELEASES}1/?of=about").context["files"]] == [
        "certificate.json"
    ]
    assert len(client.get(f"{RELEASES}1/?of=nothing").context["files"]) == len(FILES)


def test_sequestered_files_are_listed_for_those_who_manage_only(scene: Scene, release: Release) -> None:
    ReleaseFile.objects.filter(format="seg").update(is_sequestered=True)
    assert "cases/0004/reader/seg/CT_1.dcm" not in text_of(signed_in(scene, "scientist"), f"{RELEASES}1/")
    assert "cases/0004/reader/seg/CT_1.dcm" in text_of(signed_in(scene, "lead"), f"{RELEASES}1/")


# What it says of itself ---------------------------------------------------------------------------


def certificate(**rows: dict[str, Any]) -> dict[str, Any]:
    formats = [{"format": key, "files": 1, **row} for key, row in rows.items()]
    totals: dict[str, Any] = {"files": len(formats)}
    for row in rows.values():
        for name, value in row.items():
            is_largest = name.endswith("_mm")
            totals[name] = max(totals.get(name, 0), value) if is_largest else totals.get(name, 0) + value
    return {
        "writer_version": "1",
        "read_by": ["nibabel 5.3"],
        "cases": 1,
        "cases_not_told": 0,
        "formats": formats,
        "totals": totals,
        "not_read_back": ["json"],
    }


def test_how_each_format_came_back_is_told_by_its_worst_finding(scene: Scene, release: Release) -> None:
    made = certificate(
        nifti={"voxels_compared": 7_000, "voxels_that_differ": 0, "masks": 4, "masks_on_the_grid": 4},
        seg={"voxels_compared": 10, "voxels_that_differ": 0, "empty": 2, "empty_kept": 2},
        rtstruct={"regions_compared": 3, "largest_surface_distance_mm": 0.38},
        labelmap={"voxels_compared": 5, "overlapping_flattened": 1},
    )
    Release.objects.filter(pk=release.pk).update(certificate=made)
    for key in ("rtstruct", "labelmap", "json"):
        ReleaseFile.objects.create(
            release=release, format=key, path=f"{key}.x", size=1, sha256="0" * 64, crc32=0, object_key="x"
        )
    answer = signed_in(scene, "scientist").get(f"{RELEASES}1/")
    said = {row.key: row.back.words for row in answer.context["formats"] if row.back}
    assert said == {
        "nifti": "exact",
        "seg": "exact",
        "rtstruct": "within 0.4 mm",
        "labelmap": "exact, overlaps cut",
        "json": "not read back",
    }
    lines = {line.words: (line.verdict, line.value) for line in answer.context["certificate"].lines}
    assert lines["Voxels compared"] == ("good", "7,015")
    assert lines["Voxels that differ"] == ("good", "0")
    assert lines["Masks with the image's shape and place"] == ("good", "4 / 4")
    assert lines["RT Structure Set, largest surface distance"] == ("warn", "0.4\N{NO-BREAK SPACE}mm")
    assert lines["Empty segments kept (“looked, nothing there”)"] == ("good", "2 / 2")


def test_the_parts_are_told_but_not_what_is_sequestered_in_them(scene: Scene) -> None:
    design = splits.Design(train=80, validation=0, test=20, seed="a", stratify=("label",))
    submissions = more_cases(scene, 5)
    released(scene, 2, submissions, split=splits.as_json(design), sequestered=Release.Sequestered.MARKS)
    table = signed_in(scene, "lead").get(f"{RELEASES}2/").context["split"]
    rows = {row.words: row.values for row in table.rows}
    assert table.parts == ["train", "test"]
    assert rows["Subjects"] == ["4", "1"]
    assert rows["Outlined lesions"] == ["4", "1"]
    assert rows["Median volume"] == ["12\N{NO-BREAK SPACE}mL", "14\N{NO-BREAK SPACE}mL"]
    assert rows["Subjects with Lesion"] == ["100\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%"]

    answer = signed_in(scene, "scientist").get(f"{RELEASES}2/")
    rows = {row.words: row.values for row in answer.context["split"].rows}
    assert rows["Subjects"] == ["4", "1"]
    assert rows["Outlined lesions"] == ["4", "–"]
    assert rows["Subjects with Lesion"][1] == "–"
    assert answer.context["lesions"] == 4  # the rest can't be worked out from the whole
    assert answer.context["influence"] == "no mark goes back to a proposal"


def test_a_lead_who_still_reads_a_case_of_it_learns_no_number_of_its_marks(scene: Scene) -> None:
    submissions = more_cases(scene, 2)
    release = released(scene, 2, submissions, card=[{"title": "Sex", "unit": "", "n": 1, "rows": [["F", 1]]}])
    Read.objects.create(case=submissions[0].read.case, reader=scene.people["lead"], schema=scene.schema)
    ReleaseFile.objects.create(
        release=release, format="seg", path="x.dcm", size=1, sha256="0" * 64, crc32=0, object_key="x"
    )
    answer = signed_in(scene, "lead").get(f"{RELEASES}2/")
    context = answer.context
    assert (context["lesions"], context["split"], context["card"], context["certificate"]) == (0,) + (
        None,
    ) * 3
    assert (context["reference"], context["influence"], context["formats"]) == ("", "", [])
    assert "x.dcm" not in answer.content.decode()
    assert "You still read a case of this release" in answer.content.decode()
    compared = signed_in(scene, "lead").get(f"{RELEASES}2/compare/1/")
    assert "page" not in compared.context
    answer = signed_in(scene, "lead").post(f"{RELEASES}2/use/", {"purpose": "To look"})
    assert "/archive/" not in text_of(signed_in(scene, "lead"), f"{RELEASES}2/")


def test_why_cases_stayed_out_is_one_number_for_those_who_read(scene: Scene, release: Release) -> None:
    left_out = {"cases_in_project": 9, "reasons": [["have no reader", 5], ["wait for review", 3]]}
    Release.objects.filter(pk=release.pk).update(left_out=left_out)
    rows = signed_in(scene, "scientist").get(f"{RELEASES}1/").context["flow"].rows
    assert rows == [("Cases in the project", 9), ("have no reader", 5), ("wait for review", 3)]
    Read.objects.create(case=scene.cases[2], reader=scene.people["lead"], schema=scene.schema)
    rows = signed_in(scene, "lead").get(f"{RELEASES}1/").context["flow"].rows
    assert rows == [("Cases in the project", 9), ("stayed out", 8)]


# Plots --------------------------------------------------------------------------------------------


def test_bars_stand_on_one_line_and_the_highest_reaches_the_top() -> None:
    columns = columns_of([("1", 10), ("2", 40), ("3", 0)])
    assert [column.y + column.height for column in columns] == [112, 112, 112]
    assert [column.height for column in columns] == [22, 88, 0]
    assert [column.x for column in columns] == [4, 48, 92]


def test_a_plot_is_drawn_where_its_words_fit_and_is_a_table_where_not() -> None:
    fits, long, empty = (
        {"title": title, "unit": "cases", "n": 3, "kind": "bars", "rows": rows}
        for title, rows in (
            ("Sex", [["F", 1], ["M", 2]]),
            ("Scanner", [["A scanner with a very long name", 3]]),
            ("None", [["F", 0]]),
        )
    )
    first, second = card_plots([fits, long, empty])
    assert first.drawing is not None
    assert first.drawing.count("<rect") == 2
    assert 'role="img"' in first.drawing
    assert second.drawing is None
    assert second.unit == "cases, n\N{NO-BREAK SPACE}3"


def test_words_of_a_card_are_escaped() -> None:
    (plot,) = card_plots([{"title": "<b>", "unit": "", "n": 1, "kind": "bars", "rows": [["<i>", 1]]}])
    assert "<i>" not in str(plot.drawing)
    assert "<b>" not in str(plot.drawing)


# States -------------------------------------------------------------------------------------------


def test_writing_can_be_cancelled_by_a_lead_and_the_page_says_so(scene: Scene, release: Release) -> None:
    Release.objects.filter(pk=release.pk).update(state=Release.State.WRITING, ready_at=None)
    ReleaseCase.objects.filter(release=release).update(written_at=None)
    assert "Cancel this release" not in text_of(signed_in(scene, "scientist"), f"{RELEASES}1/")
    client = signed_in(scene, "lead")
    assert "It waits for a worker." in text_of(client, f"{RELEASES}1/")
    client.post(f"{RELEASES}1/", {"do": "cancel"})
    page = text_of(client, f"{RELEASES}1/")
    assert "Cancelled while it was written" in page
    assert "Try again" not in page
    assert "Cancelled" in text_of(client, RELEASES)
    client.post(f"{RELEASES}1/", {"do": "cancel"})  # pressed twice
    assert "nothing to cancel" in text_of(client, f"{RELEASES}1/")


def test_a_failed_release_names_the_place_and_is_tried_again_by_its_lead(
    scene: Scene, release: Release
) -> None:
    Release.objects.filter(pk=release.pk).update(
        state=Release.State.FAILED, problem="Case 4, slice 12 differs."
    )
    client = signed_in(scene, "lead")
    page = text_of(client, f"{RELEASES}1/")
    assert "Case 4, slice 12 differs." in page
    assert "Try again" in page
    assert "Try again" not in text_of(signed_in(scene, "scientist"), f"{RELEASES}1/")
    client.post(f"{RELEASES}1/", {"do": "retry"})
    release.refresh_from_db()
    assert release.state == Release.State.WRITING


# Cost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", "2/", "2/compare/1/", "new/"])
def test_more_cases_cost_no_more_queries(scene: Scene, page: str, django_assert_max_num_queries: Any) -> None:
    design = splits.as_json(splits.Design(train=70, validation=15, test=15))
    release = released(scene, 2, more_cases(scene, 3), split=design)
    ReleaseFile.objects.create(
        release=release, format="seg", path="a.dcm", size=1, sha256="0" * 64, crc32=0, object_key="x"
    )
    client = signed_in(scene, "lead")
    client.get(f"{RELEASES}{page}")
    with CaptureQueriesContext(connection) as counted:
        client.get(f"{RELEASES}{page}")
    queries = len(counted)
    for submission in more_cases(scene, 20, first=40):
        case = submission.read.case
        held = ReleaseCase.objects.create(release=release, case=case, number=case.number, part="train")
        ReleaseRead.objects.create(release_case=held, submission=submission, is_reference=True)
        ReleaseFile.objects.create(
            release=release,
            release_case=held,
            format="seg",
            path=f"cases/{case.number:04d}/seg.dcm",
            size=1,
            sha256="0" * 64,
            crc32=0,
            object_key="x",
        )
    client.get(f"{RELEASES}{page}")
    with django_assert_max_num_queries(queries):
        client.get(f"{RELEASES}{page}")
    assert 0 < queries < 60
