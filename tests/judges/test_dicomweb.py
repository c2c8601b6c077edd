"""Programs that Atlas has no part in: OHIF shows a study with its segmentation, dicomweb-client and pydicom
get real images back as they were stored, dcmtk, pynetdicom and dicomweb-client send identified ones."""

import io
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from playwright.sync_api import Browser, Locator, Page
from pynetdicom import AE

from tests.e2e.node import ROOT, Node
from tests.judges.ohif import Viewer

SETUP = """
from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.tokens import make_token
from atlas.archive.receivers import open_receiver
from atlas.models import Dataset
organisation = Organisation.objects.create(name="Karlsund", slug="karlsund", country="SE")
for slug in ("liver", "compressed", "sent"):
    Dataset.objects.create(organisation=organisation, name=slug, slug=slug, deidentification="at_the_door")
user = User.objects.create_user("ines", "ines@example.org")
permissions.grant(user=user, role="manager", scope=organisation)
sent = Dataset.objects.get(slug="sent")
open_receiver(by=user, dataset=sent, called="KARLSUND", calling=["SCANNER", "PACS"])
print("token", make_token(by=user)[1])
"""


# The viewer's first steps lie over the images until someone clicks through them.
NO_TOUR = """
const tour = ".shepherd-modal-overlay-container, .shepherd-element";
new MutationObserver(() => document.querySelectorAll(tour).forEach(one => one.remove()))
  .observe(document, {childList: true, subtree: true});
"""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node() as node:
        yield node


@pytest.fixture(scope="module")
def token(node: Node) -> str:
    return node.python(SETUP).split("token ")[1].split()[0]


@pytest.fixture(scope="module")
def liver(node: Node, token: str, test_data: Path) -> str:
    """Three slices through a liver and dcmqi's segmentation of it, de-identified at the door: their study."""
    folder = test_data / "seg_sr_dcmqi"
    node.manage(
        "import_dicom", "--dataset=liver", str(folder / "liver_ct"), str(folder / "seg" / "liver.dcm")
    )
    (study,) = _asked(node, token, "/dicomweb/datasets/liver/studies")
    return study["0020000D"]["Value"][0]


@pytest.fixture(scope="module")
def receiver_port(node: Node, token: str) -> Iterator[int]:
    """The node's receiver of C-STORE: a process beside `serve`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "receive_dicom", f"--port={port}"]
    with subprocess.Popen(
        command, cwd=ROOT, env=node.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "as KARLSUND" in process.stdout.readline()
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _asked(node: Node, token: str, path: str) -> list[dict]:
    request = urllib.request.Request(node.base_url + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"[]")


def _tinted(picture: bytes) -> int:
    """Pixels that are clearly not grey: the images are, a segment on them isn't."""
    values = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    return int((values[..., 0] - values[..., 2] > 40).sum())


def _bright(picture: bytes) -> float:
    """The share of the picture that isn't black."""
    return float((np.asarray(Image.open(io.BytesIO(picture)).convert("L")) > 60).mean())


def _until(page: Page, place: Locator, holds: Callable[[bytes], bool]) -> bytes:
    """The first picture of the place of which this holds, or the last one after a minute."""
    deadline = time.monotonic() + 60
    while True:
        picture = page.screenshot(clip=place.bounding_box())  # type: ignore[arg-type]
        if holds(picture) or time.monotonic() > deadline:
            return picture
        page.wait_for_timeout(500)


def test_ohif_opens_a_study_and_shows_the_segmentation_on_its_images(
    node: Node, token: str, liver: str, chromium: Browser
) -> None:
    with Viewer(node.port, token) as viewer:
        page = chromium.new_page(viewport={"width": 1366, "height": 768})
        page.add_init_script(NO_TOUR)
        page.goto(viewer.base_url + "/")
        page.get_by_text("CT\\SEG").wait_for(timeout=60_000)
        page.goto(f"{viewer.base_url}/viewer?StudyInstanceUIDs={liver}")
        page.locator("[data-cy=study-browser-thumbnail] img").wait_for(timeout=60_000)
        viewport = page.locator("[data-cy=viewport-pane]").first
        before = _until(page, viewport, lambda picture: _bright(picture) > 0.1)
        page.locator("[data-cy=study-browser-thumbnail-no-image]").dblclick()
        after = _until(page, viewport, lambda picture: _tinted(picture) > 20_000)
        page.close()
    assert _bright(before) > 0.1  # the patient is there
    assert _tinted(before) < 5_000
    assert _tinted(after) > 20_000  # and the liver is
    assert viewer.refused == []
    assert any("/frames/1" in path for path in viewer.asked)


