"""Nodes of the network: the administrator's pages. Nodes themselves talk at /federation/, beside Django."""

from django.urls import URLPattern, path

from network.views import nodes

urlpatterns = [
    path("network/", nodes.network_page, name="network"),
    path("network/invite/", nodes.invite, name="node-invite"),
    path(
        "network/invitations/<str:public_id>/withdraw/",
        nodes.withdraw_invitation,
        name="node-invitation-withdraw",
    ),
    path("network/join/", nodes.join, name="network-join"),
    path("network/leave/", nodes.leave, name="network-leave"),
    path("network/nodes/<str:public_id>/", nodes.node, name="node"),
]
api_urlpatterns: list[URLPattern] = []
