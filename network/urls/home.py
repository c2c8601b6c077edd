from django.urls import path

from network.views import front

urlpatterns = [
    path("", front.front, name="front"),
    path("home/", front.home, name="home"),
]
