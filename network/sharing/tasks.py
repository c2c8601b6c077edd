"""Jobs of signing in."""

from oauth2_provider.models import clear_expired
from procrastinate.contrib.django import app


@app.periodic(cron="37 * * * *")
@app.task(name="network.forget_sign_ins", queueing_lock="forget_sign_ins")
def forget_sign_ins(timestamp: int) -> None:
    """Codes and tokens live for minutes; their rows are gone within the hour."""
    clear_expired()
