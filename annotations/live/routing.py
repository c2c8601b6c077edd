"""Addresses of the websockets of this app. Those of the node are in `network.routing`."""

from django.urls import path

from annotations.live.consumers import DatasetConsumer, ProjectConsumer
from annotations.live.incidental import IncidentalConsumer
from annotations.live.reading import ReadConsumer

routes = [
    path("ws/reads/<str:public_id>/", ReadConsumer.as_asgi()),
    path("ws/projects/<slug:slug>/", ProjectConsumer.as_asgi()),
    path("ws/datasets/<slug:slug>/", DatasetConsumer.as_asgi()),
    path("ws/incidental/", IncidentalConsumer.as_asgi()),
]
