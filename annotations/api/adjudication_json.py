"""The JSON of an adjudication; `adjudication_shapes` describes it."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Max

from annotations.models import AdjudicatedLesion, Annotation, Edit, Read
from annotations.reading import policies
from annotations.reading.adjudication import answers as asked
from annotations.reading.adjudication.answers import AnswerOf
from annotations.reading.adjudication.ending import lost_results
from annotations.reading.adjudication.fields import Plane
from annotations.reading.adjudication.readers import ReaderOf, readers_of
from annotations.reading.adjudication.results import Result
from annotations.reading.adjudication.rows import has_stopped, matching_of
from annotations.reading.adjudication.rule import in_words
from annotations.reading.adjudication.words import sentences
from annotations.reading.designs import design_of
from annotations.reading.journal import state_at
from annotations.reading.lesions import lesions_of

type Json = dict[str, Any]

FROM_NUMBERS = ("compared_to", "compared", "reads", "pairs", "least_dice", "most_apart_mm")


def adjudication_json(adjudication: Read, rights: policies.Rights) -> Json:
    """The same number of queries for any number of lesions; results edited by hand are measured again.

    Readers go by letters. Only a lead who looks on sees who they are.
    """
    rows = list(AdjudicatedLesion.objects.filter(read=adjudication))
    return _Shown(adjudication, rights, rows).whole()


def lesion_json(adjudication: Read, rights: policies.Rights, number: int) -> Json:
    """What settling or opening one lesion answers."""
    rows = list(AdjudicatedLesion.objects.filter(read=adjudication))
    shown = _Shown(adjudication, rights, rows)
    lesion = next(one for one in shown.lesions() if one["number"] == number)
    return {
        "lesion": lesion,
        "number": Read.objects.values_list("last_edit_number", flat=True).get(pk=adjudication.pk),
        "settled": shown.settled,
        "total": len(rows),
    }


def preview_json(result: Result) -> Json:
    planes = [plane for _, own in result.marks for plane in own]
    others = [value for value, own in result.marks if not own]
    return {
        "choice": result.choice,
        "series": result.series,
        "planes": [_plane_json(plane) for plane in planes],
        "marks": others,
        "numbers": result.numbers,
        "reads": result.reads,
        "staple": result.staple,
    }


class _Shown:
    """What all lesions of an adjudication need, asked once."""

    def __init__(
        self, adjudication: Read, rights: policies.Rights, rows: Sequence[AdjudicatedLesion]
    ) -> None:
        self.read = adjudication
        self.rights = rights
        self.rows = rows
        self.schema = adjudication.schema
        self.design = design_of(adjudication.case.project)
        self.readers = readers_of(adjudication.case, adjudication=adjudication)
        self.chosen = asked.answers_of(adjudication)
        self.lost = lost_results(adjudication, rows)
        self.edited = self._edited()
        self.names = _names(rows, {label["key"]: label["name"] for label in self.schema.labels})

    @property
    def settled(self) -> int:
        return sum(self._state(row) == "settled" for row in self.rows)

    def whole(self) -> Json:
        answers = asked.answers_about_the_case(self.readers, self.schema, self.chosen)
        return {
            "readers": [self._reader(reader) for reader in self.readers],
            "rule": {
                "sentence": in_words(self.design),
                "dice_below": self.design.dice_below,
                "diameter_apart_mm": self.design.diameter_apart_mm,
                "unmatched_lesion": self.design.unmatched_lesion,
                "category_differs": self.design.category_differs,
            },
            "comparing": _comparing_json(self.read),
            "settled": self.settled,
            "total": len(self.rows),
            "agreeing": sum(
                row.settled_at is None and not row.disagreements and bool(row.numbers.get("suggested"))
                for row in self.rows
            ),
            "lesions": self.lesions(),
            "answers": [_answer_json(answer) for answer in answers],
            "extra": self._extra(),
        }

    def lesions(self) -> list[Json]:
        return [self._lesion(row) for row in self.rows]

    def _reader(self, reader: ReaderOf) -> Json:
        leads = self.rights.capacity is policies.Capacity.LEAD
        return {
            "letter": reader.letter,
            "read": reader.id,
            "name": reader.read.reader.display_name if leads else None,
            "number": reader.submission.edit_number,
            "submitted_at": reader.submission.at,
        }

    def _lesion(self, row: AdjudicatedLesion) -> Json:
        numbers = row.numbers
        return {
            "number": row.number,
            "label": row.label,
            "name": self.names[row.number],
            "state": self._state(row),
            "version": row.version,
            "agree": not row.disagreements,
            "disagreements": sentences(row.disagreements),
            "present": sum(bool(member["annotations"]) for member in row.members),
            "members": row.members,
            "place": numbers["place"],
            "series": numbers["series"],
            "numbers": {name: numbers[name] for name in FROM_NUMBERS},
            "options": numbers["options"],
            "suggested": numbers["suggested"],
            "answers": [_answer_json(answer) for answer in self._answers(row)],
            "choice": row.choice,
            "reason": row.reason,
            "settled_at": row.settled_at,
            "edited": row.number in self.edited,
            "result": row.result,
            "result_numbers": self._result_numbers(row),
        }

    def _state(self, row: AdjudicatedLesion) -> str:
        if row.settled_at is None:
            return "open"
        return "lost" if row.number in self.lost else "settled"

    def _answers(self, row: AdjudicatedLesion) -> list[AnswerOf]:
        chosen = {
            answer: value
            for (of, about, answer), value in self.chosen.items()
            if of == "annotation" and about in row.result
        }
        return asked.of_lesion(self.schema, row.numbers.get("answers", {}), chosen)

    # Results changed by hand ----------------------------------------------------------------------

    def _edited(self) -> set[int]:
        """The numbers of lesions whose result was drawn on since it was settled."""
        wanted = [UUID(identity) for row in self.rows for identity in row.result]
        if not wanted:
            return set()
        edits = Edit.objects.filter(read=self.read, annotation_id__in=wanted).order_by()
        last = dict(edits.values_list("annotation_id").annotate(last=Max("number")))
        return {
            row.number
            for row in self.rows
            if any(last.get(UUID(one), 0) > row.numbers.get("settled_number", 0) for one in row.result)
        }

    def _result_numbers(self, row: AdjudicatedLesion) -> Json | None:
        if row.settled_at is None or not row.result:
            return None
        kept: Mapping[str, Any] = row.numbers.get("result", {})
        if row.number not in self.edited and any(value is not None for value in kept.values()):
            return dict(kept)
        return self._measured(row)

    def _measured(self, row: AdjudicatedLesion) -> Json | None:
        state = state_at(self.read, self.read.last_edit_number, only=[UUID(one) for one in row.result])
        found = [
            lesion
            for own in lesions_of(_Present(self.read), state=state).values()  # type: ignore[arg-type]
            for lesion in own
        ]
        if not found:
            return None
        lesion = next((one for one in found if one.voxels is not None), found[0])
        return {
            "volume_mm3": lesion.volume_mm3,
            "longest_mm": lesion.longest_mm,
            "short_mm": lesion.short_mm,
        }

    def _extra(self) -> list[str]:
        results = {identity for row in self.rows for identity in row.result}
        there = Annotation.objects.filter(read=self.read, value__isnull=False, value__has_key="kind")
        marks = there.order_by("pk").values_list("annotation_id", flat=True)
        return [str(one) for one in marks if str(one) not in results]


class _Present:
    """The read as it stands, where lesions of a submission are asked for."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.edit_number = read.last_edit_number