def test_dicomweb_client_gets_back_every_compressed_image_as_it_is_stored_and_decoded(
    node: Node, token: str, test_data: Path
) -> None:
    files = {}  # those that name a patient; the last of those that share a UID
    for path in (test_data / "compressed_wg04").glob("*.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if header.get("PatientID"):
            files[header.SOPInstanceUID] = str(path)
    node.manage("import_dicom", "--dataset=compressed", *files.values(), timeout_s=600)
    headers = {"Authorization": f"Bearer {token}"}
    client = DICOMwebClient(f"{node.base_url}/dicomweb/datasets/compressed", headers=headers)
    instances = client.search_for_instances(fields=["AvailableTransferSyntaxUID", "NumberOfFrames"])
    assert 12 < len(instances) <= len(files)  # images that may hold text wait for their search
    compared = 0
    for told in instances:
        uids = [told[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
        (as_stored,) = [client.retrieve_instance(*uids, media_types=(("application/dicom", "*"),))]
        assert as_stored.file_meta.TransferSyntaxUID == told["00083002"]["Value"][0]
        if "PixelData" not in as_stored or int(as_stored.get("NumberOfFrames") or 1) > 1:
            continue
        try:
            expected = as_stored.pixel_array
        except Exception:  # a codec that pydicom has no plugin for
            continue
        media_types = (("application/octet-stream", "1.2.840.10008.1.2.1"),)
        (frame,) = client.retrieve_instance_frames(*uids, [1], media_types=media_types)
        if as_stored.SamplesPerPixel == 1:
            decoded = np.frombuffer(frame, expected.dtype).reshape(expected.shape)
            kept = expected.dtype.itemsize * 8 - as_stored.BitsStored
            assert np.array_equal(decoded << kept, expected << kept), told["00083002"]
            compared += 1
    assert compared >= 8


def test_metadata_of_real_images_is_what_pydicom_reads(node: Node, token: str, liver: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    client = DICOMwebClient(f"{node.base_url}/dicomweb", headers=headers)
    for told in client.retrieve_study_metadata(liver):
        uids = [told[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
        whole = client.retrieve_instance(*uids, media_types=(("application/dicom", "*"),))
        bulk = [tag for tag, element in told.items() if "BulkDataURI" in element]
        assert "7FE00010" in bulk
        for tag in bulk:
            # This client names the host without its port, so that is what the address is made of.
            address = told.pop(tag)["BulkDataURI"].replace("http://127.0.0.1/", f"{node.base_url}/")
            (value,) = client.retrieve_bulkdata(address)
            assert value == whole[tag].value
            del whole[tag]
        assert pydicom.Dataset.from_json(told) == whole


def _identified(source: Path, folder: Path, at_most: int = 40) -> list[Path]:
    """Copies of the images in a folder, as a hospital has them: with a person's name and date of birth."""
    folder.mkdir()
    for path in sorted(path for path in source.rglob("*") if path.is_file())[:at_most]:
        image = pydicom.dcmread(path)
        image.PatientName, image.PatientBirthDate = "Adelskold^Maj", "19580307"
        image.save_as(folder / path.name)
    return sorted(folder.iterdir())


def _found_without_a_name(client: DICOMwebClient, modality: str, sent: list[Path]) -> None:
    """The study is found by its modality, has as many images, and no name, date of birth or old UIDs."""
    original = pydicom.dcmread(sent[0], stop_before_pixels=True)
    (study,) = client.search_for_studies(search_filters={"ModalitiesInStudy": modality})
    uid = study["0020000D"]["Value"][0]
    assert uid != original.StudyInstanceUID
    assert len(client.search_for_instances(uid, search_filters={"Modality": modality})) == len(sent)
    told = json.dumps(client.retrieve_study_metadata(uid))
    for secret in ("Adelskold", "19580307", original.StudyInstanceUID, original.SOPInstanceUID):
        assert secret not in told
    assert study["00100020"]["Value"] != [original.PatientID]


@pytest.fixture
def sent(node: Node, token: str) -> DICOMwebClient:
    """A client of the dataset that takes images in."""
    headers = {"Authorization": f"Bearer {token}"}
    return DICOMwebClient(f"{node.base_url}/dicomweb/datasets/sent", headers=headers)


def test_storescu_sends_a_folder_and_qido_finds_its_images_de_identified(
    receiver_port: int, sent: DICOMwebClient, test_data: Path, tmp_path: Path
) -> None:
    files = _identified(test_data / "petct_mr_sts_001" / "MR_T1_cropped", tmp_path / "mr")
    storescu = shutil.which("storescu")
    assert storescu, "storescu is not here: install the package dcmtk"
    titles = ["-aet", "SCANNER", "-aec", "KARLSUND"]
    command = [storescu, *titles, "+sd", "127.0.0.1", str(receiver_port), str(tmp_path / "mr")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    _found_without_a_name(sent, "MR", files)


def test_pynetdicom_sends_images_that_are_changed_at_the_door_and_qido_finds_them(
    receiver_port: int, sent: DICOMwebClient, test_data: Path, tmp_path: Path
) -> None:
    files = _identified(test_data / "petct_mr_sts_001" / "PET", tmp_path / "pet")
    images = [pydicom.dcmread(path) for path in files]
    sender = AE(ae_title="PACS")
    sender.add_requested_context(images[0].SOPClassUID, images[0].file_meta.TransferSyntaxUID)
    line = sender.associate("127.0.0.1", receiver_port, ae_title="KARLSUND")
    assert line.is_established
    assert {line.send_c_store(image).Status for image in images} == {0xB000}  # coerced: names are gone
    line.release()
    _found_without_a_name(sent, "PT", files)


def test_dicomweb_client_stores_a_study_and_finds_it_de_identified(
    sent: DICOMwebClient, test_data: Path, tmp_path: Path
) -> None:
    files = _identified(test_data / "ct_chest_lidc_0314" / "image", tmp_path / "ct")
    answer = sent.store_instances([pydicom.dcmread(path) for path in files])
    assert len(answer.ReferencedSOPSequence) == len(files)
    assert "FailedSOPSequence" not in answer
    _found_without_a_name(sent, "CT", files)
