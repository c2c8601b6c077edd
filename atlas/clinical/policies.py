"""From whom a subject's facts are kept. Apps above say so in `AppConfig.ready`, and are never imported."""

from collections.abc import Callable

from django.db.models import Q

from accounts.permissions import Someone
from atlas.models import Subject

type Veil = Callable[[Someone], Q]
"""For a person, a condition on Subject: the facts of those are kept from them."""

_veils: dict[str, Veil] = {}


def withhold_facts(name: str, veil: Veil) -> None:
    """Naming one twice replaces it."""
    _veils[name] = veil


def are_facts_withheld(user: Someone, subject: Subject) -> bool:
    condition = Q(pk__in=[])
    for veil in _veils.values():
        condition |= veil(user)
    return Subject.objects.filter(condition, pk=subject.pk).exists()
