"""The states of a read: the data, its drawing, and random walks of random people, which stay legal."""

from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from rest_framework.exceptions import APIException

from accounts import permissions
from annotations.management.commands.draw_reading_states import PAGE, page
from annotations.models import Case, CaseStudy, Read, ReferenceStandard, Review, Submission
from annotations.reading import (
    aside,
    assignment,
    journal,
    machine,
    policies,
    projects,
    reads,
    reopening,
    review,
)
from annotations.reading.adjudication import assigning
from annotations.reading.comparing import compare_case
from annotations.reading.designs import Rules, design_of, write_design
from atlas.models import Project
from tests.annotations.reading.conftest import Cast, edit, make_cast

State = Read.State
REFUSED = (PermissionDenied, Http404, ValidationError, APIException)


def test_the_drawing_is_that_of_the_data():
    assert Path(PAGE).read_text() == page(), "run manage.py draw_reading_states"


def test_every_state_is_reached_and_every_action_has_someone_who_does_it():
    reached = {State.ASSIGNED} | {action.target for action in machine.ACTIONS.values()}
    assert reached - {None} == set(State)
    assert all(action.by for action in machine.ACTIONS.values())
    assert not any(machine.actions_of(machine.Capacity.FELLOW, state) for state in State)
    accepted = {capacity: machine.actions_of(capacity, State.ACCEPTED) for capacity in machine.Capacity}
    assert accepted.pop(machine.Capacity.LEAD) == {"reopen"}
    assert not any(accepted.values())


def test_a_reader_s_actions_are_theirs_alone():
    judging = {machine.Capacity.REVIEWER, machine.Capacity.LEAD}
    for name, action in machine.ACTIONS.items():
        assert machine.Capacity.READER not in action.by or not action.by & judging, name


# Random walks -------------------------------------------------------------------------------------

PEOPLE = ("anna", "ben", "reviewer", "lead", "scientist", "outsider")
people = st.sampled_from(PEOPLE)
which = st.integers(min_value=0, max_value=30)
STEPS = {(source, action.target) for action in machine.ACTIONS.values() for source in action.sources}
# Without review, what is handed in is accepted within the same act.
STEPS |= {(source, State.ACCEPTED) for source in machine.OPEN}


