"""Which series of a case lands where: plain arithmetic over what is known of its images.

Time points count back from the newest study: 0 is the current one, 1 the prior, 2 the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

EARLIEST, LAST = -1, -1
"""Of `Wanted.study`: the first of several time points. Of `Wanted.phase`: the last of at least three."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A series that may be hung. `plane`, `sides` and `phases` as in `atlas.dicom.summary`."""

    id: str
    time_point: int
    modality: str
    description: str
    body_part: str
    number: int
    frames: int
    plane: str = ""
    sides: tuple[tuple[str, str], ...] = ()
    phases: tuple[tuple[int, int], ...] = ()
    frame_of_reference: str = ""


@dataclass(frozen=True, slots=True)
class CaseImages:
    """The series of a case. `words` is what its current study and the series of it are called."""

    series: tuple[Shown, ...]
    time_points: int
    words: str

    @property
    def current(self) -> list[Shown]:
        return [one for one in self.series if one.time_point == 0]


@dataclass(frozen=True, slots=True)
class Rules:
    """For which cases a protocol is. Empty rules ask for nothing; all that are given must hold.

    `complete`: and every pane finds its series.
    """

    modalities: tuple[str, ...] = ()
    body_part: str = ""
    words: str = ""
    laterality: str = ""
    view: str = ""
    priors_min: int = 0
    priors_max: int | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one pane asks for. Empty parts take anything.

    `phase` counts from 1, 0 is none in particular. `preset` is a window by its id, `cut` a plane that the
    stack is cut in, `fused`: PET of the same time point is laid over it.
    """

    study: int = 0
    modality: str = ""
    words: str = ""
    plane: str = ""
    laterality: str = ""
    view: str = ""
    phase: int = 0
    preset: str = ""
    cut: str = ""
    fused: bool = False


@dataclass(frozen=True, slots=True)
class Protocol:
    """`id` is the public id of a project's own, or the key of a built-in one."""

    id: str
    name: str
    rules: Rules
    rows: int
    columns: int
    panes: tuple[Wanted, ...]
    link: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """What hangs in a pane. `frame` counts from 0 in display order; None: where the series opens itself."""

    series: Shown | None
    wanted: Wanted
    frame: int | None = None
    fused: Shown | None = None


@dataclass(frozen=True, slots=True)
class Hung:
    protocol: Protocol
    places: tuple[Place, ...]


def why_not(rules: Rules, images: CaseImages) -> str | None:
    """Why a case is none that the rules speak of, as a sentence; None where it is one."""
    current = images.current
    priors = images.time_points - 1
    missing = [name for name in rules.modalities if name not in {one.modality for one in current}]
    if missing:
        return f"The current study has no {' and no '.join(missing)}."
    if priors < rules.priors_min or (rules.priors_max is not None and priors > rules.priors_max):
        return f"It has {priors or 'no'} prior{'' if priors == 1 else 's'}."
    body_part = rules.body_part.casefold()
    if body_part and not any(body_part in one.body_part.casefold() for one in current):
        return f"No series of the current study is of the body part {rules.body_part}."
    if (rules.laterality or rules.view) and not any(
        _is_side(side, rules.laterality, rules.view) for one in current for side in one.sides
    ):
        return f"No image of the current study is {f'{rules.laterality} {rules.view}'.strip()}."
    if not contains(rules.words, images.words):
        return "The current study and its series are called otherwise."
    return None


def contains(words: str, text: str) -> bool:
    """Whether a description has the words: all of those between two commas, none of those after a minus.

    "lung, chest thin" means lung, or chest and thin; "-scout" means anything without scout.
    """
    text, words = text.casefold(), words.replace("−", "-")
    choices = [choice.split() for choice in words.casefold().split(",")]
    choices = [choice for choice in choices if choice]
    return not choices or any(
        all((word[1:] not in text) if len(word) > 1 and word[0] == "-" else word in text for word in choice)
        for choice in choices
    )


def laid_out(protocol: Protocol, images: CaseImages) -> Hung:
    """What would hang where, whether or not the protocol is for this case."""
    places: list[Place] = []
    for wanted in protocol.panes:
        places.append(_place(wanted, images, places))
    return Hung(protocol, tuple(places))


def missing_in(hung: Hung) -> list[int]:
    """The panes, from 0, that lack what they ask for."""
    return [at for at, place in enumerate(hung.places) if not _is_complete(place)]


