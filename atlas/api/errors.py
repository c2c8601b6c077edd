"""One shape for every error of the API: a sentence that helps, and the fields it is about."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Conflict(exceptions.APIException):
    """409: the request was fine, but the object is in a state that doesn't allow it."""

    status_code = 409
    default_detail = "This can't be done in the present state."
    default_code = "conflict"


class NoRoom(exceptions.APIException):
    """507: the disk of this node is full."""

    status_code = 507
    default_code = "no_room"


class Unavailable(exceptions.APIException):
    """503: the storage of this node, or a key, can't be used now."""

    status_code = 503
    default_code = "unavailable"


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: {"reason": sentence, "fields": {name: [sentences]}}."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or "There is nothing here, or it is not for you.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or "Your role does not allow this.")
    response = exception_handler(error, context)
    if response is None:
        return None
    data = response.data
    if isinstance(data, dict) and set(data) == {"detail"}:
        response.data = {"reason": str(data["detail"])}
    elif isinstance(data, dict):
        response.data = {"reason": "Some fields can't be used as they are.", "fields": data}
    else:
        response.data = {"reason": " ".join(map(str, data)) if isinstance(data, list) else str(data)}
    return response
