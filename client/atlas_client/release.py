"""A release to work with: in a folder, or fetched file by file when it is asked for."""

import csv
import json
import re
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from atlas_client import config, fetching
from atlas_client.cases import Case
from atlas_client.errors import ClosedError, UsageError
from atlas_client.folder import Folder
from atlas_client.remote import Entry, RemoteRelease, Selection, entry_of
from atlas_client.server import Server, node_url
from atlas_client.transfer import fetch

if TYPE_CHECKING:
    from atlas_client.torch import ReleaseDataset

_CASE = re.compile(r"cases/([0-9]+)/|(?:.*/)?([0-9]{4,})_[^/]*$")


class Source(Protocol):
    """Where files come from."""

    facts: dict[str, Any]
    entries: dict[str, Entry]

    def path(self, entry: Entry) -> Path: ...


class Local:
    """A folder that was fetched, or an archive that was unpacked. Needs no node."""

    def __init__(self, root: Path) -> None:
        self.root, folder = root, Folder(root)
        self.facts, self.entries = folder.facts, folder.entries
        self._folder = folder
        if not self.entries:
            try:
                told = json.loads((root / "manifest.json").read_text())
                found = [entry_of(file) for file in told["files"]]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"{root} holds no release: it has no manifest.json that can be read."
                ) from error
            self.entries = {entry.path: entry for entry in found if folder.file(entry.path).is_file()}
            slug, number = told.get("project", {}).get("slug", ""), told.get("number", 0)
            self.facts = {
                "name": f"{slug}@{number}",
                "number": number,
                "project": told.get("project", {}),
                **told,
            }

    def path(self, entry: Entry) -> Path:
        file = self._folder.file(entry.path)
        if not file.is_file():
            raise ClosedError(
                f"{entry.path} is not in {self.root}. Fetch it: atlas-client get {self.facts.get('name')}."
            )
        return file


class Remote:
    """On a node; what is asked for is kept in a folder, so that it comes once."""

    def __init__(self, release: RemoteRelease, root: Path) -> None:
        self._release, self._folder, self._lock = release, Folder(root), threading.Lock()
        self._folder.require(release.server.url, release.name)
        self.facts = release.facts
        self.entries = {entry.path: entry for entry in release.entries(Selection()) if not entry.withdrawn}
        self._folder.keep(release.server.url, release.facts, Selection(), list(self.entries.values()))

    def path(self, entry: Entry) -> Path:
        with self._lock:
            if not self._folder.is_right(entry):
                fetch(self._release, entry, self._folder)
                self._folder.save()
        return self._folder.file(entry.path)


class Tables(Mapping[str, list[dict[str, Any]]]):
    """`tables["measurements"]`: rows with numbers as numbers and None for what is empty. The columns, with
    their units, are in `columns`."""

    def __init__(self, release: "Release") -> None:
        self._release = release

    @cached_property
    def columns(self) -> dict[str, Any]:
        told = json.loads(self._release.path("tables/columns.json").read_text())
        return told.get("tables", told)

    def path(self, name: str, ending: str = "csv") -> Path:
        """The file itself, for pandas, polars or DuckDB; `ending` csv or parquet."""
        return self._release.path(f"tables/{name}.{ending}")

    def __getitem__(self, name: str) -> list[dict[str, Any]]:
        if name not in list(self):
            raise KeyError(
                f"{self._release.name} has no table {name!r}. It has {', '.join(self) or 'none here'}."
            )
        kinds = self._kinds(name)
        with self.path(name).open(newline="", encoding="utf-8") as file:
            return [
                {column: _value(text, kinds.get(column, "text")) for column, text in row.items()}
                for row in csv.DictReader(file)
            ]

    def _kinds(self, name: str) -> dict[str, str]:
        return {column["name"]: column["type"] for column in self.columns[name]["columns"]}

    def __iter__(self) -> Iterator[str]:
        return iter(path[7:-4] for path in self._release.paths("tables/") if path.endswith(".csv"))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _value(text: str, kind: str) -> Any:
    if text == "":
        return None
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "boolean":
        return text.lower() in ("true", "yes", "1")
    return text


