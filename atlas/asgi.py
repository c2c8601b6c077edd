"""The ASGI application: pixels and other nodes on roads of their own, websockets, Django for the rest."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
django.setup(set_prefix=False)  # the handler sets it for each request

from django.utils.module_loading import import_string  # noqa: E402  (settings must be there first)

from atlas.handler import Handler  # noqa: E402
from atlas.router import Router  # noqa: E402

application = Router(
    http=Handler(),
    pixels=import_string("atlas.dicomweb.pixels.application"),
    dicomweb=import_string("atlas.dicomweb.web.application"),
    federation=import_string("network.federation.hub.application"),
    websocket=import_string("network.routing.application"),
)
