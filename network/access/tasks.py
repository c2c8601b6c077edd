"""Jobs of access."""

from procrastinate.contrib.django import app

from network.access import ending


@app.periodic(cron="7 * * * *")
@app.task(name="network.end_access", queueing_lock="end_access")
def end_access(timestamp: int) -> None:
    """Say what ended, and what will end soon."""
    ending.run()
