"""The present, the past and the history of a read are all the journal, and undo survives a reload."""

import uuid
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.models import Read
from annotations.reading import journal
from annotations.reading.journal.gestures import value_of

from .conftest import edit, plane_value


def as_values(state) -> dict:
    """{(annotation, sop, frame): value} of a State."""
    found = {(str(mark.annotation_id), "", 0): mark.value for mark in state.annotations}
    for plane in state.planes:
        key = (str(plane.annotation_id), plane.sop_instance_uid, plane.frame_number)
        found[key] = value_of(plane)
    return found


def append(cast, read, edits):
    results, number = journal.append(user=cast.anna, read_id=read.public_id, edits=edits)
    assert [result["status"] for result in results] == ["applied"] * len(edits), results
    return number


@dataclass
class Browser:
    """Draws gestures, undoes and redoes them, and remembers what was there after every edit."""

    cast: object
    read: Read
    values: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    undo: list = field(default_factory=list)
    redo: list = field(default_factory=list)
    after: dict = field(default_factory=dict)

    def gesture(self, changes, inverts=None) -> uuid.UUID | None:
        changes = {key: value for key, value in changes.items() if self.values.get(key) != value}
        if not changes:
            return None
        group = uuid.uuid4()
        edits = []
        for (annotation, sop, frame), value in changes.items():
            seen = self.versions.get((annotation, sop, frame), 0)
            place = {"sop": sop, "frame": frame} if sop else {}
            edits.append(edit(value, annotation, seen=seen, group=group, inverts=inverts, **place))
        before = {key: self.values.get(key) for key in changes}
        number = append(self.cast, self.read, edits)
        for key, value in changes.items():
            self.versions[key] = self.versions.get(key, 0) + 1
            self.values[key] = value
        self.after[number] = self.visible()
        self.last = (group, before)
        return group

    def visible(self):
        return {
            key: value
            for key, value in self.values.items()
            if value is not None and self.values.get((key[0], "", 0)) is not None
        }

    def draw(self, changes):
        group = self.gesture(changes)
        if group:
            self.undo.append((group, self.last[1], dict(changes)))
            self.redo.clear()

    def undo_one(self):
        if self.undo:
            group, before, after = self.undo.pop()
            self.redo.append((self.gesture(before, inverts=group), before, after))

    def redo_one(self):
        if self.redo:
            group, before, after = self.redo.pop()
            self.undo.append((self.gesture(after, inverts=group), before, after))


def stacks_after_replay(gestures) -> tuple[list, list]:
    """Undo and redo as a page that was just opened finds them: the rule of the contract."""
    undo, redo = [], []
    for gesture in gestures:
        if gesture.inverts and undo and undo[-1] == gesture.inverts:
            undo.pop()
            redo.append(gesture.group)
        elif gesture.inverts and redo and redo[-1] == gesture.inverts:
            redo.pop()
            undo.append(gesture.group)
        else:
            undo.append(gesture.group)
            redo.clear()
    return undo, redo


mark_numbers = st.integers(0, 2)
voxels = st.lists(st.tuples(st.integers(0, 31), st.integers(0, 47)), min_size=1, max_size=4, unique=True)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("mark"), mark_numbers, st.sampled_from(["a", "b"])),
        st.tuples(st.just("delete"), mark_numbers),
        st.tuples(st.just("paint"), mark_numbers, st.dictionaries(st.integers(0, 3), voxels, min_size=1)),
        st.tuples(st.just("undo")),
        st.tuples(st.just("redo")),
    ),
    max_size=12,
)


