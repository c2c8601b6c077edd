"""Signing in with another node, and sharing projects with its people."""

from django.urls import URLPattern, URLResolver, include, path
from oauth2_provider import views as provider

from network.views import identity_provider, sharing, signing_in

_provider = [  # the names that django-oauth-toolkit looks for
    path("oidc/authorize/", identity_provider.Authorize.as_view(), name="authorize"),
    path("oidc/token/", provider.TokenView.as_view(), name="token"),
    path("oidc/userinfo/", provider.UserInfoView.as_view(), name="user-info"),
    path("oidc/keys.json", provider.JwksInfoView.as_view(), name="jwks-info"),
    path(
        ".well-known/openid-configuration",
        provider.ConnectDiscoveryInfoView.as_view(),
        name="oidc-connect-discovery-info",
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((_provider, "oauth2_provider"))),
    path("oidc/sign-out/", identity_provider.sign_out_here, name="hub-sign-out-here"),
    path("sign-in/network/", signing_in.to_the_hub, name="hub-sign-in"),
    path("sign-in/network/back/", signing_in.from_the_hub, name="hub-back"),
    path("sign-in/network/who/", signing_in.who_here, name="hub-who"),
    path("sign-out/network/", signing_in.signed_out, name="hub-signed-out"),
    path("account/network/disconnect/", signing_in.disconnect, name="hub-disconnect"),
    path("projects/<slug:slug>/share/", sharing.share_project, name="share-project"),
]
api_urlpatterns: list[URLPattern] = []
