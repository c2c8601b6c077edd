from django.urls import path

from network import views

urlpatterns = [
    path("", views.front, name="front"),
    path("home/", views.home, name="home"),
]
