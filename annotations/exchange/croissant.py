"""Writes Croissant 1.1: what a release holds, for programs that load data sets.

Specifications: mlcommons.org/croissant/1.1 and mlcommons.org/croissant/RAI/1.0. Paths are relative to the
document, so it describes a downloaded folder as it lies there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.exchange.columns import Column, Table

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        term: f"cr:{term}"
        for term in (
            *(
                "annotation",
                "arrayShape",
                "citeAs",
                "column",
                "containedIn",
                "equivalentProperty",
                "excludes",
            ),
            *("extract", "field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray"),
            *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "readLines", "recordSet"),
            *("references", "regex", "repeated", "replace", "samplingRate", "sdVersion", "separator"),
            *("source", "subField", "transform", "unArchive", "value"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]

DATA_TYPES = {
    "text": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
}
ENCODINGS = {
    ".csv": "text/csv",
    ".dcm": "application/dicom",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".nii.gz": "application/gzip",
    ".parquet": "application/x-parquet",
    ".png": "image/png",
    ".txt": "text/plain",
    ".zip": "application/zip",
}
LICENCES = {
    "cc0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    **{
        f"cc {kind} {version}": f"https://creativecommons.org/licenses/{kind}/{version}/"
        for kind in ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
        for version in ("3.0", "4.0")
    },
}
NO_LICENCE = "No licence is stated: ask the publisher before any use."


@dataclass(frozen=True)
class File:
    """One file by its path in the release."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class FileSet:
    """Files of one kind, by a pattern of their paths."""

    name: str
    pattern: str
    count: int
    description: str


@dataclass(frozen=True)
class About:
    """What the document says of the whole. `rai`: by property without its prefix."""

    name: str
    title: str
    description: str
    version: str
    published: str
    url: str
    licence: str
    citation: str
    creators: Sequence[str]
    keywords: Sequence[str] = ()
    rai: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


def document(
    about: About, files: Iterable[File], sets: Iterable[FileSet], tables: Mapping[str, Table]
) -> dict[str, Any]:
    """`tables`: by the path of the file, one of `files`, that holds its rows as Parquet."""
    organisations = [{"@type": "sc:Organization", "name": name} for name in about.creators]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "alternateName": about.title,
        "description": about.description,
        "url": about.url,
        "version": about.version,
        "datePublished": about.published,
        "license": licence_of(about.licence),
        "citeAs": about.citation,
        "creator": organisations,
        "publisher": organisations[:1],
        "inLanguage": "en",
        "keywords": list(about.keywords),
        "isLiveDataset": False,
        **{f"rai:{name}": value for name, value in about.rai.items() if value},
        "distribution": [*map(_file, files), *map(_file_set, sets)],
        "recordSet": [_record_set(table, path) for path, table in tables.items()],
    }


def licence_of(written: str) -> str:
    """The address of a licence that is known, else what was written."""
    known = " ".join(written.lower().replace("-", " ").split()).replace("by ", "by-")
    for name, address in LICENCES.items():
        if " ".join(name.replace("-", " ").split()).replace("by ", "by-") == known:
            return address
    return written or NO_LICENCE


def encoding_of(path: str) -> str:
    ending = next((one for one in sorted(ENCODINGS, key=len, reverse=True) if path.endswith(one)), "")
    return ENCODINGS.get(ending, "application/octet-stream")


def _file(file: File) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "contentSize": f"{file.size} B",
        "encodingFormat": encoding_of(file.path),
        "sha256": file.sha256,
    }


def _file_set(one: FileSet) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": one.name,
        "name": one.name,
        "description": f"{one.description} Files: {one.count}. The manifest has the SHA-256 of each.",
        "encodingFormat": encoding_of(one.pattern),
        "includes": one.pattern,
    }


def _record_set(table: Table, path: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": f"One record: {table.row}.",
        "key": [{"@id": f"{table.name}/{name}"} for name in table.key],
        "field": [_field(table, column, path) for column in table.columns],
    }


def _field(table: Table, column: Column, path: str) -> dict[str, Any]:
    values = "; ".join(f"{value}: {meaning}" for value, meaning in column.values)
    told = [
        column.meaning,
        f"Unit: {column.unit}" if column.unit else "",
        f"Values: {values}" if values else "",
    ]
    return {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": ". ".join(part for part in told if part),
        "dataType": DATA_TYPES[column.kind],
        "source": {"fileObject": {"@id": path}, "extract": {"column": column.name}},
    }
