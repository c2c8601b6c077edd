"""What is signed between nodes can't be changed, kept, sent again or made up by anybody else."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519

from network.federation import keys, signing
from network.federation.signing import Answer, Request, Untrusted

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HUB_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
BODY = b'{"confirmed":{},"wait_s":25}'
URL = "https://hub.example.org/federation/fetch/?a=1"


def signed(body: bytes = BODY) -> tuple[Request, str]:
    request = Request("POST", URL, {"content-type": "application/json"})
    return request, signing.sign_request(request, body, KEY)


def answered(request: Request, nonce: str, body: bytes = b"{}") -> Answer:
    answer = Answer(200, {"content-type": "application/json"}, request)
    signing.sign_answer(answer, body, HUB_KEY, nonce=nonce)
    return answer


def signed_by_hand(
    *,
    created: datetime,
    life_s: int = 60,
    covers: tuple[str, ...] = signing.REQUEST_COVERS,
    nonce: str | None = "n" * 20,
    **options,
) -> Request:
    request = Request("POST", URL, {"content-type": "application/json"})
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=signing._Keys(private=KEY)).sign(
        request,
        key_id=keys.public_hex(KEY),
        created=created,
        expires=created + timedelta(seconds=life_s),
        nonce=nonce,
        tag=options.get("tag", signing.TAG),
        label="atlas",
        covered_component_ids=covers,
        body=BODY if "content-digest" in covers else None,
    )
    request.headers = {name.lower(): value for name, value in request.headers.items()}
    return request


def test_a_signature_is_that_of_rfc_9421_worked_out_by_hand():
    request, nonce = signed()
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert request.headers["content-digest"] == f"sha-256=:{digest}:"
    parameters = request.headers["signature-input"].removeprefix("atlas=")
    base = "\n".join(
        [
            '"@method": POST',
            '"@authority": hub.example.org',
            '"@path": /federation/fetch/',
            '"@query": ?a=1',
            '"content-type": application/json',
            f'"content-digest": sha-256=:{digest}:',
            f'"@signature-params": {parameters}',
        ]
    )
    signature = base64.b64decode(re.fullmatch(r"atlas=:(.*):", request.headers["signature"])[1])
    KEY.public_key().verify(signature, base.encode())
    assert f'nonce="{nonce}"' in parameters
    assert f'keyid="{keys.public_hex(KEY)}"' in parameters


def test_a_signed_request_is_trusted_and_says_who_sent_it():
    request, nonce = signed()
    found = signing.verify_request(request)
    signing.require_body(request, found, BODY)
    assert (found.key, found.nonce) == (keys.public_hex(KEY), nonce)
    assert found.expires - found.created == signing.LIFE


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"url": URL.replace("fetch", "leave")},
        {"url": URL.replace("a=1", "a=2")},
        {"url": URL.replace("hub.", "other.")},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {"content-digest": "sha-256=:" + base64.b64encode(bytes(32)).decode() + ":"}},
    ],
)
def test_an_altered_request_is_not(change):
    request, _ = signed()
    for name, value in change.items():
        setattr(request, name, {**request.headers, **value} if name == "headers" else value)
    with pytest.raises(Untrusted, match="altered"):
        signing.verify_request(request)


def test_nor_is_another_body():
    request, _ = signed()
    found = signing.verify_request(request)
    with pytest.raises(Untrusted, match="body"):
        signing.require_body(request, found, BODY + b" ")


@pytest.mark.parametrize("left_out", signing.REQUEST_COVERS)
def test_a_signature_that_leaves_something_out_is_refused(left_out):
    covers = tuple(each for each in signing.REQUEST_COVERS if each != left_out)
    request = signed_by_hand(created=datetime.now(UTC), covers=covers)
    with pytest.raises(Untrusted):
        signing.verify_request(request)


@pytest.mark.parametrize(("ago_s", "said"), [(-300, "in the future"), (300, "too old")])
def test_clocks_that_are_apart_are_told_of_in_a_sentence(ago_s, said):
    request = signed_by_hand(created=datetime.now(UTC) - timedelta(seconds=ago_s))
    with pytest.raises(Untrusted, match=said) as refusal:
        signing.verify_request(request)
    assert re.search(r"\b(29|30)\d seconds apart", str(refusal.value))
    assert "NTP" in str(refusal.value)


def test_clocks_may_be_two_minutes_apart():
    for ago_s in (-110, 110):
        signing.verify_request(signed_by_hand(created=datetime.now(UTC) - timedelta(seconds=ago_s)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"life_s": 3600}, "at most 300 seconds"),
        ({"life_s": -1}, "at most 300 seconds"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "short"}, "nonce"),
        ({"nonce": "with spaces in it ok"}, "nonce"),
        ({"tag": "another-application"}, "isn't signed"),
    ],
)
def test_what_a_signature_has_to_say(wrong, said):
    with pytest.raises(Untrusted, match=said):
        signing.verify_request(signed_by_hand(created=datetime.now(UTC), **wrong))


def test_an_unknown_key_is_refused():
    request, _ = signed()
    with pytest.raises(Untrusted, match="isn't known"):
        signing.verify_request(request, is_known=lambda key: False)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"signature": "atlas=:AAAA:"},
        {"signature-input": "atlas=(", "signature": "atlas=:AAAA:"},
        {"signature-input": "é", "signature": "é"},
        {"signature-input": "a" * 5000, "signature": "atlas=:AAAA:"},
    ],
)
def test_headers_that_are_no_signature_end_in_a_sentence(headers):
    with pytest.raises(Untrusted) as refusal:
        signing.verify_request(Request("POST", URL, {"content-type": "application/json", **headers}))
    assert str(refusal.value).endswith(".")


def test_a_signature_can_be_of_another_algorithm_in_name_only():
    request, _ = signed()
    request.headers["signature-input"] = request.headers["signature-input"].replace(
        '"ed25519"', '"hmac-sha256"'
    )
    with pytest.raises(Untrusted):
        signing.verify_request(request)


def test_an_answer_counts_for_its_request_only():
    request, nonce = signed()
    other, other_nonce = signed()
    answer = answered(request, nonce)
    hub_key = keys.public_hex(HUB_KEY)
    signing.verify_answer(answer, b"{}", public_key=hub_key, nonce=nonce)
    with pytest.raises(Untrusted, match="altered"):
        signing.verify_answer(
            Answer(200, answer.headers, other), b"{}", public_key=hub_key, nonce=other_nonce
        )
    # Even where somebody says so who can't sign.
    with pytest.raises(Untrusted, match="another request"):
        signing.verify_answer(answer, b"{}", public_key=hub_key, nonce=other_nonce)


def test_an_answer_of_somebody_else_or_an_altered_one_is_none():
    request, nonce = signed()
    answer = answered(request, nonce)
    hub_key = keys.public_hex(HUB_KEY)
    with pytest.raises(Untrusted, match="isn't known"):
        signing.verify_answer(answer, b"{}", public_key=keys.public_hex(KEY), nonce=nonce)
    with pytest.raises(Untrusted, match="body"):
        signing.verify_answer(answer, b'{"x":1}', public_key=hub_key, nonce=nonce)
    with pytest.raises(Untrusted, match="altered"):
        signing.verify_answer(Answer(503, answer.headers, request), b"{}", public_key=hub_key, nonce=nonce)


def test_both_keys_sign_where_a_node_brings_a_new_one():
    request, _ = signed()
    new = Ed25519PrivateKey.generate()
    signing.sign_with_new_key(request, BODY, new)
    assert signing.verify_request(request).key == keys.public_hex(KEY)
    assert signing.verify_request(request, tag=signing.NEW_KEY_TAG).key == keys.public_hex(new)
    assert signing.claimed_key(request) == keys.public_hex(KEY)


def test_a_fingerprint_is_short_enough_to_be_read_out():
    text = keys.fingerprint(keys.public_hex(KEY))
    assert re.fullmatch(r"([0-9a-f]{4} ){7}[0-9a-f]{4}", text)
    assert text.replace(" ", "") == hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest()[:32]
