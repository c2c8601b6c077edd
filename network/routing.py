"""Addresses of the websockets, of this app and of those below."""

from channels.routing import URLRouter
from django.urls import path

from annotations.live.routing import routes
from network.questions.live import HeldConsumer, QuestionConsumer

application = URLRouter(
    [
        *routes,
        path("ws/questions/held/", HeldConsumer.as_asgi()),
        path("ws/questions/<str:public_id>/", QuestionConsumer.as_asgi()),
    ]
)
