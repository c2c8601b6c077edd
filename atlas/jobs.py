"""Keeping the job queue healthy: jobs of killed workers run again, finished ones are cleared away.

Handlers are idempotent (a job may run twice) and take primary keys only.
"""

import logging

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

logger = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
"""How often a worker says that it lives."""

STALLED_S = 20.0
"""A worker silent for this long is dead, and its jobs are free for others."""

ATTEMPTS_MAX = 5
"""A job whose workers died this often is given up: it may be what kills them."""

FINISHED_KEPT_HOURS = 72


@app.periodic(cron="* * * * * */10")  # the sixth field is seconds
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Put the jobs of dead workers back into the queue."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
        if job.id is None or job.id == context.job.id:
            continue
        if job.attempts + 1 >= ATTEMPTS_MAX:
            logger.error(
                "Job %s (%s) given up: its worker died %d times.", job.id, job.task_name, ATTEMPTS_MAX
            )
            await manager.finish_job_by_id_async(job.id, status=Status.FAILED, delete_job=False)
        else:
            logger.warning("Job %s (%s) runs again: its worker died.", job.id, job.task_name)
            await manager.retry_job(job)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="clear_finished_jobs", pass_context=True)
async def clear_finished_jobs(context: JobContext, timestamp: int) -> None:
    """Drop succeeded jobs after three days; failed ones stay for whoever looks into them."""
    await context.app.job_manager.delete_old_jobs(nb_hours=FINISHED_KEPT_HOURS)
