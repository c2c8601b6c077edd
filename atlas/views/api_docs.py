"""The page that documents the API, made from its schema: no script, so the strict CSP stays as it is."""

from dataclasses import dataclass, field
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass
class Field:
    """One value that is sent or answered."""

    name: str
    kind: str
    required: bool
    note: str


@dataclass
class Operation:
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: list[Field]
    answers: list[tuple[str, str, list[Field]]]  # status, note, fields


@dataclass
class Subject:
    """The operations whose addresses begin alike."""

    title: str
    slug: str
    operations: list[Operation] = field(default_factory=list)


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    return render(request, "network/api_docs.html", {"subjects": _subjects_of_this_node()})


@cache
def _subjects_of_this_node() -> list[Subject]:
    """Made once a process: the code that it describes doesn't change either."""
    return subjects(SchemaGenerator().get_schema(request=None, public=True))


def subjects(schema: dict) -> list[Subject]:
    """The OpenAPI document, arranged for reading."""
    found: dict[str, Subject] = {}
    for path, item in sorted(schema["paths"].items()):
        first = path.removeprefix("/api/v1/").split("/")[0]
        subject = found.setdefault(first, Subject(first.capitalize(), first))
        subject.operations += [
            _operation(method, path, item[method], schema) for method in METHODS if method in item
        ]
    return list(found.values())


def _operation(method: str, path: str, facts: dict, schema: dict) -> Operation:
    words = (facts.get("description") or "").strip()
    summary, _, rest = words.partition("\n\n")
    return Operation(
        method=method.upper(),
        path=path,
        summary=facts.get("summary") or " ".join(summary.split()),
        description=" ".join(rest.split()),
        parameters=[_parameter(one) for one in facts.get("parameters", [])],
        body=_fields_of_content(facts.get("requestBody", {}).get("content", {}), schema),
        answers=[
            (status, "" if (note := answer.get("description", "")) == "No response body" else note,
             _fields_of_content(answer.get("content", {}), schema))
            for status, answer in facts.get("responses", {}).items()
        ],
    )  # fmt: skip


def _parameter(facts: dict) -> Field:
    where = "in the address" if facts["in"] == "path" else "query"
    kind = f"{_kind(facts.get('schema', {}))}, {where}"
    return Field(facts["name"], kind, bool(facts.get("required")), facts.get("description", ""))


def _fields_of_content(content: dict, schema: dict) -> list[Field]:
    for media_type, facts in content.items():
        shape = facts.get("schema", {})
        fields = _fields(shape, schema)
        return fields or [Field(media_type, _kind(shape), True, "")]
    return []


def _fields(shape: dict, schema: dict) -> list[Field]:
    shape = _resolved(shape, schema)
    if shape.get("type") == "array":
        return _fields(shape.get("items", {}), schema)
    required = set(shape.get("required", ()))
    return [
        Field(name, _kind(_resolved(one, schema), one), name in required, one.get("description", ""))
        for name, one in shape.get("properties", {}).items()
    ]


def _resolved(shape: dict, schema: dict) -> dict:
    if "allOf" in shape and len(shape["allOf"]) == 1:
        shape = shape["allOf"][0]
    if "$ref" in shape:
        return schema["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    return shape


def _kind(shape: dict, reference: dict | None = None) -> str:
    """The type in words: string (date-time), list of integer, one of a, b."""
    if reference and "$ref" in reference and "enum" not in shape:
        return reference["$ref"].rpartition("/")[2]
    if "enum" in shape:
        return "one of " + ", ".join(str(value) for value in shape["enum"] if value is not None)
    if shape.get("type") == "array":
        return f"list of {_kind(shape.get('items', {}))}"
    if "$ref" in shape:
        return shape["$ref"].rpartition("/")[2]
    kind = str(shape.get("type", "any"))
    return f"{kind} ({shape['format']})" if "format" in shape else kind
