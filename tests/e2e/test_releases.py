"""A release from choosing its parts to a recall: a lead freezes, a scientist downloads, in real browsers."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from tests.atlas.slices import header, part_10
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import PASSWORD
from tests.e2e.steps import WORKER_S, Person

SUBJECTS = [f"A-{number}" for number in range(1, 6)]
ROWS, COLUMNS, SLICES = 24, 32, 4
RELEASES = "/projects/odd/releases/"

# Each case is drawn on, handed in and accepted, by the services that the pages call.
ACCEPTED = """
import base64, uuid
from datetime import UTC, datetime
import numpy as np
from accounts import permissions
from accounts.models import User
from annotations.measures import masks
from annotations.models import Case, Read
from annotations.reading import journal, reads, review
from atlas.models import Instance, Project, Series
reader, lead = User.objects.get(username="reader1"), User.objects.get(username="lead")
scientist = User.objects.create_user(username="scientist", email="scientist@hospital.example",
                                     password="PASSWORD", first_name="Noor", last_name="Aydin")
permissions.grant(user=scientist, role="scientist", scope=Project.objects.get())
square = np.zeros((ROWS, COLUMNS), dtype=bool)
square[5:12, 8:20] = True
for read in Read.objects.order_by("pk"):
    series = Series.objects.get(study__case_studies__case=read.case)
    sop = Instance.objects.filter(series=series).order_by("pk").first().sop_instance_uid
    mark, group = str(uuid.uuid4()), str(uuid.uuid4())
    def edit(thing, value):
        return {"id": str(uuid.uuid4()), "group": group, "inverts": None, "seen": 0,
                "at": datetime.now(tz=UTC).isoformat(), "object": {"annotation": mark, **thing},
                "value": value}
    segment = {"kind": "segment", "label": "lesion", "series": series.public_id, "state": "present",
               "note": "", "origin": {"from": "reader"}}
    plane = {"rle": base64.b64encode(masks.encode(square)).decode(), "rows": ROWS, "columns": COLUMNS}
    reads.open_read(user=reader, read_id=read.public_id)
    results, number = journal.append(user=reader, read_id=read.public_id,
                                     edits=[edit({}, segment), edit({"sop": sop, "frame": 1}, plane)])
    assert [one["status"] for one in results] == ["applied", "applied"], results
    reads.submit(user=reader, read_id=read.public_id, number=number)
    review.judge(user=lead, read_id=read.public_id, verdict="accept", round=1, text="")
    print(read.case.number)
"""


@pytest.fixture(scope="module")
def cohort(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node with five accepted cases, one lesion each."""
    folder = tmp_path_factory.mktemp("images")
    fill(node, folder / "in", {name: _slices(folder, name) for name in SUBJECTS})
    code = ACCEPTED.replace("PASSWORD", PASSWORD)
    code = code.replace("ROWS", str(ROWS)).replace("COLUMNS", str(COLUMNS))
    assert len(node.python(code).split()) == len(SUBJECTS)
    return node


def _slices(folder: Path, subject: str) -> list[Path]:
    study, series = generate_uid(), generate_uid()
    values = np.add.outer(np.arange(ROWS) * 10, np.arange(COLUMNS)).astype(np.uint16)
    files = []
    for index in range(SLICES):
        image = header(
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            PatientID=subject,
            ImagePositionPatient=[0, 0, 3 * index],
            SliceThickness=3,
            InstanceNumber=index + 1,
        )
        file = folder / f"{subject}-{index}.dcm"
        file.write_bytes(part_10(image, values + index * 100))
        files.append(file)
    return files


