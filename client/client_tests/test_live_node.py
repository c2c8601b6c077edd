"""The client against a real node that is killed and comes back in the midst of a download."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.node import Node

pytestmark = pytest.mark.xdist_group("node of the client")

FILES, FILE_BYTES = 12, 8_000_000
SETUP = f"""
import hashlib, random, zlib
from django.utils import timezone
from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.tokens import make_token
from annotations.models import *
from atlas.archive.storage import new_key, storage
from atlas.models import Project, Subject
organisation = Organisation.objects.create(name="North", slug="north", country="NO")
people = {{name: User.objects.create_user(name) for name in ("lead", "noor", "rui")}}
project = Project.objects.create(
    organisation=organisation, name="Respond", slug="respond", created_by=people["lead"]
)
permissions.grant(user=people["lead"], role="lead", scope=project)
permissions.grant(user=people["noor"], role="scientist", scope=project)
release = Release.objects.create(
    project=project, number=1, title="First", licence="CC BY 4.0", agreement="Nobody is to be recognised.",
    formats=["nifti"], state="ready", frozen_by=people["lead"], ready_at=timezone.now(), cases_total={FILES},
)
made = random.Random(3)
def put(path, data, **more):
    key = new_key()
    storage().put_durable(key, data)
    return ReleaseFile.objects.create(
        release=release, path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest(),
        crc32=zlib.crc32(data), object_key=key, **more,
    )
for number in range(1, {FILES + 1}):
    subject = Subject.objects.create(organisation=organisation, pseudonym=f"N-{{number}}")
    case = Case.objects.create(project=project, subject=subject, number=number)
    row = ReleaseCase.objects.create(release=release, case=case, number=number, part="train")
    path = f"cases/{{number:04d}}/images/CT_a.nii.gz"
    put(path, made.randbytes({FILE_BYTES}), format="nifti", release_case=row)
manifest = put("manifest.json", b'{{"files": []}}')
Release.objects.update(manifest_sha256=manifest.sha256)
print(make_token(by=people["noor"], scope="releases")[1])
print(make_token(by=people["rui"], scope="releases")[1])
"""
TERMS = ("--purpose", "To train a model.", "--agree")


@pytest.fixture(scope="module")
def live() -> Iterator[tuple[Node, str, str]]:
    """A node, a scientist's token, and one of somebody from elsewhere."""
    with Node() as node:
        token, foreign = node.python(SETUP).strip().splitlines()[-2:]
        yield node, token, foreign


def client(node: Node, token: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "ATLAS_URL": node.base_url,
        "ATLAS_TOKEN": token,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", "atlas_client", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, text=True, **pipes)  # type: ignore[call-overload]


def ended(client: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = client.communicate(timeout=150)
    return client.returncode, out, err


def manifest(node: Node, token: str) -> dict[str, str]:
    """The SHA-256 of every file, as the node tells it."""
    answer = httpx.get(
        f"{node.base_url}/api/v1/projects/respond/releases/1/manifest/",
        headers={"Authorization": f"Bearer {token}"},
    )
    return {file["path"]: file["sha256"] for file in answer.raise_for_status().json()["files"]}


def whole_files(to: Path) -> dict[str, str]:
    return {
        file.relative_to(to).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in to.rglob("*")
        if file.is_file() and ".atlas-client" not in file.parts
    }


def test_nothing_comes_before_the_agreement_is_accepted(live, tmp_path: Path) -> None:
    node, token, _ = live
    code, _, err = ended(
        client(node, token, "get", "respond@1", "--to", str(tmp_path / "r"), "--purpose", "x")
    )
    assert code == 8
    assert "Nobody is to be recognised." in err
    assert whole_files(tmp_path / "r") == {}


def test_a_node_killed_twice_in_mid_download_gives_every_byte_right(live, tmp_path: Path) -> None:
    node, token, _ = live
    to = tmp_path / "r"
    fetching = client(node, token, "get", "respond@1", "--to", str(to), "--workers", "3", *TERMS)
    for part_of_all in (0.15, 0.5):
        wanted = part_of_all * FILES * FILE_BYTES
        while sum(file.stat().st_size for file in _there(to)) < wanted:
            assert fetching.poll() is None, fetching.communicate()
            time.sleep(0.005)
        node.crash()
        threading.Event().wait(1)
        node.start()
    code, out, err = ended(fetching)
    assert code == 0, err
    assert "each as its SHA-256 says" in out
    assert whole_files(to) == manifest(node, token)
    assert list(to.rglob("*.part")) == []
    assert ended(client(node, token, "verify", str(to)))[0] == 0


def _there(to: Path) -> list[Path]:
    return [file for file in to.rglob("*") if file.suffix in (".part", ".gz") and file.exists()]


def test_one_row_a_case_however_often_it_broke_off(live) -> None:
    node, _, _ = live
    counted = node.python(
        "from annotations.models import ReleaseDownload, ReleaseUse\n"
        "print(ReleaseDownload.objects.count(), ReleaseUse.objects.get().purpose)"
    )
    assert counted.strip() == f"{FILES + 1} To train a model."


def test_a_withdrawn_case_is_taken_back(live, tmp_path: Path) -> None:
    node, token, _ = live
    to = tmp_path / "r"
    get = ("get", "respond@1", "--to", str(to), *TERMS)
    assert ended(client(node, token, *get))[0] == 0
    node.python(
        "from django.utils import timezone\n"
        "from annotations.models import ReleaseCase, ReleaseFile\n"
        "now = timezone.now()\n"
        "ReleaseCase.objects.filter(number=3).update(withdrawn_at=now, withdrawn_because='Consent.')\n"
        "ReleaseFile.objects.filter(release_case__number=3).update(withdrawn_at=now, object_key='')"
    )
    code, _, err = ended(client(node, token, *get))
    assert code == 0, err
    assert "Removed 1 files that were withdrawn" in err
    assert not (to / "cases" / "0003").exists()
    assert len(whole_files(to)) == FILES


def test_foreign_and_revoked_tokens_are_refused_with_a_reason(live, tmp_path: Path) -> None:
    node, token, foreign = live
    to = str(tmp_path / "r")
    code, _, err = ended(client(node, foreign, "get", "respond@1", "--to", to))
    assert (code, "not for you" in err) == (4, True)
    code, _, err = ended(client(node, "atlas_made-up", "get", "respond@1", "--to", to))
    assert (code, "unknown, ended or revoked" in err) == (3, True)
    listed = client(node, token, "ls", "--json")
    code, out, _ = ended(listed)
    assert [one["name"] for one in json.loads(out)] == ["respond@1"]
    node.python(
        "from accounts.models import ApiToken, User\n"
        "from accounts.services.tokens import revoke_token\n"
        "for token in ApiToken.objects.filter(user__username='noor'):\n"
        "    revoke_token(by=token.user, token=token)"
    )
    code, _, err = ended(client(node, token, "ls"))
    assert (code, "unknown, ended or revoked" in err) == (3, True)
