"""Label schemas: what readers may mark and answer, version by version."""

from annotations.reading.schemas.versions import (
    COLORS,
    KINDS,
    LABELS_MAX,
    current_schema,
    schemas_of,
    write_schema,
)

__all__ = ["COLORS", "KINDS", "LABELS_MAX", "current_schema", "schemas_of", "write_schema"]
