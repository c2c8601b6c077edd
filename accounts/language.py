"""In which language a page answers: the person's own choice, else what their browser asks for."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class LanguageMiddleware(LocaleMiddleware):
    """Django's, with the account's own language first. Stands behind the one that knows the user."""

    def process_request(self, request: HttpRequest) -> None:
        own = request.user.language if request.user.is_authenticated else ""
        translation.activate(own or translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()
