"""What a project looks like from above: where its cases stand, what waits for a decision, who read how much,
and how far the readers agree.

Everything here is counted over what the person asking may know of (`sight`): who reads a case themselves sees
nothing of the others on it in any number, whatever their roles say.
"""

from annotations.reading.overview.decisions import Decision, decisions
from annotations.reading.overview.figures import Figures
from annotations.reading.overview.kept import Kept, figures_for
from annotations.reading.overview.listing import ProjectRow, project_rows
from annotations.reading.overview.people import (
    MemberProgress,
    add_pace,
    members_seen,
    members_with_progress,
    pace_of,
)
from annotations.reading.overview.sight import Sight, known_reads, sight_of
from annotations.reading.overview.states import (
    ORDER,
    UNASSIGNED,
    CaseState,
    Step,
    cases_with_findings,
    cases_with_state,
    funnel,
    handed_in,
    own_progress,
)

__all__ = [
    "ORDER",
    "UNASSIGNED",
    "CaseState",
    "Decision",
    "Figures",
    "Kept",
    "MemberProgress",
    "ProjectRow",
    "Sight",
    "Step",
    "add_pace",
    "cases_with_findings",
    "cases_with_state",
    "decisions",
    "figures_for",
    "funnel",
    "handed_in",
    "known_reads",
    "members_seen",
    "members_with_progress",
    "own_progress",
    "pace_of",
    "project_rows",
    "sight_of",
]
