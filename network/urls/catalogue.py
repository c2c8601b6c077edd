"""The public catalogue."""

from django.urls import path

from network.api import catalogue as api
from network.views import catalogue

urlpatterns = [
    path("catalogue/", catalogue.catalogue, name="catalogue"),
    path("hospitals/", catalogue.providers, name="catalogue-hospitals"),
    path("catalogue/<slug:slug>/", catalogue.listing, name="catalogue-dataset"),
    path("catalogue/<slug:slug>/pictures/<int:number>/", catalogue.picture, name="catalogue-picture"),
]
api_urlpatterns = [
    path("catalogue/datasets/", api.CatalogueDatasets.as_view(), name="api-catalogue-datasets"),
    path("catalogue/datasets/<str:slug>/", api.CatalogueDataset.as_view(), name="api-catalogue-dataset"),
]
