"""A node's side: which addresses it calls, and which answers it believes."""

import json

import httpx
import pytest
from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.federation import agent, client, keys, signing, strict_json
from network.federation.client import BadAddress, HubClient, HubRefused, Unreachable

KEY, HUB_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("https://hub.example.org", "https://hub.example.org"),
        (" https://hub.example.org:8443/ ", "https://hub.example.org:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_addresses_that_are_called(written, called):
    assert client.origin_of(written) == called


@pytest.mark.parametrize(
    "written",
    [
        "http://hub.example.org",
        "http://10.0.0.1",
        "http://localhost.example.org",
        "ftp://hub.example.org",
        "hub.example.org",
        "https://user:secret@hub.example.org",
        "https://hub.example.org/path",
        "https://hub.example.org/?a=1",
        "https://hüb.example.org",
        "https://hub example.org",
        "https://hub.example.org:99999",
        "https://",
        "",
    ],
)
def test_addresses_that_are_not(written):
    with pytest.raises(BadAddress) as refusal:
        client.origin_of(written)
    assert str(refusal.value).endswith(".")


def response(status: int, content: bytes = b"", **headers: str) -> httpx.Response:
    """As it comes from a socket: piece by piece, not in memory yet."""

    async def pieces():
        for start in range(0, len(content), 100):
            yield content[start : start + 100]

    return httpx.Response(status, headers=headers, content=pieces())


def answering(answer):
    """A client whose hub is this function."""
    made = HubClient("https://hub.example.org")
    made._http = httpx.AsyncClient(
        base_url=made.origin, transport=httpx.MockTransport(answer), headers=made._http.headers
    )
    return made


def call(answer) -> dict:
    async def called() -> dict:
        async with answering(answer) as hub:
            return await hub.call("fetch", {"wait_s": 0}, key=KEY, hub_key=keys.public_hex(HUB_KEY))

    return async_to_sync(called)()


def signed(request: httpx.Request, said: object, *, status: int = 200, key=HUB_KEY, nonce: str = ""):
    asked = signing.Request(request.method, str(request.url), dict(request.headers))
    body = json.dumps(said).encode()
    answer = signing.Answer(status, {"content-type": "application/json"}, asked)
    signing.sign_answer(answer, body, key, nonce=nonce or signing.verify_request(asked).nonce)
    return response(status, body, **answer.headers)


def test_an_answer_that_the_hub_signed_is_believed():
    assert call(lambda request: signed(request, {"messages": []})) == {"messages": []}


def test_a_request_of_the_client_is_one_that_the_hub_trusts():
    def hub(request: httpx.Request) -> httpx.Response:
        asked = signing.Request(request.method, str(request.url), dict(request.headers))
        found = signing.verify_request(asked)
        signing.require_body(asked, found, request.content)
        assert found.key == keys.public_hex(KEY)
        assert request.headers["accept-encoding"] == "identity"
        return signed(request, {"path": request.url.path})

    assert call(hub) == {"path": "/federation/fetch/"}


@pytest.mark.parametrize(
    "lie",
    [
        lambda request: response(200, b'{"messages":[]}'),
        lambda request: signed(request, {}, key=KEY),
        lambda request: signed(request, {}, nonce="another-nonce-than-asked"),
    ],
    ids=["unsigned", "another key", "another request"],
)
def test_other_answers_are_not(lie):
    with pytest.raises(signing.Untrusted):
        call(lie)


def test_an_answer_that_was_altered_on_the_way_is_not():
    def altered(request: httpx.Request) -> httpx.Response:
        answer = signed(request, {"messages": []})
        return response(200, b'{"messages":[1]}', **answer.headers)

    with pytest.raises(signing.Untrusted, match="body"):
        call(altered)


def test_an_answer_without_an_end_is_cut(monkeypatch):
    monkeypatch.setattr(client, "ANSWER_BYTES_MAX", 1000)
    with pytest.raises(Unreachable, match="larger"):
        call(lambda request: response(200, b"x" * 2000))


def test_a_redirect_is_not_followed():
    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "hub.example.org"
        return response(302, location="http://169.254.169.254/")

    with pytest.raises(HubRefused):
        call(elsewhere)


def test_a_refusal_is_the_hubs_sentence_in_printable_letters():
    with pytest.raises(HubRefused, match=r"^Suspended\. \[2J$") as refusal:
        call(lambda request: signed(request, {"reason": "Suspended.\x1b[2J"}, status=403))
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectTimeout("x"), "firewall"),
        (httpx.ReadTimeout("x"), "too long"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "certificate"),
        (httpx.ConnectError("refused"), "reached"),
        (httpx.RemoteProtocolError("x"), "broke"),
    ],
)
def test_trouble_on_the_way_is_told_in_words(error, said):
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Unreachable, match=said):
        call(fail)


def test_an_address_that_answers_as_no_hub_does_is_told_of():
    async def asked() -> object:
        async with answering(lambda request: response(200, b'{"name":"A shop"}')) as hub:
            return await hub.identity()

    with pytest.raises(strict_json.Malformed, match="not as a hub"):
        async_to_sync(asked)()


def test_pauses_grow_to_a_minute_and_are_never_in_step():
    backoff = agent.Backoff()
    pauses = [backoff.next_pause_s() for _ in range(12)]
    for at, pause in enumerate(pauses):
        longest = min(60, 2**at)
        assert longest / 2 <= pause <= longest
    assert len(set(pauses)) == len(pauses)
    backoff.reset()
    assert backoff.next_pause_s() <= 1
