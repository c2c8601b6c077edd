"""The command line as people and scripts meet it: what it asks, keeps, prints, and how it exits."""

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_client import cli, config
from atlas_client.cli import main
from client_tests.fake_node import PASSWORD, TOKEN, FakeNode, Request

CT = "cases/0001/images/CT_a.nii.gz"


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def signed_in(node: FakeNode) -> FakeNode:
    config.keep(config.Login(node.url, TOKEN))
    return node


def test_login_keeps_a_token_for_oneself_and_never_prints_it(node, monkeypatch, capfd) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["login", node.url, "--user", "noor", "--days", "7", "--project", "respond"]) == 0
    file = config.config_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["token"] == TOKEN
    assert PASSWORD not in file.read_text()
    printed = "".join(capfd.readouterr())
    assert "1 release." in printed
    assert TOKEN not in printed
    assert TOKEN not in repr(config.login())
    assert main(["ls"]) == 0


def test_what_login_asks_for_is_a_token_for_releases(node, monkeypatch) -> None:
    sent = []

    def before(request: Request) -> bool:
        if request.place == "/api/v1/tokens/":
            sent.append(request.sent)
        return False

    node.before = before
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    main(["login", node.url, "--user", "noor", "--days", "7", "--project", "respond"])
    assert sent[0] | {"name": ""} == {
        "username": "noor",
        "password": PASSWORD,
        "name": "",
        "days": 7,
        "scope": "releases",
        "project": "respond",
    }


@pytest.mark.parametrize(
    ("arguments", "typed"), [(["--user", "noor"], "wrong\n"), (["--token-stdin"], "atlas_wrong\n")]
)
def test_who_is_not_let_in_keeps_nothing(node, monkeypatch, capfd, arguments, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert main(["login", node.url, *arguments]) == 3
    assert not config.config_file().exists()
    assert typed.strip() not in "".join(capfd.readouterr())


def test_a_token_from_the_page_is_kept_too_and_forgotten(node, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TOKEN}\n"))
    assert main(["login", node.url, "--token-stdin"]) == 0
    assert main(["ls"]) == 0
    assert main(["logout"]) == 0
    assert not config.config_file().exists()
    assert main(["ls"]) == 3


def test_the_environment_comes_before_what_was_kept(signed_in, monkeypatch) -> None:
    monkeypatch.setenv("ATLAS_TOKEN", "atlas_revoked")
    assert main(["ls"]) == 3
    monkeypatch.setenv("ATLAS_TOKEN", TOKEN)
    assert main(["ls"]) == 0


def test_a_kept_token_is_not_sent_to_another_node(signed_in, capfd) -> None:
    assert main(["ls", "--server", "http://127.0.0.1:9"]) == 3
    assert "There is no token for http://127.0.0.1:9" in capfd.readouterr().err


def test_ls_tells_what_there_is(signed_in, capfd) -> None:
    assert main(["ls"]) == 0
    assert "respond@2" in capfd.readouterr().out
    assert main(["ls", "respond"]) == 0
    told = capfd.readouterr().out
    assert all(word in told for word in ("Second look", "CC BY 4.0", "nifti", "train", "3.0 kB"))
    assert main(["ls", "respond@2", "--files"]) == 0
    assert CT in capfd.readouterr().out
    assert main(["ls", "respond@2", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["number"] == 2


def test_get_fetches_into_a_folder_of_the_releases_name(signed_in, tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["get", "respond@2"]) == 0
    assert (tmp_path / "respond-2" / CT).read_bytes() == signed_in.files[CT]
    assert "6 files fetched" in capfd.readouterr().out
    assert main(["get", "respond@2"]) == 0
    assert "0 files fetched (0 bytes), 6 were there" in capfd.readouterr().out
    assert main(["verify", "respond-2"]) == 0
    assert "All 6 files" in capfd.readouterr().out


def test_choices_go_to_the_node(signed_in, tmp_path) -> None:
    asked = []
    signed_in.before = lambda request: bool(
        asked.append(request.params) if "manifest" in request.place else 0
    )
    to = str(tmp_path / "r")
    choice = ["--formats", "nnunet,seg", "--parts", "train", "--cases", "1,3"]
    assert main(["get", "respond@2", "--to", to, *choice]) == 0
    assert {"formats": "nnunet,seg", "parts": "train", "cases": "1,3"}.items() <= asked[0].items()


# What has to be said first ------------------------------------------------------------------------------


def test_without_a_purpose_nothing_is_fetched(signed_in, tmp_path, capfd) -> None:
    signed_in.use = None
    assert main(["get", "respond@2", "--to", str(tmp_path / "r")]) == 8
    assert "--purpose" in capfd.readouterr().err
    assert signed_in.of_files() == []
    assert main(["get", "respond@2", "--to", str(tmp_path / "r"), "--purpose", "To train."]) == 0
    assert signed_in.stated == [{"purpose": "To train.", "agrees": True}]


def test_an_agreement_is_accepted_by_word_only(signed_in, tmp_path, capfd) -> None:
    signed_in.use, signed_in.agreement = None, "Nobody is to be recognised."
    arguments = ["get", "respond@2", "--to", str(tmp_path / "r"), "--purpose", "To train."]
    assert main(arguments) == 8
    assert "Nobody is to be recognised." in capfd.readouterr().err
    assert signed_in.stated == []
    assert main([*arguments, "--agree"]) == 0
    assert signed_in.stated == [{"purpose": "To train.", "agrees": True}]


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 8), ("", 8)])
def test_a_person_is_asked(signed_in, tmp_path, monkeypatch, answer: str, code: int) -> None:
    signed_in.use, signed_in.agreement = None, "Nobody is to be recognised."
    monkeypatch.setattr(cli, "_is_there", lambda: True)
    answers = iter([answer, "To train."])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert main(["get", "respond@2", "--to", str(tmp_path / "r")]) == code
    assert bool(signed_in.stated) == (code == 0)


