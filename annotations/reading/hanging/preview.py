"""What a protocol makes of a case, before anybody opens it."""

import datetime
from dataclasses import dataclass

from django.db.models import Prefetch

from annotations.models import Case
from annotations.reading.hanging.images import images_of
from annotations.reading.hanging.matching import Hung, Place, Protocol, hang, laid_out, missing_in, why_not
from annotations.reading.hanging.protocols import PRESETS
from annotations.reading.hanging.words import pane_in_words, study_in_words
from annotations.reading.shown import shown_series
from atlas.models import Series, Study

LETTERS = "ABCDEFGHI"


@dataclass(frozen=True)
class Cell:
    """One pane of the preview."""

    letter: str
    asked: str
    series: Series | None = None
    study: str = ""
    date: datetime.date | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CasePreview:
    """A case hung by one protocol. `why_not`: why it would not open like this, "" where it would."""

    case: Case
    rows: int
    columns: int
    cells: list[Cell]
    why_not: str = ""


def studies_of(case: Case) -> list[tuple[Study, list[Series]]]:
    """The case's studies in their order, each with the series that can be shown."""
    prefetched = Prefetch("series", queryset=shown_series(), to_attr="shown_series")
    studies = Study.objects.filter(case_studies__case=case).order_by("case_studies__position")
    return [(study, study.shown_series) for study in studies.prefetch_related(prefetched)]  # type: ignore[attr-defined]


def preview_of(case: Case, protocols: list[Protocol]) -> CasePreview:
    """The case as the first of these protocols that is for it hangs it; where none is, by the first all the
    same, with the reason."""
    studies = studies_of(case)
    images = images_of(studies)
    hung = next((found for protocol in protocols if (found := hang(protocol, images))), None)
    if hung is not None:
        return _preview(case, hung, studies, "")
    protocol = protocols[0]
    hung = laid_out(protocol, images)
    missing = ", ".join(LETTERS[at] for at in missing_in(hung))
    return _preview(
        case, hung, studies, why_not(protocol.rules, images) or f"Nothing is found for {missing}."
    )


def _preview(case: Case, hung: Hung, studies: list[tuple[Study, list[Series]]], why_not: str) -> CasePreview:
    series = {one.public_id: (one, study) for study, shown in studies for one in shown}
    cells = [_cell(LETTERS[at], place, series) for at, place in enumerate(hung.places)]
    return CasePreview(case, hung.protocol.rows, hung.protocol.columns, cells, why_not)


def _cell(letter: str, place: Place, series: dict[str, tuple[Series, Study]]) -> Cell:
    asked = pane_in_words(place.wanted)
    if place.series is None:
        return Cell(letter, asked)
    found, study = series[place.series.id]
    notes = [PRESETS.get(place.wanted.preset, ""), f"cut {place.wanted.cut}" if place.wanted.cut else ""]
    if place.frame is not None:
        notes.append(f"image {place.frame + 1}")
    if place.wanted.fused:
        over = f"{place.fused.description or place.fused.modality} over it" if place.fused else "no PET"
        notes.append(over)
    when = study_in_words(place.wanted.study)
    return Cell(letter, asked, found, when, study.date, tuple(note for note in notes if note))