def hang(protocol: Protocol, images: CaseImages) -> Hung | None:
    """The case as the protocol hangs it; None where its rules aren't met, or no pane finds a series."""
    if why_not(protocol.rules, images):
        return None
    hung = laid_out(protocol, images)
    is_empty = not any(place.series for place in hung.places)
    return None if is_empty or (protocol.rules.complete and missing_in(hung)) else hung


def hung_by(protocols: Sequence[Protocol], images: CaseImages) -> list[Hung]:
    """Every protocol that is for this case, in order: the first is the one it opens with."""
    return [hung for protocol in protocols if (hung := hang(protocol, images)) is not None]


def _is_complete(place: Place) -> bool:
    return place.series is not None and (place.fused is not None or not place.wanted.fused)


def _place(wanted: Wanted, images: CaseImages, before: Sequence[Place]) -> Place:
    time_point = wanted.study
    if time_point == EARLIEST:
        time_point = images.time_points - 1 or 1  # a single time point is the current one, not the first
    fitting = [
        found
        for one in images.series
        if one.time_point == time_point and (found := _fit(wanted, one, before)) is not None
    ]
    if not fitting:
        return Place(None, wanted)
    series, frame = max(fitting, key=lambda found: _rank(wanted, found[0], found[1], before))
    fused = _pet_of(series, images) if wanted.fused else None
    return Place(series, wanted, frame, fused)


@dataclass(frozen=True, slots=True, order=True)
class _Rank:
    """What makes one series hang rather than another, strongest first."""

    fresh: bool
    likeness: float
    frames: int
    earlier: int = field(default=0)


def _rank(wanted: Wanted, one: Shown, frame: int | None, before: Sequence[Place]) -> _Rank:
    """Cuts, phases and fusions show what hangs already; all others show something new. Beside another time
    point the likest series hangs, else the one with the most images."""
    hangs = any(place.series is one and place.frame == frame for place in before)
    shares = any(place.series is one for place in before)
    again = wanted.cut or wanted.phase or wanted.fused
    across = [place.series for place in before if place.series and place.series.time_point != one.time_point]
    likest = max((likeness(one, other) for other in across), default=0.0)
    return _Rank(shares if again else not hangs, round(likest, 3), one.frames, -one.number)


def likeness(one: Shown, other: Shown) -> float:
    """How much two series look like the same thing at two times, from 0 to 1."""
    ours, theirs = (set(series.description.casefold().split()) for series in (one, other))
    shared = len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0
    return (
        0.5 * (one.modality == other.modality)
        + 0.15 * (one.plane == other.plane)
        + 0.25 * shared
        + 0.1 * (min(one.frames, other.frames) / max(one.frames, other.frames, 1))
    )


def _fit(wanted: Wanted, one: Shown, before: Sequence[Place]) -> tuple[Shown, int | None] | None:
    """The series with the frame it opens at, if it is what the pane asks for."""
    if wanted.modality and one.modality != wanted.modality:
        return None
    if wanted.plane and one.plane != wanted.plane:
        return None
    if not contains(wanted.words, one.description):
        return None
    if wanted.phase:
        return _phase(wanted, one)
    if wanted.laterality or wanted.view:
        return _side(wanted, one, before)
    return one, None


def _phase(wanted: Wanted, one: Shown) -> tuple[Shown, int] | None:
    count = len(one.phases)
    if count < 2 or count < wanted.phase or (wanted.phase == LAST and count < 3):
        return None
    first, frames = one.phases[wanted.phase if wanted.phase == LAST else wanted.phase - 1]
    return one, first + (frames - 1) // 2


def _side(wanted: Wanted, one: Shown, before: Sequence[Place]) -> tuple[Shown, int | None] | None:
    at = [i for i, side in enumerate(one.sides) if _is_side(side, wanted.laterality, wanted.view)]
    if not at:
        return None
    if len(one.sides) == 1:
        return one, None
    taken = {place.frame for place in before if place.series is one}
    return one, next((i for i in at if i not in taken), at[0])


def _is_side(side: tuple[str, str], laterality: str, view: str) -> bool:
    return (not laterality or side[0] == laterality) and (not view or side[1] == view)


def _pet_of(series: Shown, images: CaseImages) -> Shown | None:
    """The PET of that time point: in the same frame of reference and corrected for attenuation, if any is."""
    pets = [
        one
        for one in images.series
        if one.modality == "PT" and one.time_point == series.time_point and one is not series
    ]
    return max(
        pets,
        key=lambda one: (
            one.frame_of_reference == series.frame_of_reference,
            contains("-nac -uncorrected -noac", one.description),
            one.frames,
            -one.number,
        ),
        default=None,
    )
