"""From an empty node to a downloaded release, by pages alone: everyone who takes part, in order."""

import hashlib
import json
import re
import tarfile
import zipfile
from pathlib import Path

from playwright.sync_api import expect

from annotations.exchange.volumes import ConvertedSeries, Volume, VolumeIdentity
from tests.e2e.steps import letter_to

PASSWORD = "lantern-orchard-51"
ANOTHER = "granite-violin-83"
HOSPITAL, DATASET, PROJECT = "Hospital of Saint Luke", "Tumours, MR", "Lesions that shrink"


def series_as_files(archive: Path, name: str, folder: Path) -> list[Path]:
    """A real volume of the archive as a series of DICOM files."""
    folder.mkdir()
    with tarfile.open(archive) as packed:
        stream = packed.extractfile(f"pyradiomics-3.0.1/data/{name}_image.nrrd")
        assert stream is not None
        (folder.parent / f"{name}.nrrd").write_bytes(stream.read())
    identity = VolumeIdentity(
        name=f"people {name}", patient_id=name, modality="MR", description=f"{name} MR", origin="Test"
    )
    files = ConvertedSeries.of(Volume.from_nrrd(folder.parent / f"{name}.nrrd"), identity).files()
    for file_name, content in files:
        (folder / file_name).write_bytes(content)
    return sorted(folder.iterdir())


