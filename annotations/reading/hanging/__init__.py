"""How a case opens: which series hangs in which pane. A project's own protocols come first."""

from annotations.reading.hanging.built_in import BUILT_IN
from annotations.reading.hanging.images import images_of
from annotations.reading.hanging.matching import (
    EARLIEST,
    LAST,
    CaseImages,
    Hung,
    Place,
    Protocol,
    Rules,
    Shown,
    Wanted,
    hang,
    hung_by,
)
from annotations.reading.hanging.protocols import (
    as_protocol,
    checked,
    move_protocol,
    protocol_or_404,
    protocols_of,
    remove_protocol,
    tried_in,
    write_protocol,
)

__all__ = [
    "BUILT_IN",
    "EARLIEST",
    "LAST",
    "CaseImages",
    "Hung",
    "Place",
    "Protocol",
    "Rules",
    "Shown",
    "Wanted",
    "as_protocol",
    "checked",
    "hang",
    "hung_by",
    "images_of",
    "move_protocol",
    "protocol_or_404",
    "protocols_of",
    "remove_protocol",
    "tried_in",
    "write_protocol",
]
