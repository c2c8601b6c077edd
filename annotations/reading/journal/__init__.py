"""The journal of a read: edits are appended, the present follows from them.

`append` takes batches of edits from the browser; `state` and `state_at` give the marks now or as they stood
after an edit; `history` gives the gestures, for undo, review and audit.
"""

from annotations.reading.journal.appending import append
from annotations.reading.journal.gestures import Change, Gesture, GestureEdit, Line, history, listed
from annotations.reading.journal.states import Answer, Mark, PlaneOfMark, State, state, state_at

__all__ = [
    "Answer",
    "Change",
    "Gesture",
    "GestureEdit",
    "Line",
    "Mark",
    "PlaneOfMark",
    "State",
    "append",
    "history",
    "listed",
    "state",
    "state_at",
]
