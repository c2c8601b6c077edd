"""Which node, and the token for it: from the environment, or as `atlas-client login` kept them."""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from atlas_client.errors import AuthError, DiskError

URL_VARIABLE, TOKEN_VARIABLE = "ATLAS_URL", "ATLAS_TOKEN"


@dataclass(frozen=True)
class Login:
    """A node and a token for it. The token is in no text that this object becomes."""

    url: str
    token: str
    expires_at: str = ""

    def __repr__(self) -> str:
        return f"Login({self.url!r})"


def config_file() -> Path:
    """$XDG_CONFIG_HOME/atlas-client/login.json; on Windows in %APPDATA%."""
    base = os.environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME")
    return Path(base or Path.home() / ".config") / "atlas-client" / "login.json"


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/atlas-client; on Windows in %LOCALAPPDATA%."""
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "atlas-client"


def keep(login: Login) -> Path:
    """For later calls, readable by this user alone. Raises DiskError."""
    file = config_file()
    content = json.dumps({"url": login.url, "token": login.token, "expires_at": login.expires_at})
    written = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(content)
        written.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            written.unlink()
        raise DiskError(f"{file} can't be written: {error.strerror}.") from error
    return file


def forget() -> bool:
    """Whether there was something to forget."""
    try:
        config_file().unlink()
    except FileNotFoundError:
        return False
    return True


def login(url: str = "", token: str = "") -> Login:
    """What was given; else the environment's; else what was kept. Raises AuthError where there is nothing."""
    kept = _kept()
    url = url or os.environ.get(URL_VARIABLE, "") or (kept.url if kept else "")
    token = token or os.environ.get(TOKEN_VARIABLE, "")
    if not token and kept and url.rstrip("/") in ("", kept.url.rstrip("/")):
        return kept
    if not url:
        raise AuthError(f"Name a node: `atlas-client login URL`, or {URL_VARIABLE} in the environment.")
    if not token:
        raise AuthError(
            f"There is no token for {url}: run `atlas-client login {url}`, or set {TOKEN_VARIABLE}."
        )
    return Login(url, token)


def _kept() -> Login | None:
    try:
        content = json.loads(config_file().read_text())
        return Login(str(content["url"]), str(content["token"]), str(content.get("expires_at", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
