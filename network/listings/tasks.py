"""Jobs of listings."""

from procrastinate.contrib.django import app

from network.listings.publishing import publish_changed


@app.periodic(cron="7 * * * *")
@app.task(name="network.publish_listings", queueing_lock="publish_listings", lock="publish_listings")
def publish_listings(timestamp: int) -> None:
    """Datasets that have changed get another version. Running it twice changes nothing."""
    publish_changed()
