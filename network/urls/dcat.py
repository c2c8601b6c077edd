"""The catalogue for machines: DCAT-AP, FAIR Data Point."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
api_urlpatterns: list[URLPattern] = []
