from django.urls import path

from accounts.api.preferences import PreferencesView
from accounts.api.tokens import TokensView, TokenView

urlpatterns = [
    path("me/preferences/", PreferencesView.as_view(), name="api-preferences"),
    path("tokens/", TokensView.as_view(), name="api-tokens"),
    path("tokens/<str:public_id>/", TokenView.as_view(), name="api-token"),
]
