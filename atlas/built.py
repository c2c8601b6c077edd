"""The programs that Vite built from static/viewer, by the names that its manifest gives them.

Their addresses carry a hash of what they hold, so browsers keep them for good.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static


@dataclass(frozen=True)
class Program:
    """Addresses of a script, or of a style sheet, and of the scripts that it imports, however deep."""

    address: str
    imports: tuple[str, ...]


def program(source: str) -> Program | None:
    """What was built from `source`, as "src/main.tsx"; None where it isn't built."""
    file = settings.BASE_DIR / "static" / "dist" / "manifest.json"
    try:
        made_at = file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read(file, made_at).get(source)


@lru_cache(maxsize=4)
def _read(file: Path, _made_at: int) -> dict[str, Program]:
    parts = json.loads(file.read_text())

    def imports(source: str) -> dict[str, None]:
        found: dict[str, None] = {}
        for name in parts[source].get("imports", []):
            found |= {_address(parts[name]["file"]): None} | imports(name)
        return found

    return {
        source: Program(_address(part["file"]), tuple(imports(source)))
        for source, part in parts.items()
        if part.get("isEntry")
    }


def _address(name: str) -> str:
    return static(f"dist/{name}")
