"""The folder installs as any package does, into an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import atlas_client

CLIENT = Path(__file__).resolve().parents[1]


IN_REPOSITORY = "git+$ATLAS_REPOSITORY#subdirectory=client"


@pytest.mark.parametrize("source", [str(CLIENT), IN_REPOSITORY], ids=["the folder", "the repository"])
def test_it_installs_and_runs_without_atlas_beside_it(source: str, tmp_path: Path) -> None:
    """What it needs is not fetched again: it is looked for where the tests have it."""
    if source == IN_REPOSITORY:
        assert f'pip install "{source}"' in (CLIENT / "README.md").read_text()
        if not (CLIENT.parent / ".git").exists():
            pytest.skip("These files are in no repository.")
        source = source.replace("$ATLAS_REPOSITORY", CLIENT.parent.as_uri())
    place = tmp_path / "environment"
    venv.create(place, with_pip=True)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    install = [
        programs / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]
    done = subprocess.run([*install, source], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    ask = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 60}
    told = subprocess.run([programs / "atlas-client", "--version"], **ask)
    assert told.stdout.strip() == atlas_client.__version__, told.stderr
    where = subprocess.run(
        [programs / "python", "-c", "import atlas_client; print(atlas_client.__file__)"], **ask
    )
    assert str(place) in where.stdout, where.stderr


def test_it_asks_for_all_that_it_imports() -> None:
    """Of the packages in its files, each is Python's own or among its dependencies."""
    import ast

    import tomllib

    told = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    asked = [
        *told["dependencies"],
        *(one for extra in told["optional-dependencies"].values() for one in extra),
    ]
    known = {one.partition(">")[0] for one in asked} | {"atlas_client", *sys.stdlib_module_names}
    found = set()
    for file in (CLIENT / "atlas_client").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    assert len(found) > 20
    assert found <= known