def _comparing_json(adjudication: Read) -> Json | None:
    """How far the job is that finds the lesions; null once they are there."""
    matching = matching_of(adjudication)
    if matching is None:
        return None
    return {"done": matching.done, "total": matching.total, "failed": has_stopped(matching)}


def _names(rows: Sequence[AdjudicatedLesion], names: Mapping[str, str]) -> dict[int, str]:
    """By number: the label's name, counted where several lesions have it."""
    count = {row.label: sum(other.label == row.label for other in rows) for row in rows}
    seen: dict[str, int] = {}
    found = {}
    for row in rows:
        seen[row.label] = seen.get(row.label, 0) + 1
        name = names.get(row.label, row.label)
        found[row.number] = f"{name} {seen[row.label]}" if count[row.label] > 1 else name
    return found


def _answer_json(answer: AnswerOf) -> Json:
    return {
        "answer": answer.answer,
        "of": answer.of,
        "id": answer.about,
        "text": answer.text,
        "type": answer.type,
        "options": answer.options,
        "unit": answer.unit,
        "said": answer.said,
        "differs": answer.differs,
        "chosen": answer.chosen,
    }


def _plane_json(plane: Plane) -> Json:
    return {
        "sop": plane.sop_instance_uid,
        "frame": plane.frame_number,
        "rle": base64.b64encode(plane.runs).decode(),
        "rows": plane.rows,
        "columns": plane.columns,
    }