def test_a_release_is_frozen_downloaded_for_a_purpose_and_a_case_of_it_recalled(
    cohort: Node, arrive: Callable[..., Person]
) -> None:
    lead, scientist = arrive(cohort), arrive(cohort)
    lead.signs_in("lead", PASSWORD)
    scientist.signs_in("scientist", PASSWORD)

    # The lead parts the subjects; what it would give stands beside the form, and follows it.
    lead.goes_to(f"{RELEASES}new/")
    preview = lead.page.locator("#preview")
    expect(preview).to_contain_text("5 subjects")
    lead.page.get_by_role("radio", name="Train, validation, test").check()
    lead.page.get_by_role("checkbox", name="by the labels that are present").uncheck()
    expect(preview.get_by_role("rowheader")).to_have_text(["train", "validation", "test"])
    lead.page.get_by_label("train", exact=True).fill("50")
    expect(preview).to_contain_text("make 80 percent together, not 100")
    lead.page.get_by_label("validation", exact=True).fill("0")
    lead.page.get_by_label("test", exact=True).fill("50")
    expect(preview.get_by_role("rowheader")).to_have_text(["train", "test"])
    lead.page.get_by_label("Title").fill("Squares")
    lead.page.get_by_label("Data use agreement").fill("You try to find out nobody's name.")
    for name in ("COCO", "MONAI"):
        lead.page.get_by_role("checkbox", name=name).uncheck()
    lead.clicks("Freeze it")

    # It is written and read back; the page follows by itself.
    lead.sees_heading("Release 1, Squares")
    expect(lead.page.get_by_role("table").first).to_contain_text("exact", timeout=WORKER_S * 2000)
    expect(lead.page.get_by_text("Voxels that differ")).to_be_visible()

    # The scientist says what it is for, then fetches one format as a ZIP.
    scientist.goes_to(f"{RELEASES}1/")
    assert scientist.page.locator("a[href*='/archive/']").count() == 0
    scientist.page.get_by_label("What will you use it for?").fill("Counting squares")
    scientist.page.get_by_role("checkbox", name="I accept the agreement").check()
    scientist.clicks("Go on to the download")
    scientist.sees("Written down. The release is open to you.")
    scientist.page.get_by_role("link", name="SEG", exact=True).click()
    expect(scientist.page.locator("tr.chosen")).to_contain_text("DICOM SEG")
    expect(scientist.page.locator("#cli-seg")).to_contain_text("--formats seg")
    with scientist.page.expect_download() as started:
        scientist.page.locator("tr.chosen").get_by_role("link", name="Download DICOM SEG").click()
    content = Path(started.value.path()).read_bytes()
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert sum(name.endswith(".dcm") for name in names) == len(SUBJECTS)
    splits = next(name for name in names if name.endswith("splits.json"))
    assert json.loads(zipfile.ZipFile(io.BytesIO(content)).read(splits))

    # A case is recalled, which is asked twice; whoever holds it is told, and says that it is gone.
    lead.goes_to("/projects/odd/cases/2/")
    lead.clicks("Recall this case")
    lead.sees("1\N{NO-BREAK SPACE}person has downloaded it")
    lead.page.get_by_label("Reason").fill("The subject withdrew their consent.")
    lead.clicks("Go on")
    lead.clicks("Recall case 0002 now")
    lead.sees("Case 0002 is recalled. Whoever downloaded it is told.")

    scientist.goes_to("/account/")
    scientist.sees("The subject withdrew their consent.")
    scientist.goes_to(f"{RELEASES}1/")
    scientist.sees("Delete case 0002 from your copies")
    scientist.clicks("Confirm deletion")
    scientist.sees("your copies of case 0002 are deleted")
    scientist.reloads_until(lambda page: page.locator("a[href*='/archive/']").count() > 0, WORKER_S * 2)
    scientist.goes_to(f"{RELEASES}1/?of=seg")
    expect(scientist.page.locator("tr.gone s")).to_have_count(1)
    expect(scientist.page.locator("tr.gone s")).to_contain_text("cases/0002/")
    lead.goes_to(RELEASES)
    expect(lead.row("The subject withdrew their consent.")).to_contain_text("1")
    assert scientist.errors == []
    assert lead.errors == []
