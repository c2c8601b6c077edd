"""What the documentation names exists: linked files, headings, settings, targets of make, columns, keys."""

import re
from pathlib import Path

import pytest

from annotations.exchange import columns

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]
CODE = ("accounts", "atlas", "annotations", "network", "scripts", "tests")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
VARIABLE = re.compile(r"\bATLAS_[A-Z]+(?:_[A-Z]+)*\b|\bDATABASE_URL\b")
PICTURE_BYTES_MAX = 250_000


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_lead_to_files_and_headings(page: Path):
    broken = []
    for target in LINK.findall(FENCED.sub("", page.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, heading = target.partition("#")
        linked = page.parent / path if path else page
        if not linked.exists() or (heading and heading not in _headings(linked)):
            broken.append(target)
    assert broken == []


def _headings(page: Path) -> set[str]:
    """As GitHub makes addresses of them."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_environment_variable_of_the_code_is_explained_to_administrators():
    files = [ROOT / "manage.py", ROOT / "Makefile"]
    for folder in CODE:
        files += [file for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".sh")]
    used = {name for file in files for name in VARIABLE.findall(file.read_text())}
    explained = set(VARIABLE.findall((ROOT / "docs" / "administrator.md").read_text()))
    assert sorted(used - explained) == []
    assert sorted(explained - used) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_targets_of_make_exist(page: Path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"(?:^ {4}|`)(?:[A-Z_]+=\S+ )*make ([a-z]+)", page.read_text(), re.MULTILINE))
    assert sorted(told - targets) == []


def test_scientists_read_of_every_column_as_it_is():
    """`python -m annotations.exchange.columns` writes them."""
    page = (ROOT / "docs" / "scientist.md").read_text()
    assert columns.documented(page) == page
    assert [name for name in columns.TABLES if columns.BEGIN.format(name) not in page] == []


def test_readers_read_of_every_key_of_the_room():
    source = ROOT / "static" / "viewer" / "src"
    letters = [
        letter
        for folder in ("commands", "tools", "masks")
        for file in (source / folder).glob("*.ts")
        for pair in re.findall(r'\["([a-z])"\]|key: "([a-z])"', file.read_text())
        for letter in pair
        if letter
    ]
    section = (ROOT / "docs" / "reader.md").read_text().partition("### Keys")[2].partition("## Mark")[0]
    assert len(letters) > 15
    assert [letter for letter in letters if f"`{letter.upper()}`" not in section] == []


def test_pictures_are_small_and_shown():
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if target.endswith(".webp")
    }
    pictures = set((ROOT / "docs" / "pictures").iterdir())
    assert pictures == shown
    assert [named(one) for one in pictures if one.stat().st_size >= PICTURE_BYTES_MAX] == []
