"""Label schemas: what readers may mark and answer, version by version."""

from annotations.reading.schemas.labels import COLORS, KINDS, LABELS_MAX
from annotations.reading.schemas.versions import current_schema, draft_of, schemas_of, write_schema

__all__ = [
    "COLORS",
    "KINDS",
    "LABELS_MAX",
    "current_schema",
    "draft_of",
    "schemas_of",
    "write_schema",
]