class Walk(RuleBasedStateMachine):
    """Two cases. Anna and Ben read the first; Ben may review as well, the lead reads the second."""

    cast: ClassVar[Cast | None] = None

    @initialize()
    def begin(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.cast = make_cast()
        cast = self.cast
        permissions.grant(user=cast.ben, role="reviewer", scope=cast.project)
        other = Case.objects.create(project=cast.project, subject=cast.case.subject, number=315)
        CaseStudy.objects.create(case=other, study=cast.ct.study, position=0)
        self.cases = [cast.case, other]
        for reader in (cast.lead, cast.anna):
            Read.objects.create(case=other, reader=reader, schema=cast.schema)
        self.before = self.seen()
        self.submissions: dict[int, tuple[int, int, int]] = {}
        self.last_round: dict[int, int] = {}

    def teardown(self) -> None:
        if self.cast is not None:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # What people try ----------------------------------------------------------------------------

    def attempt(self, work: Any) -> bool:
        """Whether it was allowed; what is refused leaves everything as it was."""
        self.before = self.seen()
        try:
            with transaction.atomic():
                work()
        except REFUSED:
            assert self.seen() == self.before
            return False
        return True

    def person(self, name: str) -> Any:
        return getattr(self.cast, name)

    def read(self, at: int) -> Read:
        every = list(Read.objects.select_related("case__project").order_by("pk"))
        return every[at % len(every)]

    @rule(who=people, at=which)
    def opens(self, who: str, at: int) -> None:
        read = self.read(at)
        if self.attempt(lambda: reads.open_read(user=self.person(who), read_id=read.public_id)):
            assert read.reader == self.person(who)

    @rule(who=people, at=which)
    def draws(self, who: str, at: int) -> None:
        read, change = self.read(at), edit(self.cast.length())
        results: list[Any] = []

        def work() -> None:
            found, _ = journal.append(user=self.person(who), read_id=read.public_id, edits=[change])
            results.extend(found)

        if self.attempt(work):
            assert read.reader == self.person(who)
            assert (results[0]["status"] == "applied") == (read.state in machine.OPEN)

    @rule(who=people, at=which)
    def hands_in(self, who: str, at: int) -> None:
        read = self.read(at)
        number = read.last_edit_number
        if self.attempt(lambda: reads.submit(user=self.person(who), read_id=read.public_id, number=number)):
            assert read.reader == self.person(who)

    @rule(who=people, at=which)
    def locks(self, who: str, at: int) -> None:
        read = self.read(at)
        number = read.last_edit_number
        if self.attempt(
            lambda: reads.lock_unaided(user=self.person(who), read_id=read.public_id, number=number)
        ):
            assert read.reader == self.person(who)

    @rule(who=people, at=which, verdict=st.sampled_from(Review.Verdict.values))
    def judges(self, who: str, at: int, verdict: str) -> None:
        read, person = self.read(at), self.person(who)
        reads_here = policies.cases_being_read_by(person).filter(pk=read.case_id).exists()
        given = {"verdict": verdict, "round": read.round, "text": "Because."}
        if self.attempt(lambda: review.judge(user=person, read_id=read.public_id, **given)):
            assert read.reader != person
            assert not reads_here
            assert permissions.allows(person, "review_cases", self.cast.project)

    @rule(who=people, at=which)
    def sets_aside(self, who: str, at: int) -> None:
        read, person = self.read(at), self.person(who)
        if self.attempt(lambda: aside.set_aside(by=person, read_id=read.public_id)):
            assert read.reader != person
            assert permissions.allows(person, "manage_project", self.cast.project)

    @rule(who=people, at=which)
    def reopens(self, who: str, at: int) -> None:
        read, person = self.read(at), self.person(who)
        blind = design_of(self.project()).blind
        if self.attempt(lambda: reopening.reopen(by=person, read_id=read.public_id, reason="Look again.")):
            assert read.state == State.ACCEPTED
            assert read.reader != person
            assert permissions.allows(person, "manage_project", self.cast.project)
            if read.kind == Read.Kind.READ:
                assert not (blind and aside.has_seen_others(read.reader, read))

    @rule(who=people, at=which)
    def takes_up(self, who: str, at: int) -> None:
        read, person = self.read(at), self.person(who)
        blind = design_of(self.project()).blind
        if self.attempt(lambda: aside.take_up(by=person, read_id=read.public_id)):
            assert read.reader != person
            if blind and read.state == State.SET_ASIDE and read.kind == Read.Kind.READ:
                assert not aside.has_seen_others(read.reader, read)

    @rule(who=people, reader=people, at=st.integers(0, 1))
    def assigns(self, who: str, reader: str, at: int) -> None:
        chosen = [self.person(reader)]
        given = {"project": self.project(), "cases": [self.cases[at]], "readers": chosen}
        self.attempt(lambda: assignment.assign(by=self.person(who), **given))

    @rule(who=people, at=st.integers(0, 1))
    def adjudicates(self, who: str, at: int) -> None:
        case = self.cases[at]
        slug = self.cast.project.slug
        if self.attempt(lambda: assigning.take(by=self.person(who), slug=slug, number=case.number)):
            assert not policies.cases_being_read_by(self.person(who)).filter(pk=case.pk).exists()

    @rule(at=st.integers(0, 1))
    def the_job_runs(self, at: int) -> None:
        self.attempt(lambda: compare_case(self.cases[at].pk))

    @rule(who=people, blind=st.booleans(), reviewed=st.booleans(), when=st.sampled_from(["before", "after"]))
    def rules_change(self, who: str, blind: bool, reviewed: bool, when: str) -> None:
        rules = Rules(readers_per_case=2, blind=blind, review=reviewed, proposals=when)
        self.attempt(lambda: write_design(by=self.person(who), project=self.project(), rules=rules))

    @rule(who=people, member=people, role=st.sampled_from(["reader", "reviewer"]), stays=st.booleans())
    def members_change(self, who: str, member: str, role: str, stays: bool) -> None:
        change = projects.add_member if stays else projects.remove_member
        given = {"project": self.project(), "user": self.person(member), "role": role}
        self.attempt(lambda: change(by=self.person(who), **given))

    @rule(who=people, at=which)
    def looks(self, who: str, at: int) -> None:
        read, person = self.read(at), self.person(who)
        with suppress(*REFUSED):
            found, rights = policies.read_and_rights_or_404(person, read.public_id)
            if rights.may_see_marks and rights.capacity is not machine.Capacity.READER:
                review.note_that_marks_were_seen(person, found)
                assert policies.was_submitted(found)

    # What never happens -------------------------------------------------------------------------

    def project(self) -> Project:
        return Project.objects.get(pk=self.cast.project.pk)

    def seen(self) -> dict[int, tuple[str, int]]:
        return {pk: (state, round) for pk, state, round in Read.objects.values_list("pk", "state", "round")}

    @invariant()
    def states_follow_the_machine(self) -> None:
        if self.cast is None:
            return
        now = self.seen()
        for pk, (state, round) in self.before.items():
            if pk not in now:
                assert (state, round) == (State.ASSIGNED, 1)  # taken back unopened
                continue
            after, after_round = now[pk]
            assert after_round >= round
            if after != state:
                assert (state, after) in STEPS, (state, after)
                assert after_round == round + (after == State.RETURNED)
            if state == State.ACCEPTED:
                assert (after, after_round) in ((state, round), (State.RETURNED, round + 1))

    @invariant()
    def rounds_that_were_handed_in_never_change(self) -> None:
        if self.cast is None:
            return
        now = {one.pk: (one.read_id, one.round, one.edit_number) for one in Submission.objects.order_by("pk")}
        assert self.submissions.items() <= now.items()
        self.submissions = now
        for read in Read.objects.all():
            rounds = sorted(round for read_id, round, _ in now.values() if read_id == read.pk)
            handed_in = read.round if read.state in machine.HANDED_IN else read.round - 1
            assert rounds == list(range(1, handed_in + 1))

    @invariant()
    def a_reader_is_a_reader_and_nothing_else(self) -> None:
        if self.cast is None:
            return
        blind = design_of(self.project()).blind
        for name in PEOPLE:
            person = self.person(name)
            known = policies.reads_for(person)
            for case in policies.cases_being_read_by(person):
                others = known.filter(case=case).exclude(reader=person)
                assert not (blind and others.exists())
                for read in others:
                    assert policies.was_submitted(read)
                    assert policies.rights_on(person, read).actions == frozenset()
            for read in policies.reads_to_review(person):
                assert read.reader != person

    @invariant()
    def nobody_judges_themselves(self) -> None:
        if self.cast is None:
            return
        for verdict in Review.objects.select_related("submission__read"):
            assert verdict.by_id != verdict.submission.read.reader_id
        readers = {(read.case_id, read.reader_id) for read in Read.objects.filter(kind=Read.Kind.READ)}
        judged = Read.objects.filter(kind=Read.Kind.ADJUDICATION)
        assert not any((read.case_id, read.reader_id) in readers for read in judged)
        for case in self.cases:
            at_it = judged.filter(case=case).exclude(state=State.SET_ASIDE)
            assert at_it.count() <= 1
            reference = ReferenceStandard.objects.filter(case=case).select_related("submission__read").first()
            if reference is not None and reference.how == ReferenceStandard.How.ADJUDICATED:
                assert reference.submission.read.state == State.ACCEPTED
            # What was accepted and is open again stands for nothing.
            assert reference is None or reference.submission.read.state != State.RETURNED


@pytest.mark.django_db
def test_random_people_doing_random_things_reach_no_illegal_state():
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=6,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=[Phase.reuse, Phase.generate],  # a walk is read as it was found: shrinking takes too long
        ),
    )
