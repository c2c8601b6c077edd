"""What a request accepts: media types with their parameters, best first (RFC 9110 12.5.1, PS3.18 8.7)."""

import re
from dataclasses import dataclass, field

JSON_TYPES = {"application/dicom+json", "application/json", "application/*", "*/*"}
MEDIA_MAX = 50

_PARAMETER = re.compile(r';\s*([a-zA-Z0-9-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s"]*)')
_ENTRY = re.compile(rf"\s*([^\s;,]+)((?:\s*{_PARAMETER.pattern})*)\s*(?:;\s*)?(?:,|$)")


@dataclass(frozen=True, slots=True)
class Media:
    """One entry of an Accept header. `type` is lower case; of multipart/related `part` is its parts' type."""

    type: str
    part: str = ""
    transfer_syntax: str = ""
    quality: float = 1.0
    others: dict[str, str] = field(default_factory=dict)


def accepted(header: str) -> list[Media]:
    """The entries of an Accept header, best first; an empty or unreadable one accepts anything."""
    found = []
    for match in list(_ENTRY.finditer(header))[:MEDIA_MAX]:
        parameters = {
            name.lower(): value.strip('"').strip() for name, value in _PARAMETER.findall(match[2] or "")
        }
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 1.0
        if quality <= 0:
            continue
        found.append(
            Media(
                match[1].lower(),
                parameters.pop("type", "").lower(),
                parameters.pop("transfer-syntax", ""),
                quality,
                parameters,
            )
        )
    if not found:
        return [Media("*/*")]
    return sorted(found, key=lambda media: -media.quality)


def accepts_json(header: str) -> bool:
    return any(media.type in JSON_TYPES for media in accepted(header))
