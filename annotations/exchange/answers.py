"""Writes what a reader answered: as JSON beside the marks, and as rows of a table."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotations.exchange.columns import ANSWERS
from annotations.exchange.tables import ReadFacts

PARTED_BY = "; "
LABEL_STATE: dict[str, Any] = {"key": "state", "text": "Is it in the case?", "options": [], "unit": ""}


def answers_as_json(
    values: Iterable[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]], uids: Mapping[str, str]
) -> list[dict[str, Any]]:
    """In the order of the questions. `uids`: DICOM's names of studies and series, by their id here.

    `about` is case, study, series, annotation or label; `about_id` its UID, id or key.
    """
    by_key = {question["key"]: question for question in questions}
    order = {key: place for place, key in enumerate(by_key)}
    found = []
    for value in values:
        question = LABEL_STATE if value["of"] == "label" else by_key.get(value["answer"])
        if question is None:  # a verdict on a proposal stands with the proposals
            continue
        said = value["value"]
        keys = said if isinstance(said, list) else [said]
        options = {option["key"]: option for option in question["options"]}
        found.append(
            {
                "about": value["of"],
                "about_id": uids.get(value["id"], value["id"]),
                "question": question["key"],
                "question_text": question["text"],
                "answer": said,
                "answer_text": PARTED_BY.join(
                    str(options[key]["name"] if key in options else key) for key in keys
                ),
                "unit": question["unit"],
                "codes": [options[key]["code"] for key in keys if options.get(key, {}).get("code")],
            }
        )
    return sorted(found, key=lambda one: (order.get(one["question"], -1), one["about_id"]))


def answer_rows(answers: Iterable[Mapping[str, Any]], facts: ReadFacts) -> Iterator[dict[str, Any]]:
    """By `columns.ANSWERS`. Several answers to one question stand in one field."""
    for one in answers:
        said, codes = one["answer"], one["codes"]
        yield {
            **facts.row,
            "round": facts.round,
            **{key: one[key] for key in one if key in ANSWERS.names},
            "answer": PARTED_BY.join(said) if isinstance(said, list) else _written(said),
            **{f"code_{part}": PARTED_BY.join(code[part] for code in codes) for part in ("value", "scheme")},
            "code_meaning": PARTED_BY.join(code["meaning"] for code in codes),
        }


def _written(said: Any) -> str:
    """One text for a text, a number, a date or a yes and no."""
    return said if isinstance(said, str) else json.dumps(said)