class Release:
    """A frozen, labelled cohort."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.entries = source.entries
        self._paths = sorted(self.entries)

    def __repr__(self) -> str:
        return f"<Release {self.name}, {len(self._paths)} files>"

    @property
    def name(self) -> str:
        """project@number"""
        return str(self._source.facts.get("name", ""))

    @property
    def facts(self) -> dict[str, Any]:
        """What the node told: title, licence, citation and more."""
        return self._source.facts

    def paths(self, start: str = "") -> list[str]:
        """The files whose paths begin so, sorted."""
        first = bisect_left(self._paths, start)
        last = bisect_left(self._paths, start + "\U0010ffff")
        return self._paths[first:last]

    def path(self, path: str) -> Path:
        """A file of the release on this computer; fetched now, if it isn't here yet. Raises ClosedError where
        the release, or what was fetched of it, doesn't have it."""
        entry = self.entries.get(path)
        if entry is None:
            raise ClosedError(
                f"{self.name} has no {path!r} here: another format, a part of its own, or withdrawn."
            )
        return self._source.path(entry)

    @cached_property
    def _splits(self) -> dict[int, dict[str, Any]]:
        if "splits.json" not in self.entries:
            return {}
        told = json.loads(self.path("splits.json").read_text())
        return {int(one["case"]): one for one in told.get("cases", ())}

    @cached_property
    def labels(self) -> list[dict[str, Any]]:
        """The labels of the newest schema that a read followed: key, name, code."""
        schemas = json.loads(self.path("labels.json").read_text()).get("schemas", [])
        return max(schemas, key=lambda schema: schema["version"])["labels"] if schemas else []

    @property
    def tables(self) -> Tables:
        return Tables(self)

    def cases(self, part: str | None = None, fold: int | None = None) -> list[Case]:
        """By number: all, or those of a part (train, validation, test) or a fold."""
        numbers = {entry.case for entry in self.entries.values() if entry.case is not None}
        numbers |= {int(found[1] or found[2]) for path in self._paths if (found := _CASE.match(path))}
        cases = []
        for number in sorted(numbers):
            told = self._splits.get(number, {})
            cases.append(
                Case(
                    self,
                    number,
                    str(told.get("part") or ""),
                    told.get("fold"),
                    str(told.get("subject") or ""),
                )
            )
        if part is not None and part not in (known := {case.part for case in cases}):
            raise UsageError(
                f"{self.name} has no part {part!r} here. It has {', '.join(sorted(known - {''})) or 'none'}."
            )
        return [case for case in cases if part in (None, case.part) and fold in (None, case.fold)]

    def case(self, number: int) -> Case:
        for case in self.cases():
            if case.number == number:
                return case
        raise UsageError(f"{self.name} has no case {number} here.")

    def monai(self, part: str | None = None) -> list[dict[str, Any]]:
        """A list for monai.data.Dataset: see `atlas_client.monai`."""
        from atlas_client.monai import rows

        return rows(self, part)

    def dataset(self, part: str | None = None, **how: Any) -> "ReleaseDataset":
        """A PyTorch Dataset: see `atlas_client.torch`."""
        from atlas_client.torch import ReleaseDataset

        return ReleaseDataset(self, part, **how)


def open_folder(folder: str | Path) -> Release:
    """A release that `atlas-client get` fetched, or an archive that was unpacked."""
    return Release(Local(Path(folder).expanduser()))


def release(
    name: str,
    *,
    server: str = "",
    token: str = "",
    purpose: str = "",
    agree: bool = False,
    cache: str | Path | None = None,
    plain_http: bool = False,
) -> Release:
    """A release on a node, "respond@2" or "respond" for the newest; files come when they are asked for.

    The node and the token are those given, of $ATLAS_URL and $ATLAS_TOKEN, or of `atlas-client login`. Before
    the first file a `purpose` has to be stated once, and its agreement accepted. Raises AtlasError.
    """
    login = config.login(server, token)
    node = Server(node_url(login.url, plain_http=plain_http), login.token)
    found = RemoteRelease(node, name)
    found.wait_until_ready()
    fetching.accept_terms(found, purpose, agrees=agree, ask=None)
    host = urlsplit(node.url).netloc.replace(":", "_")
    root = (
        Path(cache).expanduser()
        if cache
        else config.cache_folder() / host / found.project / str(found.number)
    )
    root.mkdir(parents=True, exist_ok=True)
    return Release(Remote(found, root))
