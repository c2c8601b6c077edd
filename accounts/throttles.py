"""How often someone may try to sign in: counted in the shared cache, for pages and API alike."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class SignInThrottle(SimpleRateThrottle):
    """Tries at one account from one address. Another address isn't kept out: nobody can lock an account."""

    scope = "sign-in"

    def get_cache_key(self, request: HttpRequest | Request, view: object) -> str:
        sent = request.data if isinstance(request, Request) else request.POST
        name = sent.get("username", "") if hasattr(sent, "get") else ""
        ident = f"{self.get_ident(request)}-{str(name).casefold()[:150]}"  # type: ignore[arg-type]
        return self.cache_format % {"scope": self.scope, "ident": ident.encode().hex()}


class AddressThrottle(SimpleRateThrottle):
    """Everything that one address tries on the doors: sign-in, password reset, invitations."""

    scope = "doors"

    def get_cache_key(self, request: HttpRequest | Request, view: object) -> str:
        ident = self.get_ident(request)  # type: ignore[arg-type]
        return self.cache_format % {"scope": self.scope, "ident": ident.encode().hex()}


def seconds_to_wait(request: HttpRequest, *throttles: type[SimpleRateThrottle]) -> int | None:
    """For a page: counts this try; None when it may go on, otherwise how long to wait."""
    for make in throttles:
        throttle = make()
        if not throttle.allow_request(request, None):  # type: ignore[arg-type]
            return max(1, round(throttle.wait() or 60))
    return None
