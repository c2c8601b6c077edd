"""The command line: `atlas-client login | ls | get | verify | predict | logout`."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from atlas_client import __version__, config, fetching, predicting, remote
from atlas_client.errors import AtlasError, AuthError, IntegrityError, TermsError, UsageError
from atlas_client.remote import RemoteRelease, Selection
from atlas_client.server import Server, node_url
from atlas_client.shown import Watched, size_text

INTERRUPTED = 130
EXIT_CODES = """\
exit codes:
  0  all is well                      5  the node can't be reached, or keeps failing
  1  an error nobody thought of       6  bytes or names that are not the release's
  2  it can't be asked so             7  the disk is full, or can't be written
  3  not signed in, token ended       8  a purpose or an agreement is missing
  4  no such release, or not open     130  stopped by Ctrl-C

A token and a node can also come from $ATLAS_TOKEN and $ATLAS_URL."""

out, err = Console(), Console(stderr=True)


def _say(text: str, where: Console = out) -> None:
    """As it is: no markup in what a node sends, no lines broken that a script reads."""
    where.print(text, markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    wanted = _parser().parse_args(arguments)
    try:
        return int(wanted.does(wanted) or 0)
    except AtlasError as error:
        err.print(f"[bold red]{type(error).__name__.removesuffix('Error')}:[/]", end=" ")
        _say(str(error), err)
        return error.exit_code
    except KeyboardInterrupt:
        _say("Stopped. The same command goes on where this one was.", err)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "atlas-client",
        description="Fetch labelled cohorts of cancer images from an Atlas node.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    login = commands.add_parser(
        "login", help="sign in to a node and keep a token that only downloads releases"
    )
    login.add_argument("url", metavar="URL", help="https://atlas.hospital.example")
    login.add_argument("--user", default="", help="your user name; asked for without")
    login.add_argument(
        "--token", action="store_true", help="ask for a token that you made on the node's page"
    )
    login.add_argument("--token-stdin", action="store_true", help="read such a token from standard input")
    login.add_argument("--project", default="", help="a token for this project's releases only")
    login.add_argument("--days", type=int, default=30, help="until the token ends: 1 to 365, %(default)s")
    login.set_defaults(does=_login)

    logout = commands.add_parser("logout", help="forget the token that login kept")
    logout.set_defaults(does=_logout)

    listing = commands.add_parser("ls", help="list releases, or what one holds")
    listing.add_argument("release", metavar="PROJECT@NUMBER", nargs="?", default="")
    listing.add_argument("--files", action="store_true", help="each of its files")
    _add_choice(listing)
    listing.add_argument("--json", action="store_true", help="as the node tells it")
    listing.set_defaults(does=_list)

    get = commands.add_parser("get", help="fetch a release; goes on where it stopped")
    get.add_argument("release", metavar="PROJECT@NUMBER", help="without a number the newest")
    get.add_argument("--to", type=Path, metavar="DIR", help="a folder of its own; PROJECT-NUMBER without")
    _add_choice(get)
    get.add_argument("--workers", type=_workers, default=4, metavar="N", help="files at a time, %(default)s")
    get.add_argument("--purpose", default="", help="what you use it for, in a sentence; said once")
    get.add_argument(
        "--agree", action="store_true", help="accept the release's agreement, which you have read"
    )
    get.add_argument(
        "--keep-withdrawn", action="store_true", help="leave files here that were withdrawn since"
    )
    get.add_argument("--yes", action="store_true", help="remove withdrawn files without asking")
    get.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    get.set_defaults(does=_get)

    verify = commands.add_parser("verify", help="read every file of a folder again, and compare its SHA-256")
    verify.add_argument("folder", type=Path, metavar="DIR")
    verify.add_argument("--quiet", action="store_true", help="say only what is wrong")
    verify.set_defaults(does=_verify)

    predict = commands.add_parser(
        "predict", help="hand in what a model says of a release, and wait for scores"
    )
    predict.add_argument("release", metavar="PROJECT@NUMBER", help="without a number the newest")
    predict.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="masks, named as the cases of the release's nnU-Net data sets",
    )
    predict.add_argument("--model", required=True, metavar="NAME", help="of the model, with its version")
    predict.add_argument("--description", default="", help="how it was made, in a few sentences")
    predict.add_argument(
        "--part", default="test", choices=("train", "validation", "test", "none"), help="%(default)s"
    )
    predict.add_argument("--no-wait", action="store_true", help="hand it in, and don't wait for scores")
    predict.add_argument("--quiet", action="store_true", help="say only what goes wrong, and the scores")
    predict.set_defaults(does=_predict)

    for command in (login, listing, get, predict):
        command.add_argument(
            "--plain-http",
            action="store_true",
            help="speak without encryption to a node that isn't this machine",
        )
    for command in (listing, get, predict):
        command.add_argument(
            "--server", default="", metavar="URL", help="the node; without: where you logged in"
        )
    return parser


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--formats", type=_words, default=(), help="nifti,seg,… ; all without")
    parser.add_argument("--parts", type=_words, default=(), help="train,validation,test ; all without")
    parser.add_argument("--cases", type=_numbers, default=(), help="numbers, with commas; all without")


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise argparse.ArgumentTypeError("write words with a comma between")
    return words


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in _words(text))
    except ValueError:
        raise argparse.ArgumentTypeError("write numbers with a comma between") from None


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError("between 1 and 32")
    return int(text)


# Signing in ------------------------------------------------------------------------------------------------


def _login(wanted: argparse.Namespace) -> None:
    url = node_url(wanted.url, plain_http=wanted.plain_http)
    expires_at = ""
    if wanted.token_stdin:
        token = sys.stdin.readline().strip()
    elif wanted.token:
        token = getpass.getpass("Token: ").strip()
    else:
        made = _made_token(url, wanted)
        token, expires_at = str(made["token"]), str(made.get("expires_at", ""))
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("That is no token: it is one word, as the node's page showed it.")
    found = remote.releases(Server(url, token))  # a token that doesn't open anything is not kept
    file = config.keep(config.Login(url, token, expires_at))
    ends = f", until {expires_at[:10]}" if expires_at else ""
    count = f"{len(found)} release{'' if len(found) == 1 else 's'}"
    _say(f"Signed in to {url}{ends}: {count}. The token is in {file}.")


def _made_token(url: str, wanted: argparse.Namespace) -> dict[str, Any]:
    user = wanted.user or input("User name: ").strip()
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    name = f"atlas-client on {os.uname().nodename if hasattr(os, 'uname') else 'a computer'}"[:80]
    asked = {"username": user, "password": password, "name": name, "days": wanted.days}
    scope = {"scope": "releases", "project": wanted.project}
    try:
        return Server(url).post("tokens/", asked | scope)
    except AtlasError as error:
        if "No account" in str(error):
            raise AuthError(str(error)) from error
        raise


def _logout(wanted: argparse.Namespace) -> None:
    if config.forget():
        out.print("The token is forgotten here. To end it everywhere, revoke it on your account's page.")
    else:
        out.print("Nobody was signed in.")


def _server(wanted: argparse.Namespace, connections: int = 4) -> Server:
    login = config.login(wanted.server)
    return Server(node_url(login.url, plain_http=wanted.plain_http), login.token, connections=connections)


# Looking ---------------------------------------------------------------------------------------------------


def _list(wanted: argparse.Namespace) -> None:
    server = _server(wanted)
    if not wanted.release:
        found = remote.releases(server)
        if wanted.json:
            out.print_json(json.dumps(found))
        elif found:
            out.print(_table(("release", "title", "cases", "frozen", "state", "licence"), map(_line, found)))
        else:
            out.print("There are no releases for you on this node yet.")
        return
    release = RemoteRelease(server, wanted.release)
    if wanted.files:
        _list_files(release, wanted)
    elif wanted.json:
        out.print_json(json.dumps(release.facts))
    else:
        _tell(release)


def _line(release: dict[str, Any]) -> list[str]:
    cases = str(release["cases_total"])
    if release["state"] == "writing":
        cases = f"{release['cases_done']} of {cases}"
    told = (release["title"], cases, str(release["frozen_at"])[:10], release["state"], release["licence"])
    return [release["name"], *told]


def _list_files(release: RemoteRelease, wanted: argparse.Namespace) -> None:
    entries = release.entries(_selection(wanted))
    if wanted.json:
        out.print_json(json.dumps([vars(entry) for entry in entries]))
        return
    for entry in entries:
        told = "withdrawn" if entry.withdrawn else size_text(entry.size)
        _say(f"{told:>10}  {entry.path}")


def _tell(release: RemoteRelease) -> None:
    facts = release.facts
    out.print(f"{release.name}  {facts['title']}", style="bold", markup=False)
    told = {
        "state": facts["state"] if not facts.get("problem") else f"{facts['state']}: {facts['problem']}",
        "cases": facts["cases_total"],
        "licence": facts["licence"],
        "cite": facts.get("citation"),
        "purpose": facts.get("purpose"),
        "you use it": (facts.get("use") or {}).get("purpose", "not stated yet: --purpose"),
        "agreement": _of_agreement(facts.get("agreement")),
        "withdrawn": ", ".join(str(one["case"]) for one in facts.get("withdrawn_cases", ())),
        "manifest": facts["manifest_sha256"],
    }
    for name, value in told.items():
        if value not in (None, ""):
            _say(f"{name:>12}  {value}")
    rows = [
        [one["format"] or "always", one["title"], one["files"], size_text(one["bytes"])]
        for one in facts["formats"]
    ]
    out.print(_table(("format", "holds", "files", "size"), rows))
    rows = [[one["part"], one["cases"], one["files"], size_text(one["bytes"])] for one in facts["parts"]]
    out.print(_table(("part", "cases", "files", "size"), rows))


def _of_agreement(agreement: dict[str, Any] | None) -> str:
    if agreement is None:
        return ""
    return "accepted" if agreement["is_accepted"] else f"not accepted yet: --agree\n\n{agreement['text']}\n"


def _table(columns: Sequence[str], rows: Any) -> Table:
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in ("cases", "files", "size") else "left")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


# Fetching --------------------------------------------------------------------------------------------------


def _selection(wanted: argparse.Namespace) -> Selection:
    return Selection(wanted.formats, wanted.parts, wanted.cases)


def _get(wanted: argparse.Namespace) -> None:
    release = RemoteRelease(_server(wanted, wanted.workers + 2), wanted.release)
    to = wanted.to or Path(f"{release.project}-{release.number}")
    is_there = _is_there() and not wanted.quiet
    release.wait_until_ready(lambda sentence: _say(sentence, err))
    fetching.accept_terms(release, wanted.purpose, agrees=wanted.agree, ask=_ask_terms if is_there else None)

    def may_remove(found: list[str]) -> bool:
        if wanted.keep_withdrawn or wanted.yes or not is_there:
            return not wanted.keep_withdrawn
        watched.__exit__(None, None, None)
        answer = input(f"{len(found)} files here were withdrawn from the release. Remove them? [Y/n] ")
        watched.__enter__()
        return answer.strip().lower() in ("", "y", "yes")

    with Watched(err, quiet=wanted.quiet) as watched:
        done = fetching.fetch_release(
            release, to, _selection(wanted), workers=wanted.workers, may_remove=may_remove, shown=watched
        )
    if done.kept_withdrawn:
        _say(f"{len(done.kept_withdrawn)} files that were withdrawn are still in {to}. Delete them.", err)
    if not wanted.quiet:
        there = f", {done.already_there} were there" if done.already_there else ""
        fetched = f"{done.files} files fetched ({size_text(done.bytes)}){there}"
        told = f"{release.name} is in {to}: {fetched}, each as its SHA-256 says."
        _say(told)


def _is_there() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _ask_terms(release: RemoteRelease) -> tuple[str, bool]:
    agrees = False
    if release.agreement:
        out.print(f"{release.name} comes with this agreement:\n\n{release.agreement}\n", markup=False)
        agrees = input("Do you accept it? Type yes: ").strip().lower() == "yes"
        if not agrees:
            raise TermsError("The agreement was not accepted, so nothing was fetched.")
    return input("What do you use the release for? ").strip(), agrees


def _verify(wanted: argparse.Namespace) -> None:
    with Watched(err, quiet=wanted.quiet) as watched:
        right, wrong, missing = fetching.verify(wanted.folder, watched)
    for told, paths in (("wrong", wrong), ("missing", missing)):
        for path in paths:
            _say(f"{told:>8}  {path}", err)
    if wrong or missing:
        raise IntegrityError(
            f"Of {right + len(wrong) + len(missing)} files {len(wrong)} are not as the release says, and "
            f"{len(missing)} are missing. The same `atlas-client get` again mends that."
        )
    if not wanted.quiet:
        _say(f"All {right} files are as the release says.")


# Predictions -----------------------------------------------------------------------------------------------


def _predict(wanted: argparse.Namespace) -> None:
    told = (lambda sentence: None) if wanted.quiet else (lambda sentence: _say(sentence, err))
    release = RemoteRelease(_server(wanted), wanted.release)
    handed_in = predicting.hand_in(
        release,
        wanted.folder,
        model=wanted.model,
        description=wanted.description,
        part=wanted.part,
        told=told,
    )
    if wanted.no_wait:
        _say(f"Handed in. Its scores will be on the page of {release.name}.")
        return
    scored = predicting.wait_for_scores(release, handed_in, told=told)
    rows = [
        [label, figures["cases"], *(_number(figures, *which) for which in SCORES)]
        for label, figures in scored["scores"]["labels"].items()
    ]
    out.print(_table(("label", "cases", "Dice", "surface Dice", "HD95 mm", "F1"), rows))


SCORES = (("dice", "mean"), ("surface_dice", "mean"), ("hd95_mm", "median"), ("f1",))


def _number(figures: Any, *names: str) -> str:
    for name in names:
        figures = figures[name]
    return "–" if figures is None else f"{figures:.3f}"
