"""The catalogue for machines: as a whole for harvesters, and step by step as a FAIR Data Point.

Open to anyone, from anywhere. Answers carry an ETag made of what all shown listings say, so that a harvester
that comes again fetches nothing. There is no Last-Modified: a date can't tell that a listing was withdrawn.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from functools import wraps
from itertools import chain

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition, require_safe

from network.catalogue.public import listed, listing_or_404
from network.dcat import catalogue, changes, formats
from network.dcat.describing import Addresses
from network.dcat.own_terms import terms_nodes
from network.dcat.writing import Node
from network.models import Listing

AT_ONCE = 100
"""Datasets that are read from the database and written together."""

WRITERS_VERSION = "1"
"""Part of every ETag: another number, when the same listings are written otherwise."""


def _etag(request: HttpRequest, *_: object, slug: str = "", **__: object) -> str | None:
    """Of what the address says in this format; None where it says nothing, whatever someone has of it."""
    wanted = formats.wanted(request)
    said = changes.digest(listed().filter(slug=slug) if slug else listed())
    if wanted is None or (slug and not said):
        return None
    node = zlib.crc32(f"{settings.NODE_NAME} {settings.NODE_ADDRESS}".encode())
    return f'"{WRITERS_VERSION}-{node:x}-{said}-{wanted.suffix}"'


def open_to_all[**P](view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Pages of other sites may read it, too; caches ask again each time, which costs no more than an ETag.

    It only reads, so nobody has to prove where a request comes from before it is told that another method is
    not allowed.
    """

    @csrf_exempt
    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        answer = view(*args, **kwargs)
        answer["Access-Control-Allow-Origin"] = "*"
        answer["Cache-Control"] = "public, no-cache"
        patch_vary_headers(answer, ["Accept"])
        return answer

    return answered


# As a whole -------------------------------------------------------------------------------------


@open_to_all
@require_safe
@condition(etag_func=_etag)
def whole(request: HttpRequest, suffix: str) -> HttpResponseBase:
    """`/catalogue.ttl` and `/catalogue.jsonld`: every dataset, written as it is read from the database."""
    wanted = formats.BY_SUFFIX[suffix]
    pieces = _written(wanted)
    if request.method == "HEAD":
        body: Iterator[bytes] | AsyncIterator[bytes] = iter(())
    else:
        # Under ASGI, Django would read a plain iterator to its end before it sends the first byte.
        body = _from_thread(pieces) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(body, content_type=wanted.content_type)
    answer["Content-Disposition"] = f'inline; filename="catalogue.{suffix}"'
    return answer


def _written(wanted: formats.Format) -> Iterator[bytes]:
    addresses = Addresses(settings.NODE_ADDRESS)
    slugs = list(listed().order_by("slug").values_list("slug", flat=True))
    found = chain.from_iterable(_batches())
    for piece in wanted.write(catalogue.whole(found, addresses, slugs)):
        yield piece.encode()


def _batches() -> Iterator[list[Listing]]:
    """By slug, each batch by a query of its own: no cursor stays open while a client dawdles."""
    after = ""
    while True:
        batch = list(
            listed()
            .filter(slug__gt=after)
            .defer("words")
            .select_related("dataset", "node")
            .order_by("slug")[:AT_ONCE]
        )
        if not batch:
            return
        yield batch
        after = batch[-1].slug


async def _from_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """`pieces`, some at a time, read in Django's thread for the database."""

    def some() -> bytes:
        found = bytearray()
        for piece in pieces:
            found += piece
            if len(found) > 256 * 1024:
                break
        return bytes(found)

    while found := await sync_to_async(some, thread_sensitive=True)():
        yield found
        await asyncio.sleep(0)


# Step by step -----------------------------------------------------------------------------------


@open_to_all
@require_safe
@condition(etag_func=_etag)
def point(request: HttpRequest) -> HttpResponseBase:
    return _told(request, catalogue.point(_addresses(), _modified()), page="/catalogue/")


@open_to_all
@require_safe
@condition(etag_func=_etag)
def catalog(request: HttpRequest) -> HttpResponseBase:
    slugs = list(listed().order_by("slug").values_list("slug", flat=True))
    return _told(request, catalogue.catalogue_nodes(_addresses(), slugs, _modified()), page="/catalogue/")


@open_to_all
@require_safe
@condition(etag_func=_etag)
def dataset(request: HttpRequest, slug: str) -> HttpResponseBase:
    listing = listing_or_404(slug)
    return _told(request, catalogue.dataset_nodes(listing, _addresses()), page=f"/catalogue/{slug}/")


@open_to_all
@require_safe
@condition(etag_func=_etag)
def distribution(request: HttpRequest, slug: str) -> HttpResponseBase:
    listing = listing_or_404(slug)
    return _told(request, catalogue.distribution_nodes(listing, _addresses()), page=f"/catalogue/{slug}/")


@open_to_all
@require_safe
@condition(etag_func=_etag)
def terms(request: HttpRequest) -> HttpResponseBase:
    """The terms of this node's own, which stand where the hyper-ontology's code is unknown."""
    return _told(request, terms_nodes(listed(), _addresses()), page="/catalogue/")


def _addresses() -> Addresses:
    return Addresses(settings.NODE_ADDRESS)


def _modified() -> datetime | None:
    return listed().order_by("-published_at").values_list("published_at", flat=True).first()


def _told(request: HttpRequest, nodes: Iterator[Node], *, page: str) -> HttpResponseBase:
    """In the format that was asked for: browsers are led to the page for people."""
    wanted = formats.wanted(request)
    if wanted is formats.PAGE:
        answer = redirect(page)
        answer.status_code = 303
        return answer
    if wanted is None:
        offered = ", ".join(each.media_type for each in formats.FORMATS)
        sentence = f"This address answers as {offered}. Name one of them in Accept, or leave Accept out.\n"
        return HttpResponse(sentence, status=406, content_type="text/plain; charset=utf-8")
    return HttpResponse("".join(wanted.write(nodes)), content_type=wanted.content_type)