def zipped(files: list[Path], to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.write(file, f"{file.parent.name}/{file.name}")
    return to


def test_an_empty_node_comes_to_a_release_by_pages_alone(node, arrive, pyradiomics_archive, tmp_path):
    node.manage(
        "create_administrator",
        "--username=root",
        "--email=root@node.example",
        "--password-stdin",
        stdin=PASSWORD,
    )
    manager = the_administrator_invites_a_manager(node, arrive)
    the_manager_comes_and_goes(manager)
    images_come_in(manager, pyradiomics_archive, tmp_path)
    a_project_is_set_up(manager)
    reader, reviewer, scientist = members_come(node, arrive, manager)
    cases_are_handed_out(manager)
    the_reader_measures_and_submits(reader)
    the_reviewer_accepts(reviewer)
    the_lead_freezes(manager)
    the_scientist_downloads(scientist, tmp_path)


def the_administrator_invites_a_manager(node, arrive):
    administrator = arrive(node)
    administrator.signs_in("root", PASSWORD)
    administrator.sees("No organisation yet")
    administrator.creates_organisation(HOSPITAL, "Norway")
    administrator.invites("ada@luke.example", "Manager")
    return arrive(node)


def the_manager_comes_and_goes(manager):
    letter = letter_to(manager.node, "ada@luke.example", HOSPITAL)
    manager.accepts_invitation(letter, first="Ada", last="Berg", username="ada", password=PASSWORD)
    manager.sees(f"You are now manager of {HOSPITAL}.")
    manager.signs_out()
    manager.signs_in("ada", PASSWORD)
    manager.signs_out()
    manager.forgets_password("ada@luke.example", ANOTHER)
    manager.goes_to("/sign-in/")
    manager.fills(user_name="ada", password=PASSWORD)
    manager.page.keyboard.press("Enter")
    manager.sees("No account has this user name and password")
    manager.signs_in("ada", ANOTHER)


def images_come_in(manager, archive, folder):
    manager.creates_dataset(HOSPITAL, DATASET, "Brain")
    manager.clicks("Take images in")
    series_as_files(archive, "breast1", folder / "breast1")
    (folder / "breast1" / "notes of the ward.dcm").write_text("not an image")
    manager.takes_in(folder / "breast1", says="21 images are new, 0 were here before. 1 file was refused.")
    refused = manager.row("notes of the ward.dcm")
    expect(refused).to_contain_text("not a DICOM file")

    manager.page.reload()
    packed = zipped(series_as_files(archive, "brain1", folder / "brain1"), folder / "brain1.zip")
    manager.drops(packed, says="25 images are new, 0 were here before.")
    manager.clicks("To the delivery")
    manager.sees("Nothing was refused")
    manager.clicks(DATASET)
    manager.sees("2 subjects, 2 studies, 46 images")


def a_project_is_set_up(manager):
    manager.creates_project(PROJECT)
    slug = manager.page.url.rstrip("/").rsplit("/", 1)[-1]
    manager.clicks("Datasets")
    manager.clicks(DATASET)
    manager.fills(project=slug)
    manager.clicks("Grant")
    expect(manager.row(PROJECT)).to_be_visible()

    manager.clicks("Projects")
    manager.clicks(PROJECT)
    manager.clicks("Labels")
    manager.clicks("Write labels")
    manager.names_label(1, "Longest diameter", "Length")
    manager.clicks("Save as version 1")
    manager.sees("This is version 1.")
    manager.clicks("Change the labels")
    manager.names_label(1, "Longest diameter", "Length", required=True)
    manager.names_label(2, "Lesion", "Segment")
    manager.clicks("Save as version 2")
    manager.sees("This is version 2.")


def members_come(node, arrive, manager):
    """The reader, the reviewer and the scientist, each by letter."""
    manager.clicks("Members")
    come = []
    for first, last, role in (
        ("Rune", "Dahl", "Reader"),
        ("Vera", "Novak", "Reviewer"),
        ("Sam", "Ito", "Scientist"),
    ):
        address = f"{first.lower()}@luke.example"
        manager.invites_member(address, role)
        letter = letter_to(node, address, PROJECT)
        person = arrive(node)
        person.accepts_invitation(letter, first=first, last=last, username=first.lower(), password=PASSWORD)
        person.sees(f"You are now {role.lower()} of {PROJECT}.")
        come.append(person)
    manager.page.reload()
    for name in ("Rune Dahl", "Vera Novak", "Sam Ito"):
        expect(manager.row(name)).to_be_visible()
    return come


def cases_are_handed_out(manager):
    manager.clicks("Cases")
    manager.clicks("Choose studies")
    manager.reloads_until(lambda page: page.get_by_text("2 studies of 2 subjects").is_visible())
    manager.page.get_by_label("Choose all studies of this page").check()
    manager.sees("2 studies chosen")
    manager.clicks("Add the chosen ones")
    manager.row("breast1 MR").get_by_role("checkbox").check()
    manager.sees("1 case chosen")
    manager.page.get_by_role("checkbox", name="Rune Dahl").check()
    manager.clicks("Assign")
    manager.sees("1 read assigned.")


def the_reader_measures_and_submits(reader):
    room = reader.opens_case("breast1 MR")
    button = room.page.get_by_test_id("submit")
    expect(button).to_have_attribute("aria-disabled", "true")
    reader.sees("Longest diameter: required, not marked")
    room.draws_length((60, 100), (160, 100))
    [mark] = room.marks()
    assert mark["kind"] == "length"
    room.submits()


def the_reviewer_accepts(reviewer):
    room = reviewer.opens_case("breast1 MR")
    reviewer.sees("Read by Rune Dahl")
    assert [mark["kind"] for mark in room.marks()] == ["length"]
    room.accepts()


def the_lead_freezes(manager):
    manager.clicks("Releases")
    manager.clicks("See what it would hold")
    manager.fills(title="The first", licence="CC BY 4.0")
    manager.clicks("Freeze it")
    manager.sees("Release 1 is frozen")
    manager.sees("What will you use it for?", timeout_s=60)  # by itself, when the files are written


def the_scientist_downloads(scientist, folder):
    scientist.clicks("Projects")
    scientist.clicks(PROJECT)
    scientist.clicks("Releases")
    scientist.clicks("Release 1")
    scientist.sees("1 accepted read")
    scientist.page.get_by_label("What will you use it for?").fill("A first look")
    scientist.clicks("Go on to the download")
    archive = zipfile.ZipFile(scientist.downloads("All as one ZIP", folder))
    assert archive.testzip() is None
    [manifest] = [name for name in archive.namelist() if name.endswith("manifest.json")]
    root = manifest.removesuffix("manifest.json")
    named = {file["path"]: file for file in json.loads(archive.read(manifest))["files"]}
    assert {root + path for path in named} | {manifest} == set(archive.namelist())
    for path, file in named.items():
        content = archive.read(root + path)
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["size"])
    [marks] = [path for path in named if path.endswith("annotations.json")]
    assert re.search(r"longest_diameter", archive.read(root + marks).decode())
