"""Assignment: who reads which case, by when.

`rules` says who may read a case, `giving` hands cases out, `handing` moves a read to another reader,
`judges` names adjudicators, `queue` lets readers take cases themselves, `specialties` is what members read
best. `bulk` does all of it for thousands of cases, piece by piece.
"""

from annotations.reading.assignment.giving import (
    Assigned,
    assign,
    assign_balanced,
    assign_by_specialty,
    unassign,
)
from annotations.reading.assignment.rules import open_reads_by_reader, possible_readers
from annotations.reading.machine import OPEN

__all__ = [
    "OPEN",
    "Assigned",
    "assign",
    "assign_balanced",
    "assign_by_specialty",
    "open_reads_by_reader",
    "possible_readers",
    "unassign",
]
