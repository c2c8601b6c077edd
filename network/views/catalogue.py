"""The public catalogue: the list with its facets, a dataset, its pictures, and who provides what."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from atlas import policies
from atlas.archive.storage import ObjectMissing, storage
from network.catalogue import cards, hospitals, pictures, search, shown
from network.catalogue.ask import cohort_of
from network.catalogue.holdings import NOT_IMAGES, holdings, organisation_names
from network.catalogue.maps import map_of
from network.catalogue.menus import menus_of
from network.catalogue.public import listed, listing_or_404
from network.catalogue.query import SORTS, Query, QueryError, from_params
from network.catalogue.wording import ACCESS_ICONS, TELLS, value_words
from network.dcat.describing import Addresses
from network.dcat.schema_org import block
from network.models import Listing, ListingPicture

A_PAGE = 24
VERSIONS_MAX = 20
PROVIDERS_MAX = 200


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Datasets that are looked for: by words, by facets, in an order."""
    problem, query = "", Query()
    try:
        query = from_params(request.GET)
    except QueryError as error:
        problem = str(error)
    found = search.Found([]) if problem else search.find(query)
    pages = max(1, -(-len(found.ids) // A_PAGE))
    page = _page(request.GET.get("page"), pages)
    start = (page - 1) * A_PAGE
    names = organisation_names()
    menus = menus_of(query, found.facets, names)
    context = {
        "query": query,
        "problem": problem,
        "found": found,
        "total": len(found.ids),
        "menus": menus,
        "chosen": [(menu.title, option) for menu in menus for option in menu.chosen],
        "hidden": [(name, value) for name, value in query.pairs() if name != "q"],
        "sorts": [
            {"words": gettext(words), "address": _sorted(query, key), "is_chosen": key == query.order}
            for key, words in SORTS.items()
            if key != "relevance" or query.text
        ],
        "cards": cards.cards_of(request.user, search.in_order(found.ids[start : start + A_PAGE])),
        "page": page,
        "pages": pages,
        "before": query.address(page=page - 1) if page > 1 else "",
        "next": query.address(page=page + 1) if page < pages else "",
        "ask": _ask(cohort_of(query)),
    }
    return render(request, "network/catalogue.html", context, status=400 if problem else 200)


def _sorted(query: Query, key: str) -> str:
    return Query(query.text, query.chosen, key).address()


def _page(given: str | None, pages: int) -> int:
    number = int(given) if given and given.isdecimal() and len(given) < 9 else 1
    return min(max(number, 1), pages)


def _ask(cohort: dict[str, str]) -> str:
    address = _address("questions")
    return f"{address}?{urlencode(cohort)}" if address and cohort else address


def _address(name: str, *args: str) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@require_safe
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """One dataset, with all that is told of it."""
    one = listing_or_404(slug)
    figures = one.figures
    dataset = one.dataset
    may_open = dataset is not None and policies.visible_datasets(request.user).filter(pk=dataset.pk).exists()
    context = {
        "listing": one,
        "organ": value_words("organ", one.organ),
        "access_icon": ACCESS_ICONS[one.access],
        "access_tells": TELLS[one.access],
        "figures": [
            (gettext("subjects"), one.subjects),
            (gettext("studies"), one.studies),
            (gettext("series"), one.series),
            (gettext("images"), one.images),
        ],
        "per_subject": one.studies / one.subjects if one.studies and one.subjects else None,
        "interval": figures.get("median_interval_days"),
        "pictures": pictures.seen_by(request.user, [one]).get(one.pk, []),
        "blocks": shown.blocks_of(one, one.facets.all()),
        "labels": shown.labels_of(figures),
        "quality": shown.quality_of(figures),
        "agreement": shown.agreement_of(figures),
        "said": shown.said_of(one),
        "citation": shown.citation_of(one),
        "versions": one.versions.defer("figures")[:VERSIONS_MAX],
        "own_page": _address("dataset", one.slug) if may_open else "",
        "request_access": _address("access-add", one.slug),
        "ask": _ask({}),
        "machine": _machine(one),
        "schema_org": block(one, Addresses(settings.NODE_ADDRESS)),
    }
    return render(request, "network/listing.html", context)


def _machine(one: Listing) -> list[tuple[str, str]]:
    """Where programs find the same."""
    return [
        ("FAIR Data Point", f"/fdp/dataset/{one.slug}"),
        ("JSON", reverse("api-catalogue-dataset", args=(one.slug,))),
    ]


@require_safe
def picture(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A picture that the organisation lets anyone see. Its address names no series."""
    found = get_object_or_404(
        ListingPicture.objects.select_related("listing", "series"),
        listing__in=listed().filter(slug=slug),
        number=number,
    )
    if not pictures.may_be_shown(found.listing) or not found.series.thumbnail_key:
        raise Http404("This dataset shows no such picture.")
    try:
        key = found.series.thumbnail_key
        content = storage().read_range(key, 0, storage().size(key))
    except ObjectMissing as error:
        raise Http404("This picture is gone.") from error
    return HttpResponse(content, content_type="image/webp", headers={"Cache-Control": "public, max-age=300"})


@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    """Organisations, countries and nodes, and how far the atlas is."""
    held = holdings()
    every = hospitals.providers()
    drawn = map_of(held.by_country)
    spots = []
    for place in drawn.places if drawn else []:
        told = held.by_country.get(place.code) if place.code else None
        spots.append((place, told, value_words("country", place.code) if place.code else ""))
    most = max((told.told for told in held.by_country.values()), default=0)
    context = {
        "held": held,
        "providers": every[:PROVIDERS_MAX],
        "left_out": max(0, len(every) - PROVIDERS_MAX),
        "goals": hospitals.goals_of(held),
        "map": drawn,
        "spots": spots,
        "most": most,
        "countries": sorted(held.by_country.items(), key=lambda one: (-one[1].told, one[0])),
        "organs": [(value_words("organ", row.organ), row) for row in held.rows.values() if row.datasets],
        "modalities": _modalities(),
        "nodes": hospitals.node_lines(every),
        "growth": hospitals.growth_curve(),
    }
    return render(request, "network/hospitals.html", context)


def _modalities() -> shown.Block:
    here = reverse("catalogue")
    return shown.Block(
        "modality",
        "",
        [
            shown.Line(
                value_words("modality", one.value),
                one.told,
                here + Query(chosen={"modality": (one.value,)}).address(),
            )
            for one in search.find(Query()).facets["modality"]
            if one.value not in NOT_IMAGES
        ],
    )
