"""The request as a view behind `login_required` gets it."""

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """For annotations only: Django makes no such object, it is an HttpRequest whose user is known."""

    user: User  # type: ignore[assignment]
