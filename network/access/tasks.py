"""Jobs of access."""

from procrastinate.contrib.django import app

from network.access import ending, gone


@app.periodic(cron="7 * * * *")
@app.task(name="network.end_access", queueing_lock="end_access")
def end_access(timestamp: int) -> None:
    """Say what ended, and what will end soon; and end what waits for a node that has left."""
    ending.run()
    gone.end()
