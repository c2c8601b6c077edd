"""A release on a node: its state, its terms, its manifest."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from atlas_client import paths
from atlas_client.errors import ClosedError, IntegrityError, NetworkError, TermsError, UsageError
from atlas_client.server import Busy, Server

_NAME = re.compile(r"([-a-zA-Z0-9_]{1,60})@([1-9][0-9]{0,8}|latest)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
PAGE = 5000
POLL_S = 3.0
BEING_WRITTEN_S = 3600.0


@dataclass(frozen=True)
class Selection:
    """What to fetch; empty: everything."""

    formats: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    cases: tuple[int, ...] = ()

    def params(self) -> dict[str, str]:
        return {name: ",".join(map(str, values)) for name, values in asdict(self).items() if values}


@dataclass(frozen=True)
class Entry:
    """A file of a release. `part` is "" for what is about all cases, and `case` None."""

    path: str
    size: int
    sha256: str
    format: str = ""
    part: str = ""
    case: int | None = None
    withdrawn: bool = False


class RemoteRelease:
    """`facts` is the release as the node tells it; `name` is "project@number"."""

    def __init__(self, server: Server, name: str) -> None:
        match = _NAME.fullmatch(name if "@" in name else f"{name}@latest")
        if match is None:
            raise UsageError(f"{name!r} is no name of a release. Write project@number, as respond@2.")
        self.server, self.project = server, match[1]
        number = _latest(server, match[1]) if match[2] == "latest" else int(match[2])
        self.number = number
        self.name = f"{self.project}@{number}"
        self.place = f"projects/{self.project}/releases/{number}/"
        self.facts: dict[str, Any] = {}
        self.read()

    def read(self) -> dict[str, Any]:
        """How it is now."""
        facts = self.server.get(self.place)
        if not isinstance(facts, dict) or "state" not in facts:
            raise NetworkError(f"{self.server.url} doesn't tell about a release as an Atlas node does.")
        self.facts = facts
        return facts

    def wait_until_ready(
        self,
        told: Callable[[str], None] = lambda sentence: None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        at_most_s: float = BEING_WRITTEN_S,
    ) -> None:
        """While it is being written. Raises ClosedError for one that will never be ready."""
        waited_s, last = 0.0, ""
        while self.facts["state"] != "ready":
            if self.facts["state"] != "writing":
                problem = self.facts.get("problem") or "It has no files."
                raise ClosedError(f"{self.name} is {self.facts['state']}. {problem}")
            done = f"{self.facts.get('cases_done')} of {self.facts.get('cases_total')} cases"
            if waited_s >= at_most_s:
                raise NetworkError(f"{self.name} is still being written: {done}. Try again later.")
            if done != last:
                told(f"{self.name} is being written: {done}.")
                last = done
            sleep(POLL_S)
            waited_s += POLL_S
            self.read()

    # Terms --------------------------------------------------------------------------------------------

    @property
    def agreement(self) -> str:
        """What has still to be accepted; "" for nothing."""
        agreement = self.facts.get("agreement") or {}
        return "" if agreement.get("is_accepted", True) else str(agreement.get("text", ""))

    @property
    def is_open(self) -> bool:
        """Whether a purpose is stated, and the agreement accepted."""
        return self.facts.get("use") is not None

    def state_use(self, purpose: str, *, agrees: bool) -> None:
        if not purpose.strip():
            raise TermsError(f"Say what you use {self.name} for, in a sentence: --purpose.")
        if self.agreement and not agrees:
            raise TermsError(
                f"{self.name} has an agreement. Read it, and accept it with --agree:\n\n{self.agreement}"
            )
        self.server.post(f"{self.place}use/", {"purpose": purpose, "agrees": agrees})
        self.read()

    # Files --------------------------------------------------------------------------------------------

    def file_address(self, path: str) -> str:
        return f"{self.place}files/{quote(path)}"

    def entries(self, selection: Selection) -> list[Entry]:
        """By path, withdrawn ones among them. Raises IntegrityError for names that no release may have."""
        found = list(self._entries(selection))
        paths.require_apart(entry.path for entry in found)
        return found

    def _entries(self, selection: Selection) -> Iterator[Entry]:
        """Page by page. The addresses of pages are made here: those in the answer may lead anywhere."""
        offset, params = 0, selection.params()
        while True:
            try:
                page = self.server.get(f"{self.place}manifest/", limit=PAGE, offset=offset, **params)
            except Busy as error:  # it is written anew, without a case that was withdrawn
                self.read()
                if self.facts["state"] == "ready":
                    raise NetworkError(str(error)) from error
                self.wait_until_ready()
                continue
            try:
                files, count = page["files"], int(page["count"])
            except (TypeError, KeyError, ValueError) as error:
                raise NetworkError(f"{self.server.url} sends a manifest that isn't one.") from error
            for file in files:
                yield entry_of(file)
            offset += len(files)
            if not files or offset >= count:
                return


def entry_of(file: Any) -> Entry:
    """A line of a manifest, checked. Raises IntegrityError."""
    if not isinstance(file, dict):
        raise IntegrityError("The node sends a manifest with a line that isn't one.")
    path, size, sha256 = paths.checked(file.get("path")), file.get("size"), file.get("sha256")
    case = file.get("case")
    is_right = (
        isinstance(size, int)
        and not isinstance(size, bool)
        and 0 <= size < 2**63
        and isinstance(sha256, str)
        and _SHA256.fullmatch(sha256)
        and (case is None or isinstance(case, int))
    )
    if not is_right:
        raise IntegrityError(
            f"The node tells of {path!r} without a size and a SHA-256 that could be checked."
        )
    return Entry(
        path,
        size,  # type: ignore[arg-type]
        sha256,  # type: ignore[arg-type]
        str(file.get("format") or ""),
        str(file.get("part") or ""),
        case,
        bool(file.get("withdrawn_at")),
    )


def releases(server: Server) -> list[dict[str, Any]]:
    """All that this person may know of, newest first."""
    found: list[dict[str, Any]] = []
    while True:
        page = server.get("releases/", limit=1000, offset=len(found))
        found += page["results"]
        if not page["results"] or len(found) >= page["count"]:
            return found


def _latest(server: Server, project: str) -> int:
    """The newest that is ready; else the newest that is being written."""
    listed = server.get(f"projects/{project}/releases/", limit=1000)["results"]
    for state in ("ready", "writing"):
        for release in listed:
            if release["state"] == state:
                return int(release["number"])
    raise ClosedError(f"Project {project} has no release yet.")
