"""How far the reads of a case agree, computed by a job."""


def compare_case(case_id: int) -> None:
    """Compare the submissions of a case (its primary key). Idempotent."""
