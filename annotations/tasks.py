"""Jobs of the marks, case by case: reads are compared, releases written by as many workers as there are."""

from procrastinate.contrib.django import app

from annotations.cohort import writer
from annotations.cohort.releases import FINISH, WRITE_CASE
from annotations.reading import comparing
from annotations.reading.following import COMPARE_CASE


@app.task(name=WRITE_CASE)
def write_release_case(release_id: int, case_id: int) -> None:
    """Write the files of one case of a release. Running it twice changes nothing."""
    writer.write_case(release_id, case_id)


@app.task(name=FINISH)
def finish_release(release_id: int) -> None:
    """Write the tables and the manifest of a release whose cases are written, and open it."""
    writer.finish(release_id)


@app.task(name=COMPARE_CASE)
def compare_case(case_id: int) -> None:
    """Compare what was handed in for a case, and decide whether readers disagree. Twice changes nothing."""
    comparing.compare_case(case_id)
