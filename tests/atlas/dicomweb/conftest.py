"""The node's ASGI application on a port of its own, in a thread, and real DICOMweb clients of its people."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
import uvicorn
from dicomweb_client import DICOMwebClient

from accounts.models import User
from accounts.services.tokens import make_token
from atlas import access
from atlas.dicomweb import pixels, remembered


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """Each test begins without remembered decisions."""
    pixels._decisions.clear()
    access._remembered.clear()
    remembered.forget_everything()


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    from atlas.asgi import application

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


type Get = Callable[..., requests.Response]


@pytest.fixture
def token() -> Callable[[User], dict[str, str]]:
    """Headers that prove who someone is."""

    def token(user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {make_token(by=user)[1]}"}

    return token


@pytest.fixture
def get(origin, token, manager) -> Get:
    """GET an address as the data manager, or as `user`; None is nobody."""
    tokens = {}

    def get(
        path: str, *, user: User | None = manager, method: str = "GET", **headers: str
    ) -> requests.Response:
        if user is not None and user.pk not in tokens:
            tokens[user.pk] = token(user)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        own = tokens[user.pk] if user is not None else {}
        return requests.request(method, origin + path, headers={**own, **sent}, timeout=30)

    return get


@pytest.fixture
def client(origin, token, manager) -> DICOMwebClient:
    """dicomweb-client as the data manager."""
    return DICOMwebClient(f"{origin}/dicomweb", headers=token(manager))
