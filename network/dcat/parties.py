"""Whom to ask about a dataset, who publishes it, and the health data access body once one is named."""

from collections.abc import Iterator
from urllib.parse import quote

from network.dcat import plain
from network.dcat.describing import Description, at
from network.dcat.writing import Node


def parties(described: Description) -> Iterator[Node]:
    iri, name = described.iri, plain.text(described.listing.organisation, length_max=200)
    name = name or described.listing.organisation_slug
    mail, page = described.one("contact_mail"), described.one("contact_page")
    if mail or page:
        contact: Node = {"@id": f"{iri}#contact", "@type": ["vcard:Kind", "vcard:Organization"]}
        contact["vcard:fn"] = [{"@value": name}]
        contact["vcard:hasEmail"] = [at(f"mailto:{quote(mail, safe='@.+-_')}")] if mail else []
        contact["vcard:hasURL"] = [at(page)] if page else []
        yield contact
    publisher_mail, publisher_page = described.one("publisher_mail"), described.one("publisher_page")
    if not (publisher_mail or publisher_page):
        publisher_mail, publisher_page = mail, page
    yield from _agent(f"{iri}#publisher", name, publisher_mail, publisher_page)
    if body := described.one("access_body"):
        body_mail, body_page = described.one("access_body_mail"), described.one("access_body_page")
        yield from _agent(f"{iri}#access-body", body, body_mail, body_page)


def _agent(iri: str, name: str, mail: str, page: str) -> Iterator[Node]:
    agent: Node = {"@id": iri, "@type": ["foaf:Agent"], "foaf:name": [{"@value": name}]}
    if mail or page:
        agent["cv:contactPoint"] = [at(f"{iri}-contact")]
        yield {
            "@id": f"{iri}-contact",
            "@type": ["cv:ContactPoint"],
            "cv:email": [{"@value": mail}] if mail else [],
            "cv:contactPage": [at(page)] if page else [],
        }
    if page:
        yield {"@id": page, "@type": ["foaf:Document"]}
    yield agent
