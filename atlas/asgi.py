"""The ASGI application: pixels on their own short road, websockets, static files, and Django for the rest."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
django_application = get_asgi_application()

from django.utils.module_loading import import_string  # noqa: E402  (settings must be there first)

from atlas.router import Router  # noqa: E402

application = Router(
    http=django_application,
    pixels=import_string("atlas.dicomweb.pixels.application"),
    dicomweb=import_string("atlas.dicomweb.web.application"),
    websocket=import_string("annotations.live.routing.application"),
)
