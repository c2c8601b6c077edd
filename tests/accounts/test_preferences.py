"""A person's own settings: kept for them alone, small, and nothing in them breaks the store."""

import json

import pytest
from django.test import Client

from accounts.models import Preference, User
from tests.cast import signed_in

PREFERENCES = "/api/v1/me/preferences/"


def put(user: User, body: object):
    return signed_in(user).put(PREFERENCES, json.dumps(body), content_type="application/json")


def test_a_setting_is_there_again_and_the_others_stay(owner):
    assert signed_in(owner).get(PREFERENCES).json() == {}
    assert put(owner, {"keys": {"view.invert": ["k"]}, "tour": 1}).status_code == 200
    assert put(owner, {"tour": None, "layout": [2, 2]}).json() == {
        "keys": {"view.invert": ["k"]},
        "layout": [2, 2],
    }
    assert signed_in(owner).get(PREFERENCES).json()["layout"] == [2, 2]


def test_nobody_sees_or_changes_anothers_settings(owner, member):
    put(owner, {"mouse": {"left": "pan"}})
    put(member, {"mouse": {"left": "zoom"}})
    assert signed_in(owner).get(PREFERENCES).json() == {"mouse": {"left": "pan"}}
    assert Client().get(PREFERENCES).status_code == 401


def test_the_language_is_a_known_one_and_kept_with_the_account(owner):
    assert put(owner, {"language": "es"}).json() == {"language": "es"}
    owner.refresh_from_db()
    assert owner.language == "es"
    assert Preference.objects.get(user=owner).values == {}
    assert put(owner, {"language": "tlh"}).status_code == 400
    assert put(owner, {"language": None}).json() == {}


@pytest.mark.parametrize(
    "body",
    [
        '["keys"]',
        '"keys"',
        "null",
        '{"": 1}',
        '{"Keys": 1}',
        '{"a b": 1}',
        '{"keys": "\\u0000"}',
        '{"keys": {"\\u0000": 1}}',
        '{"keys": "\\ud800"}',
        '{"keys": 1e999}',
        '{"keys": NaN}',
        '{"language": ["es"]}',
        json.dumps({"keys": "x" * 70_000}),
        json.dumps({f"k{n}": n for n in range(201)}),
        '{"keys": ' + "[" * 20 + "]" * 20 + "}",
    ],
)
def test_what_cant_be_kept_is_refused_and_changes_nothing(owner, body):
    put(owner, {"tour": 1})
    answer = signed_in(owner).put(PREFERENCES, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["reason"]
    assert signed_in(owner).get(PREFERENCES).json() == {"tour": 1}
