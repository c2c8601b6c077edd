"""Jobs of the marks, case by case: reads are compared, releases written by as many workers as there are."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from annotations.cohort import facts, recalls, releases, writer
from annotations.cohort.predictions import proposing, scoring
from annotations.cohort.predictions.forgetting import COUNT
from annotations.cohort.predictions.handing_in import SCORE_CASE
from annotations.cohort.predictions.proposing import PROPOSE_CASE
from annotations.cohort.recalls import TELL, TELL_OF_LIFTING
from annotations.cohort.releases import CLEAR, FINISH, WRITE_CASE
from annotations.reading import comparing, following
from annotations.reading.adjudication import rows
from annotations.reading.adjudication.rows import MATCH_LESIONS
from annotations.reading.assignment import bulk
from annotations.reading.assignment.bulk import GO_ON
from annotations.reading.designs import FOLLOW_DESIGN
from annotations.reading.following import COMPARE_CASE, FILL_FACTS
from annotations.reading.overview import kept
from annotations.reading.overview.kept import WORK_OUT_FIGURES
from annotations.reading.schemas import moving
from annotations.reading.schemas.moving import MOVE_READS


@app.task(name=WRITE_CASE)
def write_release_case(release_id: int, case_id: int) -> None:
    """Write the files of one case of a release. Running it twice changes nothing."""
    writer.write_case(release_id, case_id)


@app.task(name=FINISH)
def finish_release(release_id: int) -> None:
    """Write the tables and the manifest of a release whose cases are written, and open it."""
    writer.finish(release_id)


@app.task(name=CLEAR)
def clear_release(release_id: int) -> None:
    """Delete what was written of a cancelled release. Running it twice changes nothing."""
    releases.clear(release_id)


@app.task(name=TELL, retry=RetryStrategy(max_attempts=20, linear_wait=600))
def tell_of_recall(recall_id: int) -> None:
    """Mail whoever downloaded a recalled case. Running it twice tells nobody twice."""
    recalls.tell(recall_id)


@app.task(name=TELL_OF_LIFTING, retry=RetryStrategy(max_attempts=20, linear_wait=600))
def tell_of_lifted_recall(recall_id: int) -> None:
    """Mail whoever was told of a recall that it was lifted. Running it twice tells nobody twice."""
    recalls.tell_of_lifting(recall_id)


@app.task(name=COMPARE_CASE)
def compare_case(case_id: int) -> None:
    """Compare what was handed in for a case, and decide whether readers disagree. Twice changes nothing."""
    comparing.compare_case(case_id)


@app.task(name=MATCH_LESIONS)
def match_lesions(read_id: int) -> None:
    """Find the lesions of an adjudication. Running it twice finds them once."""
    rows.find(read_id)


@app.task(name=FILL_FACTS)
def fill_facts(submission_id: int) -> None:
    """Put what a submission says into columns, for cohorts. Running it twice changes nothing."""
    facts.fill(submission_id)


@app.task(name=FOLLOW_DESIGN)
def follow_design(project_id: int) -> None:
    """The project's rules have changed: have its cases compared and decided again."""
    following.follow_design(project_id)


@app.task(name=MOVE_READS)
def move_reads(schema_id: int, by_id: int) -> None:
    """Open reads follow a new version of the labels. Twice changes nothing."""
    moving.move_reads(schema_id, by_id)


@app.task(name=GO_ON)
def go_on_with_bulk(action_id: int) -> None:
    """The next piece of an act on many cases. Running it twice does it once."""
    bulk.go_on(action_id)


@app.task(name=WORK_OUT_FIGURES)
def work_out_figures(project_id: int, user_id: int) -> None:
    """The figures of a project that this person may be shown are worked out, and kept."""
    kept.work_out(project_id, user_id)


@app.task(name=SCORE_CASE)
def score_predicted_case(predicted_id: int) -> None:
    """What a model said of one case, against the reference. Running it twice changes nothing."""
    scoring.score_case(predicted_id)


@app.task(name=COUNT)
def count_prediction(prediction_id: int) -> None:
    """A case of a prediction is gone: perhaps nothing waits for scores any more."""
    scoring.count(prediction_id)


@app.task(name=PROPOSE_CASE)
def propose_predicted_case(predicted_id: int) -> None:
    """One case of a prediction becomes proposals. Running it twice changes nothing."""
    proposing.propose_case(predicted_id)