@given(steps)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_state_past_history_and_undo_agree_with_what_the_reader_saw(cast, steps):
    browser = Browser(cast, cast.new_read())
    marks = [str(uuid.uuid4()) for _ in range(3)]
    for step in steps:
        if step[0] == "undo":
            browser.undo_one()
        elif step[0] == "redo":
            browser.redo_one()
        elif step[0] == "mark":
            browser.draw({(marks[step[1]], "", 0): cast.segment(note=step[2])})
        elif step[0] == "delete":
            browser.draw({key: None for key in browser.visible() if key[0] == marks[step[1]]})
        else:
            segment = marks[step[1]]
            planes = {(segment, cast.sop(index), 1): plane_value(at) for index, at in step[2].items()}
            there = browser.values.get((segment, "", 0)) or cast.segment()
            browser.draw({(segment, "", 0): there, **planes})
    read = browser.read
    assert as_values(journal.state(read)) == browser.visible()
    for number, seen in browser.after.items():
        assert as_values(journal.state_at(read, number)) == seen
    last = max(browser.after, default=0)
    gestures = journal.history(read, until_number=last, groups=1000)
    replayed = {}
    for gesture in gestures:
        for one in gesture.edits:
            key = (str(one.annotation_id), one.sop_instance_uid, one.frame_number)
            assert replayed.get(key) == one.before
            replayed[key] = one.after
    assert {key: value for key, value in replayed.items() if value} == {
        key: value for key, value in browser.values.items() if value
    }
    undo, redo = stacks_after_replay(gestures)
    assert undo == [group for group, _, _ in browser.undo]
    assert redo == [group for group, _, _ in browser.redo]


def test_a_short_history_knows_what_was_there_before_it(cast):
    mark = uuid.uuid4()
    values = [cast.length(end=(float(x), 0.0, 0.0)) for x in range(1, 6)]
    for seen, value in enumerate(values):
        append(cast, cast.read, [edit(value, mark, seen=seen)])
    gestures = journal.history(cast.read, until_number=5, groups=2)
    assert [(g.edits[0].before, g.edits[0].after) for g in gestures] == [
        (values[2], values[3]),
        (values[3], values[4]),
    ]


def test_gestures_that_arrived_mixed_keep_their_edits_together(cast):
    first, second = uuid.uuid4(), uuid.uuid4()
    a, b = uuid.uuid4(), uuid.uuid4()
    value, other = cast.length(), cast.length(end=(1.0, 1.0, 1.0))
    append(cast, cast.read, [edit(value, a, group=first)])
    append(cast, cast.read, [edit(value, b, group=second), edit(other, a, seen=1, group=first)])
    append(cast, cast.read, [edit(other, b, seen=1, group=second)])
    [gesture] = journal.history(cast.read, until_number=4, groups=1)
    assert gesture.group == second
    assert [(e.before, e.after) for e in gesture.edits] == [(None, value), (value, other)]


def test_voxels_of_a_deleted_segment_are_not_marks_but_the_page_may_bring_them_back(cast):
    segment = uuid.uuid4()
    append(cast, cast.read, [edit(cast.segment(), segment)])
    append(cast, cast.read, [edit(plane_value([(0, 0)]), segment, sop=cast.sop())])
    append(cast, cast.read, [edit(None, segment, seen=1)])
    cast.read.refresh_from_db()
    for state in (journal.state(cast.read), journal.state_at(cast.read, 3)):
        assert (state.annotations, state.planes) == ([], [])
    assert len(journal.state(cast.read, with_planes_of_deleted=True).planes) == 1


def test_the_state_of_a_large_read_takes_as_many_queries_as_that_of_a_small_one(
    cast, django_assert_max_num_queries
):
    append(cast, cast.read, [edit(cast.length()) for _ in range(200)])
    with django_assert_max_num_queries(4):
        assert len(journal.state(cast.read).annotations) == 200
    with django_assert_max_num_queries(2):
        assert len(journal.state_at(cast.read, 150).annotations) == 150


def test_marks_stand_in_the_order_they_were_made_whatever_was_changed_last(cast):
    first, second = uuid.uuid4(), uuid.uuid4()
    append(cast, cast.read, [edit(cast.length(), first)])
    append(cast, cast.read, [edit(cast.length(), second)])
    append(cast, cast.read, [edit(cast.length(), first, seen=1)])
    cast.read.refresh_from_db()
    for state in (journal.state(cast.read), journal.state_at(cast.read, 3)):
        assert [mark.annotation_id for mark in state.annotations] == [first, second]
