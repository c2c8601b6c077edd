"""What two people, or two clicks, do at the same moment: each with a connection of its own."""

import threading
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection

from accounts.models import Organisation
from atlas.models import Dataset
from network.access import asking, cart, deciding, states
from network.access.deciding import AGREEMENT, Choice
from network.access.states import State
from network.models import AccessGrant, AccessRequest
from tests.cast import person
from tests.network.access.conftest import NEXT_YEAR, approved, filled, listed, member, sent


@pytest.fixture(scope="module")
def committed(django_db_setup, django_db_blocker):
    """Each connection sees what the others committed."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def hospital(committed):
    """A committee of two, and a listing; named anew for each test."""
    number = Organisation.objects.count()
    organisation = Organisation.objects.create(name=f"Hospital {number}", slug=f"h{number}", country="SE")
    dataset = Dataset.objects.create(organisation=organisation, name="Lung", slug=f"lung-{number}")
    people = [member(organisation, f"{name}{number}") for name in ("anna", "bruno")]
    return listed(dataset), people, person(f"mira{number}")


def at_once(*deeds: Callable[[], object]) -> list[str]:
    """Runs all of them at the same moment; "" where it went well, else the sentence."""
    barrier, outcomes = threading.Barrier(len(deeds)), [""] * len(deeds)

    def run(at: int) -> None:
        try:
            barrier.wait(timeout=20)
            deeds[at]()
        except ValidationError as error:
            outcomes[at] = " ".join(error.messages)
        except Exception as error:
            outcomes[at] = repr(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return outcomes


def test_one_of_two_decisions_counts(hospital):
    listing, (anna, bruno), mira = hospital
    part = sent(mira, (listing, "view")).parts.get()
    seen = states.version_of(part)
    choices = {part.items.get().pk: Choice("view", NEXT_YEAR)}
    outcomes = at_once(
        lambda: deciding.approve(by=anna, part=part, choices=choices, agreement=AGREEMENT, seen=seen),
        lambda: deciding.refuse(by=bruno, part=part, reason="No.", seen=seen),
    )
    part.refresh_from_db()
    assert outcomes.count("") == 1
    assert (part.state, part.decided_by) == (
        (State.APPROVED, anna) if outcomes[0] == "" else (State.REFUSED, bruno)
    )
    assert bool(part.items.get().granted_mode) == (outcomes[0] == "")


def test_two_clicks_on_the_agreement_open_one_grant(hospital):
    listing, (anna, _), mira = hospital
    part = approved(sent(mira, (listing, "view")).parts.get(), anna)
    sha256 = states.terms_sha256(part)
    agree = lambda: asking.agree(by=mira, part=part, sha256=sha256)
    assert at_once(agree, agree, agree) == ["", "", ""]
    assert AccessGrant.objects.filter(user=mira).count() == 1


def test_agreeing_while_the_request_is_withdrawn_leaves_nothing_open(hospital):
    listing, (anna, _), mira = hospital
    request = sent(mira, (listing, "view"))
    part = approved(request.parts.get(), anna)
    sha256 = states.terms_sha256(part)
    agreed, withdrawn = at_once(
        lambda: asking.agree(by=mira, part=part, sha256=sha256),
        lambda: asking.withdraw(by=mira, request=request),
    )
    assert withdrawn == "", agreed
    part.refresh_from_db()
    assert part.state == State.WITHDRAWN
    assert not AccessGrant.objects.filter(user=mira, withdrawn_at=None).exists()


def test_two_clicks_make_one_cart_and_send_it_once(hospital):
    listing, _, mira = hospital
    add = lambda: cart.add(by=mira, listing=listing, mode="view")
    assert at_once(add, add, add) == ["", "", ""]
    assert AccessRequest.objects.filter(by=mira).count() == 1
    request = filled(mira, (listing, "view"))
    send = lambda: asking.send(by=mira, request=request)
    assert at_once(send, send) == ["", ""]
    assert request.parts.get().state == State.SENT
