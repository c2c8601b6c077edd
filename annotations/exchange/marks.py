"""One accepted mark as it leaves the node: its value, its label, its voxels and what they measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from annotations.exchange.codes import Code, type_of
from annotations.exchange.source import FrameKey, SourceSeries

SEGMENT = "segment"


@dataclass(frozen=True)
class Mark:
    """`value` is the journal's; `label` the schema's; `planes` the voxels of a segment by frame.

    `numbers` are the measurements by name, the unit in the name; `problem` says why one is missing.
    """

    identity: UUID
    value: Mapping[str, Any]
    label: Mapping[str, Any]
    source: SourceSeries
    planes: Mapping[FrameKey, bytes] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    estimated: bool = False
    problem: str = ""
    changed: bool | None = None
    """Of a mark that came with the images: whether its reader changed it since they took it over."""

    @property
    def kind(self) -> str:
        return str(self.value["kind"])

    @property
    def state(self) -> str:
        return str(self.value.get("state") or "present")

    @property
    def meaning(self) -> Code:
        return type_of(self.label)

    @property
    def becomes_mask(self) -> bool:
        """Segments do, also empty ones that say “looked, nothing there”; not those that nobody assessed."""
        return self.kind == SEGMENT and (self.state != "not_assessed" or bool(self.planes))