# Withdrawn files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "answer", "stays"),
    [
        ([], None, False),
        (["--keep-withdrawn"], None, True),
        ([], "n", True),
        ([], "", False),
        (["--yes"], "n", False),
        (["--keep-withdrawn"], "y", True),
    ],
)
def test_withdrawn_files(signed_in, tmp_path, monkeypatch, capfd, arguments, answer, stays: bool) -> None:
    get = ["get", "respond@2", "--to", str(tmp_path / "r")]
    assert main(get) == 0
    signed_in.withdrawn.add(CT)
    if answer is not None:
        monkeypatch.setattr(cli, "_is_there", lambda: True)
        monkeypatch.setattr("builtins.input", lambda question: answer)
    assert main([*get, *arguments]) == 0
    assert (tmp_path / "r" / CT).exists() is stays
    assert ("still in" in capfd.readouterr().err) is stays


# Exit codes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(400, 2), (401, 3), (403, 4), (404, 4), (302, 5), (418, 5)])
def test_each_answer_has_its_exit_code(signed_in, status: int, code: int, capfd) -> None:
    signed_in.before = lambda request: bool(request.tell(status, {"reason": "Because."}) or True)
    assert main(["ls", "respond@2"]) == code
    assert ("Because." in capfd.readouterr().err) or code == 5


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fetch"],
        ["get"],
        ["get", "respond@2", "--workers", "0"],
        ["get", "respond@2", "--workers", "x"],
        ["get", "respond@2", "--formats", "nifti,"],
        ["get", "respond@2", "--cases", "one"],
    ],
)
def test_what_is_not_understood_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("name", ["respond@0", "respond@x", "../respond@1", "respond@1/..", "@2", "a b@1"])
def test_names_that_are_no_release(signed_in, name: str) -> None:
    assert main(["ls", name]) == 2


def test_verify_exits_with_6_where_something_is_wrong(signed_in, tmp_path, capfd) -> None:
    to = tmp_path / "r"
    main(["get", "respond@2", "--to", str(to)])
    (to / CT).write_bytes(b"spoiled")
    (to / "labels.json").unlink()
    assert main(["verify", str(to)]) == 6
    told = capfd.readouterr().err
    assert f"wrong  {CT}" in told
    assert "missing  labels.json" in told
    assert main(["verify", str(tmp_path / "nothing")]) == 2


def test_ctrl_c_says_how_to_go_on(signed_in, monkeypatch, capfd) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "RemoteRelease", stop)
    assert main(["get", "respond@2"]) == 130
    assert "goes on where this one was" in capfd.readouterr().err


def test_the_client_needs_nothing_of_the_node() -> None:
    """Neither Django nor Atlas, and what is said to be needed is enough."""
    code = (
        "import sys\n"
        "class Refusing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        refused = 'django rest_framework atlas accounts annotations network torch monai'.split()\n"
        "        if name.split('.')[0] in refused: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refusing())\n"
        "import atlas_client, atlas_client.cli, atlas_client.monai\n"
        "print(atlas_client.__version__)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "0.1.0\n", done.stderr
