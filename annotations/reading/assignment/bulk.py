"""One act on many cases: some at once, thousands piece by piece in a job, each piece one transaction.

What was done so far stands whatever happens next: a piece that fails stops the act with a sentence, and an
act can be stopped between two pieces. What it changed is kept with it and can be taken back, which is an act
of its own. Cases are fixed by their numbers when it begins.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from procrastinate.contrib.django import app

from accounts import audit, permissions
from accounts.models import User
from annotations.models import BulkAction, Case
from annotations.reading import policies
from annotations.reading.assignment.acts import ACTS, Params
from annotations.reading.broadcasts import announce_bulk, announce_cases
from atlas.models import Project

audit.register("bulk.begun", "bulk.stopped", "bulk.taken_back")

GO_ON = "go_on_with_bulk"  # the job in annotations.tasks
PIECE = 200
LEFT_OUT_KEPT = 500
CASES_MAX = 20_000
FEW = 20
BACK = "take_back"
State = BulkAction.State


def actions_of(user: User, project: Project) -> QuerySet[BulkAction]:
    """What was done to many cases of a project, the latest first; for its leads."""
    if not permissions.allows(user, "manage_project", project):
        return BulkAction.objects.none()
    return BulkAction.objects.filter(project=project).select_related("by").order_by("-pk")


def actions_shown(user: User, project: Project, most: int) -> list[BulkAction]:
    """The latest, without another's act on few cases of which this person reads one: what became of it would
    tell who else does."""
    reading = set(policies.cases_being_read_by(user).filter(project=project).values_list("number", flat=True))
    shown = [
        action
        for action in actions_of(user, project)[: 2 * most]
        if action.by_id == user.pk or action.total >= FEW or not reading & set(_numbers_of(action))
    ]
    return shown[:most]


def _numbers_of(action: BulkAction) -> list[int]:
    if action.kind != BACK:
        return list(action.params["cases"])
    return list(BulkAction.objects.get(pk=action.params["action"]).params["cases"])


def begin(*, by: User, project: Project, kind: str, numbers: Collection[int], params: Params) -> BulkAction:
    """Do this to the cases of these numbers: at once where they are few, else by a job that begins now.

    `params` by kind: assign {way, readers, readers_per_case?, due?}; adjudicators {adjudicators?}; unassign
    {readers?}; reassign {from, to}; priority {priority}; due {due}; purpose {purpose}; people by public id.
    Raises ValidationError by field, and for numbers that are none.
    """
    permissions.require(by, "manage_project", project)
    if kind not in ACTS:
        raise ValidationError("There is no such act.")
    wanted = sorted(set(numbers))
    if not wanted:
        raise ValidationError({"cases": "Choose at least one case."})
    if len(wanted) > CASES_MAX:
        raise ValidationError({"cases": f"At most {CASES_MAX:,} cases at once; these are {len(wanted):,}."})
    if Case.objects.filter(project=project, number__in=wanted).count() < len(wanted):
        raise ValidationError({"cases": "A chosen case is not in this project."})
    kept = ACTS[kind].check(by, project, params)
    return _begin(by, project, kind, kept | {"cases": wanted}, len(wanted))


def take_back(*, by: User, project: Project, action_id: int) -> BulkAction:
    """Undo what an act did, as far as nobody has worked on it since. Twice takes back once.

    Raises Http404, and ValidationError while it runs or where there is nothing to take back.
    """
    permissions.require(by, "manage_project", project)
    with transaction.atomic():
        action = _locked(project, action_id)
        if action.state == State.TAKEN_BACK:
            return BulkAction.objects.filter(project=project, kind=BACK, params__action=action.pk).latest(
                "pk"
            )
        if action.state == State.RUNNING:
            raise ValidationError("Stop it first.")
        if action.kind == BACK or not action.before:
            raise ValidationError("There is nothing to take back.")
        action.state = State.TAKEN_BACK
        action.save(update_fields=["state"])
        audit.record(by, "bulk.taken_back", project, kind=action.kind, lines=len(action.before))
        params = {"action": action.pk, "kind": action.kind}
        back = BulkAction.objects.create(
            project=project, kind=BACK, params=params, total=len(action.before), by=by
        )
    return _run_or_defer(back)


@transaction.atomic
def stop(*, by: User, project: Project, action_id: int) -> None:
    """No further piece is done. What was done stands, and can be taken back. Twice changes nothing."""
    permissions.require(by, "manage_project", project)
    action = _locked(project, action_id)
    if action.state != State.RUNNING:
        return
    action.state = State.DONE
    action.problem = f"Stopped after {action.done:,} of {action.total:,}."
    action.save(update_fields=["state", "problem"])
    audit.record(by, "bulk.stopped", project, kind=action.kind, done=action.done)
    announce_bulk(project)


def go_on(action_id: int) -> None:
    """The job: one piece. What is done is counted under the lock of its row, so no piece is done twice."""
    try:
        _piece(action_id)
    except (ValidationError, PermissionDenied, Http404) as refusal:
        _fail(action_id, refusal)


def _begin(by: User, project: Project, kind: str, params: Params, total: int) -> BulkAction:
    with transaction.atomic():
        action = BulkAction.objects.create(project=project, kind=kind, params=params, total=total, by=by)
        audit.record(by, "bulk.begun", project, kind=kind, cases=total)
        announce_bulk(project)
    return _run_or_defer(action)


def _run_or_defer(action: BulkAction) -> BulkAction:
    """A single piece is done here and now, so that the next page shows it."""
    if action.total > PIECE:
        _defer(action.pk)
        return action
    try:
        _piece(action.pk)
    except ValidationError as refusal:
        _fail(action.pk, refusal)
    action.refresh_from_db()
    return action


def _defer(action_id: int) -> None:
    app.configure_task(GO_ON, lock=f"bulk-{action_id}").defer(action_id=action_id)


@transaction.atomic
def _piece(action_id: int) -> None:
    """The next piece, and a job for the one after it. The right to do it is asked anew for every piece."""
    action = (
        BulkAction.objects.select_for_update(of=("self",)).select_related("project", "by").get(pk=action_id)
    )
    if action.state != State.RUNNING:
        return
    project, by = action.project, action.by
    permissions.require(by, "manage_project", project)
    until = min(action.done + PIECE, action.total)
    if action.kind == BACK:
        left_out = _back(action, until)
    else:
        left_out = _do(action, action.params["cases"][action.done : until])
    action.left_out = (action.left_out + [list(one) for one in left_out])[:LEFT_OUT_KEPT]
    facts = Counter(action.params.get("facts", {})) + Counter(left_out=len(left_out))
    action.params["facts"] = dict(facts)
    action.done = until
    if action.done == action.total:
        action.state = State.DONE
    action.save()
    announce_bulk(project)
    if action.state == State.RUNNING:
        _defer(action_id)


def _do(action: BulkAction, numbers: list[int]) -> list[tuple[int, str]]:
    cases = list(Case.objects.filter(project=action.project, number__in=numbers).order_by("number"))
    gone = set(numbers) - {case.number for case in cases}
    done = ACTS[action.kind].do(action.by, action.project, action.params, cases) if cases else None
    left_out = [(number, "It is no longer in this project.") for number in sorted(gone)]
    if done is None:
        return left_out
    action.before += done.before
    action.params["facts"] = dict(Counter(action.params.get("facts", {})) + Counter(done.facts))
    announce_cases(action.project, [case.number for case in cases])
    return left_out + done.left_out


def _back(action: BulkAction, until: int) -> list[tuple[int, str]]:
    """The last lines first, as any undo."""
    original = BulkAction.objects.get(pk=action.params["action"])
    lines: list[Any] = original.before[::-1][action.done : until]
    left_out = ACTS[original.kind].back(action.by, action.project, lines)
    numbers = Case.objects.filter(project=action.project).order_by("number")[:1]
    announce_cases(action.project, list(numbers.values_list("number", flat=True)))
    return left_out


@transaction.atomic
def _fail(action_id: int, refusal: Exception) -> None:
    sentence = " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
    action = BulkAction.objects.select_related("project").get(pk=action_id)
    BulkAction.objects.filter(pk=action_id, state=State.RUNNING).update(
        state=State.FAILED, problem=sentence[:500]
    )
    announce_bulk(action.project)


def _locked(project: Project, action_id: int) -> BulkAction:
    found = BulkAction.objects.select_for_update(of=("self",)).filter(project=project, pk=action_id).first()
    if found is None:
        raise Http404("There is no such act.")
    return found
