"""What is known of drawn subjects beside their images, as the table that a registry would send."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from network.demo.phantoms import DrawnSubject

HEADINGS = ("Patient ID", "Kind", "Name", "Value", "Start", "End")


@dataclass(frozen=True)
class Course:
    """How a disease goes: pairs of subjects take turns with `conditions` and `stages`. A treatment has its
    sort, its code, when it begins (days from the first study) and how long it lasts."""

    conditions: tuple[str, ...]
    stages: tuple[tuple[str, str, str, str], ...]
    treatments: tuple[tuple[str, str, int, int], ...]


COURSES = {
    "chest": Course(
        ("ICD10:C34.1", "ICD10:C34.3"),
        (("T1b", "N0", "M0", "IA2"), ("T2a", "N0", "M0", "IB")),
        (("surgery", "", 21, 0), ("radiotherapy", "", 28, 12)),
    ),
    "abdomen": Course(
        ("ICD10:C22.0",),
        (("T2", "N0", "M0", "II"),),
        (("immunotherapy", "ATC:L01FF05", 14, 120), ("surgery", "", 35, 0)),
    ),
    "breast": Course(
        ("ICD10:C50.4", "ICD10:C50.9"),
        (("T2", "N0", "M0", "IIA"), ("T2", "N1", "M0", "IIB")),
        (("chemotherapy", "ATC:L01CD01", 10, 84),),
    ),
    "leg": Course(
        ("ICD10:C49.2",),
        (("T2", "N0", "M0", "II"), ("T3", "N0", "M0", "IIIA")),
        (("radiotherapy", "", 14, 35), ("chemotherapy", "ATC:L01DB01", 14, 63)),
    ),
}
"""By kind of body."""


def table(subjects: Iterable[DrawnSubject]) -> bytes:
    """CSV, one fact a row."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(HEADINGS)
    for subject in subjects:
        rows.writerows((subject.name, *fact) for fact in _facts(subject))
    return written.getvalue().encode()


def _facts(subject: DrawnSubject) -> Iterator[tuple[str, str, str, str, str]]:
    """(kind, name, value, start, end)."""
    turn, course = subject.body.number // 2, COURSES[subject.body.kind]

    def day(days: int) -> str:
        return str(subject.began + timedelta(days=days))

    yield "condition", "", course.conditions[turn % len(course.conditions)], day(-20 - turn % 9), ""
    stage = course.stages[turn % len(course.stages)]
    for name, category in zip(("T", "N", "M", "group"), stage, strict=True):
        yield "stage", name, category, day(-6), ""
    for sort, code, begins, lasts in course.treatments[: 1 + turn % 2]:
        begins += turn % 5
        yield "treatment", sort, code, day(begins), day(begins + lasts) if lasts else ""
    is_followed = len(subject.days) > 1
    status = ("worse" if subject.growth > 0 else "improved") if is_followed else "stable"
    yield "status", "", status, day(subject.days[-1] + 3), ""
