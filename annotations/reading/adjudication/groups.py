"""The lesions of all readers of a case, matched: which marks of each are one lesion.

Lesions of one label are matched first. What different labels are left with is matched across them where
voxels overlap by half: it is one thing that readers call by different names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from annotations.measures.agreement.lesions import Lesion, match_many, overlap_of
from annotations.reading.adjudication.readers import ReaderOf
from annotations.reading.journal import State, state_at
from annotations.reading.lesions import lesions_of

SAME_THING_DICE = 0.5  # across labels


@dataclass(frozen=True)
class Marked:
    """One reader's lesion, and the key of the label they gave it."""

    label: str
    lesion: Lesion


@dataclass(frozen=True)
class Found:
    """One lesion of the case: by reader (the public id of the read) what they marked, in the order of
    letters."""

    members: Mapping[str, Marked]

    @property
    def label(self) -> str:
        """What most call it; of as many the first reader's."""
        labels = [marked.label for marked in self.members.values()]
        return max(labels, key=labels.count)

    @property
    def labels(self) -> set[str]:
        return {marked.label for marked in self.members.values()}

    def pairs(self) -> Iterator[tuple[str, Lesion, str, Lesion]]:
        """Every two readers who marked it."""
        for (first, one), (second, other) in combinations(self.members.items(), 2):
            yield first, one.lesion, second, other.lesion


@dataclass(frozen=True)
class Handed:
    """What one reader handed in: marks, and the lesions they make, by label."""

    reader: ReaderOf
    state: State
    lesions: Mapping[str, Sequence[Lesion]]


def handed_in(readers: Sequence[ReaderOf]) -> list[Handed]:
    """Decodes every mask of every reader, each cut out to its own box."""
    found = []
    for reader in readers:
        state = state_at(reader.read, reader.submission.edit_number)
        found.append(Handed(reader, state, lesions_of(reader.submission, state=state)))
    return found


def matched(handed: Sequence[Handed], *, order: Sequence[str] = ()) -> list[Found]:
    """In the order of the labels (`order`: keys as the schema has them), then as the readers made them."""
    keys = {key for each in handed for key in each.lesions}
    known = {key: index for index, key in enumerate(order)}
    found = []
    for key in sorted(keys, key=lambda key: (known.get(key, len(known)), key)):
        own = [each.lesions.get(key, ()) for each in handed]
        for group in match_many(own):
            members = {
                each.reader.id: Marked(key, lesions[at])
                for each, lesions, at in zip(handed, own, group.members, strict=True)
                if at is not None
            }
            found.append(Found(members))
    return _across_labels(found, [each.reader.id for each in handed])


def _across_labels(found: list[Found], readers: Sequence[str]) -> list[Found]:
    """Joins what overlaps most first, as long as no reader would have two marks in one lesion."""
    open_ones = [each for each in found if len(each.members) < len(readers)]
    if len({label for each in open_ones for label in each.labels}) < 2:
        return found
    edges = []
    for (i, one), (j, other) in combinations(enumerate(found), 2):
        if one in open_ones and other in open_ones and one.label != other.label:
            dice = _most_overlap(one, other)
            if dice >= SAME_THING_DICE:
                edges.append((-dice, i, j))
    into = list(range(len(found)))
    for _dice, i, j in sorted(edges):
        first, second = into[i], into[j]
        if first == second or found[first].members.keys() & found[second].members.keys():
            continue
        both = found[first].members | found[second].members  # type: ignore[operator]
        found[first] = Found({reader: both[reader] for reader in readers if reader in both})
        into = [first if at == second else at for at in into]
    return [each for at, each in enumerate(found) if into[at] == at]


def _most_overlap(one: Found, other: Found) -> float:
    most = 0.0
    for mine in one.members.values():
        for theirs in other.members.values():
            overlap = overlap_of(mine.lesion, theirs.lesion)
            if overlap is not None and overlap.dice:
                most = max(most, overlap.dice)
    return most
