"""The network's page, for the node's administrator: our hub, the nodes that joined us, invitations."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_countries import countries

from accounts import permissions
from accounts.requests import SignedInRequest
from atlas.archive.keys import KeyUnusable
from network.federation import joining, keys, membership, nodes, overview
from network.models import NodeInvitation


class InviteNodeForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=200, help_text=_("What it is called in this network, such as IPO Porto.")
    )
    country = forms.ChoiceField(
        label=_("Country"), choices=lambda: [("", _("As the node says")), *countries], required=False
    )


class JoinForm(forms.Form):
    invitation = forms.CharField(
        label=_("Invitation"),
        max_length=600,
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off", "class": "mono"}
        ),
        help_text=_("The whole line that the hub's administrator gave you."),
    )


@never_cache
@login_required
@require_safe
def network_page(request: SignedInRequest) -> HttpResponse:
    permissions.require(request.user, "administer_node", None)
    return _page(request)


@never_cache
@login_required
@require_POST
def invite(request: SignedInRequest) -> HttpResponse:
    """Answers with the page itself: the secret is in it, once, and in no session or message store."""
    permissions.require(request.user, "administer_node", None)
    form, invited = InviteNodeForm(request.POST), None
    if form.is_valid():
        try:
            invited = membership.invite(by=request.user, **form.cleaned_data)
            form = InviteNodeForm()
        except ValidationError as error:
            form.add_error(None, error)
        except KeyUnusable as error:
            form.add_error(None, str(error))
    return _page(request, invite_form=form, invited=invited)


@login_required
@require_POST
def withdraw_invitation(request: SignedInRequest, public_id: str) -> HttpResponse:
    permissions.require(request.user, "administer_node", None)
    invitation = NodeInvitation.objects.filter(public_id=public_id).first()
    if invitation is None:
        raise Http404("There is no such invitation.")
    _try(
        request,
        lambda: membership.withdraw(by=request.user, invitation=invitation),
        gettext("The invitation is withdrawn. Nobody can join with it."),
    )
    return redirect("network")


@never_cache
@login_required
@require_POST
def join(request: SignedInRequest) -> HttpResponse:
    """First shows whose invitation it is, with the hub's fingerprint; joins once somebody has compared it."""
    permissions.require(request.user, "administer_node", None)
    form = JoinForm(request.POST)
    if not form.is_valid():
        return _page(request, join_form=form)
    try:
        offer = joining.look(by=request.user, invitation=form.cleaned_data["invitation"])
        if request.POST.get("compared") != offer.public_key:
            return render(
                request,
                "network/join.html",
                {
                    "offer": offer,
                    "invitation": form.cleaned_data["invitation"],
                    "node_address": settings.NODE_ADDRESS,
                },
            )
        hub = joining.join(by=request.user, offer=offer)
    except ValidationError as error:
        form.add_error("invitation", error)
        return _page(request, join_form=form)
    except KeyUnusable as error:
        form.add_error(None, str(error))
        return _page(request, join_form=form)
    messages.success(request, gettext("This node takes part in %(hub)s.") % {"hub": hub.name})
    return redirect("network")


@login_required
@require_POST
def leave(request: SignedInRequest) -> HttpResponse:
    permissions.require(request.user, "administer_node", None)
    try:
        unheard = joining.leave(by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(gettext(said) for said in error.messages))
        return redirect("network")
    messages.success(request, gettext("This node has left its hub."))
    if unheard:
        said = gettext("The hub hasn't heard of it: %(why)s Ask its administrator to remove this node.")
        messages.warning(request, said % {"why": unheard})
    return redirect("network")


DEEDS = {"suspend": membership.suspend, "resume": membership.resume, "remove": membership.remove}


@login_required
@require_http_methods(["GET", "POST"])
def node(request: SignedInRequest, public_id: str) -> HttpResponse:
    """One node that joined us; POST: it is suspended, resumed or removed."""
    permissions.require(request.user, "administer_node", None)
    found = overview.member(public_id)
    if found is None:
        raise Http404("There is no such node.")
    if request.method == "POST":
        deed = request.POST.get("deed", "")
        if deed not in DEEDS:
            raise Http404("There is no such deed.")
        done = {
            "suspend": gettext("%(node)s is suspended."),
            "resume": gettext("%(node)s takes part again."),
            "remove": gettext("%(node)s is removed."),
        }[deed]
        _try(request, lambda: DEEDS[deed](by=request.user, node=found.node), done % {"node": found.node.name})
        return redirect("node", public_id)
    context = {
        "member": found,
        "node": found.node,
        "fingerprint": keys.fingerprint(found.node.public_key),
        "said": overview.said_to(found.node),
    }
    return render(request, "network/node.html", context)


def _try(request: SignedInRequest, deed, done: str) -> None:
    try:
        deed()
    except ValidationError as error:
        messages.error(request, " ".join(gettext(said) for said in error.messages))
    else:
        messages.success(request, done)


def _page(request: SignedInRequest, **context: object) -> HttpResponse:
    try:
        fingerprint, key_trouble = nodes.this_node().fingerprint, ""
    except KeyUnusable as error:
        fingerprint, key_trouble = "", str(error)
    hub = nodes.hub()
    return render(
        request,
        "network/network.html",
        {
            "hub": hub,
            "hub_state": overview.state_of(hub) if hub else None,
            "hub_fingerprint": keys.fingerprint(hub.public_key) if hub else "",
            "waiting_for_hub": hub.messages.filter(confirmed_at=None).count() if hub else 0,
            "members": overview.members(),
            "invitations": membership.open_invitations(),
            "fingerprint": fingerprint,
            "key_trouble": key_trouble,
            "node_address": settings.NODE_ADDRESS,
            "invite_form": InviteNodeForm(),
            "join_form": JoinForm(),
            "invited": None,
            **context,
        },
    )
