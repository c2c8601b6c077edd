"""Requests for access, committees, and who used what."""

from django.urls import path

from network.api import access as api
from network.views import access, access_committee, access_data, access_log

_request = "access/requests/<str:public_id>/"

urlpatterns = [
    path("access/", access.access, name="access"),
    path("access/add/<slug:slug>/", access.add, name="access-add"),
    path(_request, access.one_request, name="access-request"),
    path(f"{_request}withdraw/", access.withdraw, name="access-withdraw"),
    path(f"{_request}datasets/remove/", access.change, {"what": "remove"}, name="access-remove"),
    path(f"{_request}documents/", access.change, {"what": "attach"}, name="access-attach"),
    path(f"{_request}documents/remove/", access.change, {"what": "detach"}, name="access-detach"),
    path("access/documents/<str:public_id>/", access.document, name="access-document"),
    path("access/parts/<str:public_id>/answer/", access.act, {"what": "answer"}, name="access-answer"),
    path("access/parts/<str:public_id>/agree/", access.act, {"what": "agree"}, name="access-agree"),
    path("access/parts/<str:public_id>/send/", access.act, {"what": "send"}, name="access-send-again"),
    path("access/parts/<str:public_id>/drop/", access.act, {"what": "drop"}, name="access-drop"),
    path("access/committee/", access_committee.committee, name="access-committee"),
    path("access/committee/<str:public_id>/", access_committee.part, name="access-part"),
    path("access/datasets/<slug:slug>/", access_data.dataset, name="access-dataset"),
    path("access/studies/<str:public_id>/", access_data.study, name="access-study"),
    path("organisations/<slug:slug>/accesses/", access_log.accesses, name="accesses"),
    path("organisations/<slug:slug>/accesses/table.csv", access_log.table, name="accesses-table"),
    path("organisations/<slug:slug>/accesses/messages/", access_log.messages, name="accesses-messages"),
]
api_urlpatterns = [
    path("access/requests/", api.Requests.as_view(), name="api-access-requests"),
    path("access/grants/", api.Grants.as_view(), name="api-access-grants"),
    path("access/studies/<str:public_id>/", api.Viewing.as_view(), name="api-access-study"),
]
