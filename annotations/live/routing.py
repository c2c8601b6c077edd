"""Addresses of the websockets."""

from channels.routing import URLRouter
from django.urls import path

from annotations.live.consumers import DatasetConsumer, ProjectConsumer
from annotations.live.incidental import IncidentalConsumer
from annotations.live.reading import ReadConsumer

application = URLRouter(
    [
        path("ws/reads/<str:public_id>/", ReadConsumer.as_asgi()),
        path("ws/projects/<slug:slug>/", ProjectConsumer.as_asgi()),
        path("ws/datasets/<slug:slug>/", DatasetConsumer.as_asgi()),
        path("ws/incidental/", IncidentalConsumer.as_asgi()),
    ]
)
