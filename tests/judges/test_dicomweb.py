"""Clients that Atlas has no part in read its DICOMweb: OHIF shows a study with its segmentation,
dicomweb-client and pydicom get real images back as they were stored."""

import io
import json
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

from tests.e2e.node import Node
from tests.judges.ohif import Viewer

SETUP = """
from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.tokens import make_token
from atlas.models import Dataset
organisation = Organisation.objects.create(name="Karlsund", slug="karlsund", country="SE")
for slug in ("liver", "compressed"):
    Dataset.objects.create(organisation=organisation, name=slug, slug=slug, deidentification="at_the_door")
user = User.objects.create_user("ines", "ines@example.org")
permissions.grant(user=user, role="manager", scope=organisation)
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
