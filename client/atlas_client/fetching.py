"""Fetches a release into a folder: what is there and right is left alone, what was withdrawn goes."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from atlas_client.bundles import SMALL_BYTES, fetch_small
from atlas_client.errors import ChangedError, DiskError, IntegrityError, TermsError, WithdrawnError
from atlas_client.folder import Folder, free_bytes
from atlas_client.remote import Entry, RemoteRelease, Selection
from atlas_client.transfer import Stopped, fetch

ROUNDS = 4  # of reading the manifest again because the release changed meanwhile
SAVE_EVERY_S = 10.0


class Shown(Protocol):
    """Who watches. Called from many threads."""

    def say(self, sentence: str) -> None: ...

    def begin(self, files: int, size: int) -> None: ...

    def began_file(self, entry: Entry) -> None: ...

    def moved(self, entry: Entry, count: int) -> None: ...

    def ended_file(self, entry: Entry, *, was_there: bool) -> None: ...


class Silent:
    """Nobody watches."""

    def say(self, sentence: str) -> None: ...

    def begin(self, files: int, size: int) -> None: ...

    def began_file(self, entry: Entry) -> None: ...

    def moved(self, entry: Entry, count: int) -> None: ...

    def ended_file(self, entry: Entry, *, was_there: bool) -> None: ...


@dataclass
class Fetched:
    """What a fetching did."""

    files: int = 0
    bytes: int = 0
    already_there: int = 0
    removed: list[str] = field(default_factory=list)
    kept_withdrawn: list[str] = field(default_factory=list)


def accept_terms(
    release: RemoteRelease,
    purpose: str,
    *,
    agrees: bool,
    ask: Callable[[RemoteRelease], tuple[str, bool]] | None,
) -> None:
    """See that a purpose is stated. `ask` asks the person for it, and whether they agree; None: nobody can.

    Raises TermsError where it isn't, and can't be.
    """
    if release.is_open and not purpose:
        return
    if not purpose and ask is None:
        raise TermsError(f"Say what you use {release.name} for, in a sentence: --purpose.")
    if release.agreement and not agrees and ask is None:
        raise TermsError(
            f"{release.name} has an agreement. Read it, and accept it with --agree:\n\n{release.agreement}"
        )
    if ask is not None and (not purpose or (release.agreement and not agrees)):
        asked_purpose, agrees = ask(release)
        purpose = purpose or asked_purpose
    release.state_use(purpose, agrees=agrees or not release.agreement)


def fetch_release(
    release: RemoteRelease,
    to: Path,
    selection: Selection,
    *,
    workers: int = 4,
    may_remove: Callable[[list[str]], bool] = lambda found: True,
    shown: Shown | None = None,
) -> Fetched:
    """Fetch what was chosen. `may_remove` is asked about files here that were withdrawn or are of no use any
    more. Raises AtlasError; what is whole by then stays, and the next call goes on."""
    shown = shown or Silent()
    to.mkdir(parents=True, exist_ok=True)
    folder = Folder(to)
    folder.require(release.server.url, release.name)
    done = Fetched()
    with folder.locked():
        for turn in range(ROUNDS):
            release.read()
            release.wait_until_ready(shown.say)
            entries = release.entries(selection)
            _require_own_manifest(release, entries)
            try:
                there = [entry for entry in entries if not entry.withdrawn]
                _require_room(folder, there)
                _forget(folder, release, entries, done, may_remove, shown)
                folder.keep(release.server.url, release.facts, selection, there)
                _fetch_all(release, folder, there, selection, workers, done, shown)
                break
            except (ChangedError, WithdrawnError) as error:
                if turn == ROUNDS - 1:
                    raise
                shown.say(f"The release has changed: {error} Reading its manifest again.")
            finally:
                folder.save()
        folder.clear_parts()
    return done


def _require_own_manifest(release: RemoteRelease, entries: list[Entry]) -> None:
    """The manifest in the release is the one that its page and address name."""
    named = release.facts.get("manifest_sha256")
    for entry in entries:
        if entry.path == "manifest.json" and named and entry.sha256 != named:
            if release.read().get("manifest_sha256") == entry.sha256:
                return
            raise IntegrityError(
                f"manifest.json of {release.name} is not the one that the node names elsewhere."
            )


def _require_room(folder: Folder, entries: list[Entry]) -> None:
    missing = 0
    for entry in entries:
        file = folder.file(entry.path)
        if not (file.is_file() and file.stat().st_size == entry.size):
            part = folder.part(entry)
            missing += entry.size - (part.stat().st_size if part.is_file() else 0)
    free = free_bytes(folder.root)
    if missing > free:
        raise DiskError(
            f"{folder.root} has room for {free / 1e9:.1f} GB; {missing / 1e9:.1f} GB are to come."
        )


def _forget(
    folder: Folder,
    release: RemoteRelease,
    entries: list[Entry],
    done: Fetched,
    may_remove: Callable[[list[str]], bool],
    shown: Shown,
) -> None:
    """Files here that the release doesn't give out any more: withdrawn, or replaced by others."""
    gone = {one["case"] for one in release.facts.get("withdrawn_cases") or ()}
    withdrawn = {entry.path for entry in entries if entry.withdrawn}
    withdrawn |= {path for path, entry in folder.entries.items() if entry.case in gone}
    here = sorted(path for path in withdrawn if folder.file(path).is_file())
    if here and may_remove(here):
        for path in here:
            folder.remove(path)
        done.removed += here
        shown.say(f"Removed {len(here)} files that were withdrawn.")
    elif here:
        done.kept_withdrawn = here


