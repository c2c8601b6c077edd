"""Whose questions someone sees, and for which organisations they decide."""

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts import permissions
from accounts.models import Organisation, User
from accounts.permissions import Someone
from network.models import HeldPart, HeldQuestion, Question, QuestionPart

OPEN = (QuestionPart.State.WAITING, QuestionPart.State.FETCHED, QuestionPart.State.PERSON)
"""A node in such a state may still answer."""

DECIDING = ("approve_access", "manage_organisation")
"""What lets someone decide for an organisation which questions are answered."""


def questions_for(user: Someone) -> QuerySet[Question]:
    """A question is seen by whoever asked it, and by nobody else."""
    return Question.objects.filter(asked_by=user.pk) if user.is_authenticated else Question.objects.none()


def with_progress(questions: QuerySet[Question]) -> QuerySet[Question]:
    """Each with `asked`, the nodes it went to, and `done`, those that are through with it."""
    is_open = Q(parts__state__in=OPEN)
    counted = questions.annotate(asked=Count("parts"), done=Count("parts", filter=~is_open))
    return counted.order_by("-pk")


def question_or_404(user: Someone, public_id: str) -> Question:
    found = questions_for(user).filter(public_id=public_id).first()
    if found is None:
        raise Http404("There is no such question, or it is not yours.")
    return found


def organisations_deciding(user: Someone) -> QuerySet[Organisation]:
    """Those for which this person says yes or no."""
    held = Q(pk__in=[])
    for permission in DECIDING:
        held |= Q(pk__in=permissions.objects_for(user, permission, Organisation).values("pk"))
    return Organisation.objects.filter(held)


def held_parts_for(user: Someone) -> QuerySet[HeldPart]:
    """What the organisations of this person are asked or were."""
    return HeldPart.objects.filter(organisation__in=organisations_deciding(user).values("pk"))


def held_part_or_404(user: Someone, public_id: str) -> HeldPart:
    found = held_parts_for(user).filter(public_id=public_id).select_related("held", "organisation").first()
    if found is None:
        raise Http404("There is no such question, or it is not for you to decide.")
    return found


def undecided(parts: QuerySet[HeldPart]) -> QuerySet[HeldPart]:
    """Those of them that still wait."""
    return parts.filter(
        state=HeldPart.State.WAITING,
        held__state=HeldQuestion.State.PERSON,
        held__expires_at__gt=timezone.now(),
    )


def waiting_count(user: Someone) -> int:
    """How many questions wait for this person or a colleague."""
    return undecided(held_parts_for(user)).count()


def deciders_of(organisation: Organisation) -> QuerySet[User]:
    """Who gets the letter."""
    found = User.objects.none()
    for permission in DECIDING:
        found = found | permissions.holders_of(permission, organisation)
    return found.filter(is_active=True).distinct()
