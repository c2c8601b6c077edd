"""Descriptions as JSON-LD and as Turtle, piece by piece: a catalogue of any length is never held whole.

A description is a list of nodes in JSON-LD's own form: `{"@id": address, "@type": [names], name: [values]}`,
a value being `{"@id": address}` or `{"@value": text, "@language" or "@type": …}`. Names are prefixed by
`PREFIXES`; addresses are always whole, and nothing that others wrote is ever a name.
"""

import json
import re
from collections.abc import Iterable, Iterator

type Value = dict[str, object]
type Node = dict[str, object]

PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "eucaim": "https://cancerimage.eu/ontology/EUCAIM#",
    "fdp-o": "https://w3id.org/fdp/fdp-o#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "ldp": "http://www.w3.org/ns/ldp#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

# What may not stand between < and > in Turtle; addresses come percent-encoded, so that nothing is left to do.
_NOT_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f\"\\\u0085\u2028\u2029\ud800-\udfff]")


def json_ld(nodes: Iterable[Node]) -> Iterator[str]:
    """One document with its context in it: no reader has to fetch one from somewhere."""
    yield f'{{"@context": {json.dumps(PREFIXES)},\n"@graph": ['
    for number, node in enumerate(nodes):
        yield (",\n" if number else "\n") + json.dumps(node, ensure_ascii=False)
    yield "\n]}\n"


def turtle(nodes: Iterable[Node]) -> Iterator[str]:
    yield "".join(f"@prefix {name}: <{address}> .\n" for name, address in PREFIXES.items())
    for node in nodes:
        yield _block(node)


def _block(node: Node) -> str:
    """Every statement about one subject."""
    lines = []
    types = node.get("@type")
    if isinstance(types, list) and types:
        lines.append(f"    a {', '.join(types)}")
    for name, values in node.items():
        if not name.startswith("@") and isinstance(values, list) and values:
            lines.append(f"    {name} {', '.join(_value(value) for value in values)}")
    return f"\n{_address(str(node['@id']))}\n" + " ;\n".join(lines) + " .\n" if lines else ""


def _value(value: Value) -> str:
    if "@id" in value:
        return _address(str(value["@id"]))
    written = value["@value"]
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, int) and "@type" not in value:
        return str(written)
    literal = f'"{_TO_ESCAPE.sub(_escape, str(written))}"'
    if "@language" in value:
        return f"{literal}@{value['@language']}"
    return f"{literal}^^{value['@type']}" if "@type" in value else literal


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if "\ud800" <= character <= "\udfff":
        return "\N{REPLACEMENT CHARACTER}"  # half of a pair: no encoding has it
    return _ESCAPED.get(character) or f"\\u{ord(character):04X}"


def _address(iri: str) -> str:
    if _NOT_IN_IRI.search(iri):
        raise ValueError("An address in a description holds what no address may hold.")
    return f"<{iri}>"