def _fetch_all(
    release: RemoteRelease,
    folder: Folder,
    entries: list[Entry],
    selection: Selection,
    workers: int,
    done: Fetched,
    shown: Shown,
) -> None:
    stop = threading.Event()
    shown.begin(len(entries), sum(entry.size for entry in entries))
    came: set[str] = set()

    def placed(entry: Entry) -> None:
        came.add(entry.path)
        shown.began_file(entry)
        shown.moved(entry, entry.size)
        shown.ended_file(entry, was_there=False)

    small = (one for one in entries if one.size <= SMALL_BYTES and one.path != "manifest.json")
    missing = [one for one in small if not folder.is_right(one)]
    try:
        fetch_small(release, folder, missing, selection, workers=workers, placed=placed)
    finally:
        done.files += len(came)
        done.bytes += sum(entry.size for entry in missing if entry.path in came)
    entries = [entry for entry in entries if entry.path not in came]

    def one(entry: Entry) -> bool:
        """Whether it was there."""
        if stop.is_set():
            raise Stopped("Stopped.")
        shown.began_file(entry)
        if folder.is_right(entry):
            shown.moved(entry, entry.size)
            shown.ended_file(entry, was_there=True)
            return True
        fetch(release, entry, folder, moved=lambda count: shown.moved(entry, count), stop=stop)
        shown.ended_file(entry, was_there=False)
        return False

    waiting = iter(sorted(entries, key=_order))
    under_way: dict[Future[bool], Entry] = {}
    saved = time.monotonic()
    with ThreadPoolExecutor(workers, thread_name_prefix="fetch") as pool:
        try:
            while True:
                while len(under_way) < 2 * workers and (entry := next(waiting, None)):
                    under_way[pool.submit(one, entry)] = entry
                if not under_way:
                    return
                finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in finished:
                    entry = under_way.pop(future)
                    if future.result():
                        done.already_there += 1
                    else:
                        done.files += 1
                        done.bytes += entry.size
                if time.monotonic() - saved > SAVE_EVERY_S:
                    folder.save()
                    saved = time.monotonic()
        except BaseException:
            stop.set()
            raise


def _order(entry: Entry) -> tuple[bool, str]:
    """What names the others comes last: a folder with a manifest is whole."""
    return entry.path == "manifest.json", entry.path


def verify(to: Path, shown: Shown | None = None) -> tuple[int, list[str], list[str]]:
    """Read every file again: how many are right, which are wrong, which are missing."""
    import json

    from atlas_client.errors import UsageError
    from atlas_client.remote import entry_of

    shown = shown or Silent()
    folder = Folder(to)
    entries = list(folder.entries.values())
    if not entries:  # as it lies in an archive
        try:
            entries = [entry_of(file) for file in json.loads((to / "manifest.json").read_text())["files"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{to} holds no release: there is no manifest.json that can be read.") from error
    shown.begin(len(entries), sum(entry.size for entry in entries))
    right, wrong, missing = 0, [], []
    for entry in sorted(entries, key=_order):
        shown.began_file(entry)
        file = folder.file(entry.path)
        if not file.is_file():
            missing.append(entry.path)
        elif folder.is_right(entry, trusting=False):
            right += 1
        else:
            wrong.append(entry.path)
        shown.moved(entry, entry.size)
        shown.ended_file(entry, was_there=True)
    return right, wrong, missing
