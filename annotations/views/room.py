"""The page of the reading room: everything in it is the viewer's."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts.requests import SignedInRequest
from accounts.services.preferences import preferences_of
from annotations.reading import policies
from atlas.built import program


@login_required
@ensure_csrf_cookie
@require_safe
def room(request: SignedInRequest, public_id: str) -> HttpResponse:
    """For the read's reader, and for its reviewers and leads. The API says what each may do in it."""
    read = policies.read_or_404(request.user, public_id)
    policies.rights_on(request.user, read)
    viewer = program("src/main.tsx")
    context = {
        "read": read,
        "viewer": viewer,
        "early": program("src/early.ts"),
        "style": program("src/ui/room.css"),
        "preferences": preferences_of(request.user),
    }
    return render(request, "reading/room.html", context, status=200 if viewer else 503)
