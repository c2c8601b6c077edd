"""Pages in the reader's language: which one, and that no text of ours is missing in it."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation.template import templatize

from tests.cast import person, signed_in

ROOT = Path(settings.BASE_DIR)
APPS = ("accounts", "annotations", "atlas", "network")
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]

pytestmark = pytest.mark.django_db


def catalogue(language: str) -> dict[str, str]:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        read = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    # Of words that are counted, the form for one.
    return {key[0] if isinstance(key, tuple) else key: text for key, text in reversed(read.items())}


def said_by_templates() -> set[str]:
    """What templates ask for, also the words that `plural` counts."""
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        source = path.read_text()
        for words in re.findall(r'plural:"([^",]+),[^"]+"', source):
            found.add(words)
        # Django's own extractor leaves calls of gettext between lines of X.
        for quoted in re.findall(r"gettext\(u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", templatize(source)):
            found.add(ast.literal_eval(quoted))
        for quoted in re.findall(r"\b_\(('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", source):
            found.add(ast.literal_eval(quoted))
    return found


def said_by_code() -> set[str]:
    found: set[str] = set()
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            first = call.args[0] if call.args else None
            if name in CALLS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_of_a_page_is_missing(language: str) -> None:
    said = said_by_templates() | said_by_code()
    assert len(said) > 700  # the search itself works
    missing = sorted(text for text in said if not catalogue(language).get(text))
    assert missing == [], f"run manage.py makemessages -l {language}, translate, then compilemessages"


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_was_written(language: str) -> None:
    source = (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text()
    pairs = re.findall(
        r'^(?:msgctxt "(.+)"\n)?msgid "(.+)"\n(?:msgid_plural ".*"\n)?msgstr(?:\[0\])? "(.*)"$', source, re.M
    )
    compiled = catalogue(language)
    for context, quoted, text in pairs:
        key = ast.literal_eval(f'"{quoted}"')
        key = f"{context}\x04{key}" if context else key  # as gettext keeps it
        assert compiled.get(key) == ast.literal_eval(f'"{text}"'), key


def test_a_stranger_gets_the_language_of_their_browser() -> None:
    answer = Client().get("/sign-in/", headers={"accept-language": "es-MX,es;q=0.9,en;q=0.5"})
    assert '<html lang="es"' in answer.content.decode()
    assert "Contraseña olvidada" in answer.content.decode()
    assert 'lang="en"' in Client().get("/sign-in/").content.decode()
    assert 'lang="en"' in Client().get("/sign-in/", headers={"accept-language": "tlh"}).content.decode()


def test_a_persons_own_language_comes_before_the_browsers() -> None:
    user = person("nina", "Nina", "Berg")
    client = signed_in(user)
    client.post("/account/", {"first_name": "Nina", "last_name": "Berg", "theme": "system", "language": "es"})
    page = client.get("/account/", headers={"accept-language": "en"}).content.decode()
    assert "Su cuenta" in page
    assert "Su cuenta ha cambiado." in page
    client.post("/account/", {"first_name": "Nina", "last_name": "Berg", "theme": "system", "language": ""})
    assert "Your account" in client.get("/account/", headers={"accept-language": "en"}).content.decode()


def test_one_request_leaves_its_language_to_no_other() -> None:
    assert "Contraseña" in Client().get("/sign-in/", headers={"accept-language": "es"}).content.decode()
    assert "Password" in Client().get("/sign-in/").content.decode()
