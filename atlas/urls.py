"""Every address of the node, by app. Pixels and websockets are routed in `atlas.router` instead."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from atlas.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("", include("network.urls")),
    path("", include("accounts.urls")),
    path("", include("atlas.image_urls")),
    path("", include("annotations.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/v1/", include("accounts.api_urls")),
    path("api/v1/", include("atlas.api_urls")),
    path("api/v1/", include("annotations.api_urls")),
    path("api/v1/", include("network.api_urls")),
]
