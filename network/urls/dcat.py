"""The catalogue for machines: DCAT-AP, FAIR Data Point; and what a manager says of a dataset in it."""

from django.urls import URLPattern, path

from network.views import harvest, listing

urlpatterns: list[URLPattern] = [
    path("datasets/<slug:slug>/catalogue/", listing.listing, name="dataset-catalogue"),
    path("catalogue.ttl", harvest.whole, {"suffix": "ttl"}, name="catalogue-turtle"),
    path("catalogue.jsonld", harvest.whole, {"suffix": "jsonld"}, name="catalogue-json-ld"),
    path("fdp", harvest.point, name="fdp"),
    path("fdp/", harvest.point),
    path("fdp/catalog/", harvest.point),  # a container: it stands in the description of what it belongs to
    path("fdp/catalog/atlas", harvest.catalog, name="fdp-catalog"),
    path("fdp/dataset/", harvest.catalog),
    path("fdp/dataset/<slug:slug>", harvest.dataset, name="fdp-dataset"),
    path("fdp/dataset/<slug:slug>/distribution/", harvest.dataset),
    path("fdp/distribution/<slug:slug>", harvest.distribution, name="fdp-distribution"),
    path("fdp/terms", harvest.terms, name="fdp-terms"),
]
api_urlpatterns: list[URLPattern] = []
