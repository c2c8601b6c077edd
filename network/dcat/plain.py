"""Text and addresses that may stand in a description, whoever wrote them: other nodes are not trusted.

Nothing here is about RDF's syntax: writers escape. This keeps out what no catalogue should carry, such as
controls, text that turns the reading direction of what follows, and addresses that run a script.
"""

import re
import unicodedata
from urllib.parse import quote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

ADDRESS_LENGTH_MAX = 500

# Bidirectional controls: they make text read otherwise than it is stored.
_TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_KINDS = {"Cc", "Cs", "Cn", "Co"}  # controls, halves of surrogate pairs, unassigned, private
_NOT_IN_ADDRESSES = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f]")
_SAFE_IN_ADDRESSES = "%/:?#[]@!$&'()*+,;=-._~"


def text(value: object, *, length_max: int = 5000, lines: bool = False) -> str:
    """What a person can read of it: "" if it isn't text. New lines stay only if `lines` may be many."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isprintable():  # most are, and there are many
        return " ".join(value.split())[:length_max].strip()
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
        if character in "\n\t"
        or (character not in _TURNS_TEXT and unicodedata.category(character) not in _REFUSED_KINDS)
    )
    if lines:
        kept = "\n".join(" ".join(line.split()) for line in kept.split("\n")).strip()
    else:
        kept = " ".join(kept.split())
    return kept[:length_max].strip()


def web_address(value: object) -> str:
    """An absolute http or https address without a password in it, percent-encoded; "" if it is none."""
    if not isinstance(value, str):
        return ""
    address = value.strip()
    if not address or len(address) > ADDRESS_LENGTH_MAX or _NOT_IN_ADDRESSES.search(address):
        return ""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # UnicodeError is one
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host or parts.username is not None:
        return ""
    if not re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-fA-F:]+", host):
        return ""
    host = f"[{host}]" if ":" in host else host
    rest = address.split("://", 1)[1][len(parts.netloc) :]
    return f"{parts.scheme.lower()}://{host}{port}{quote(rest, safe=_SAFE_IN_ADDRESSES)}"


def mail_address(value: object) -> str:
    """An e-mail address; "" if it is none."""
    if not isinstance(value, str) or len(value) > 254:
        return ""
    try:
        validate_email(value.strip())
    except ValidationError:
        return ""
    return value.strip()
