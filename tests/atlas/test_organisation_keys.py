"""Keys of organisations: one each, made once, private, and never silently replaced."""

import stat
import threading

import pytest
from django.conf import settings

from atlas.archive import keys
from atlas.archive.keys import KeyUnusable, organisation_key
from atlas.models import Dataset
from tests.cast import study_of


@pytest.fixture(autouse=True)
def forget_keys():
    keys._remembered.cache_clear()


def path_of(organisation):
    return settings.KEYS_DIR / f"{organisation.public_id}.key"


def test_a_key_is_made_when_it_is_first_needed_and_stays(organisation):
    first = organisation_key(organisation)
    keys._remembered.cache_clear()
    assert len(first) == 32
    assert organisation_key(organisation) == first
    assert stat.S_IMODE(path_of(organisation).stat().st_mode) == 0o600
    assert list(settings.KEYS_DIR.glob("*.partial")) == []


def test_processes_that_ask_at_once_get_the_same_key(organisation):
    found = []

    def make() -> None:
        keys.make_secret(path_of(organisation))
        found.append(path_of(organisation).read_text())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_lost_key_is_not_replaced_once_images_depend_on_it(organisation):
    dataset = Dataset.objects.create(
        organisation=organisation, name="Door", slug="door", deidentification="at_the_door"
    )
    organisation_key(organisation)
    study_of(dataset, "A1")
    path_of(organisation).unlink()
    keys._remembered.cache_clear()
    with pytest.raises(KeyUnusable, match="Restore it"):
        organisation_key(organisation)
    assert not path_of(organisation).exists()


@pytest.mark.parametrize("content", ["", "abcd", "not hexadecimal", "00" * 33])
def test_a_damaged_key_is_refused_in_a_sentence(organisation, content):
    path_of(organisation).parent.mkdir(parents=True, exist_ok=True)
    path_of(organisation).write_text(content)
    with pytest.raises(KeyUnusable, match=r"key file .* Restore it"):
        organisation_key(organisation)
