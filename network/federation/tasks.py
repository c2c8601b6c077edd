"""Clearing away what was kept for a while."""

from datetime import timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from network.federation import catalogue
from network.models import Message, ReceivedMessage, SeenNonce

MESSAGES_KEPT = timedelta(days=7)
RECEIVED_KEPT = timedelta(days=30)
"""A message can come again only until its sender has heard that it arrived."""


@app.periodic(cron="23 * * * *")
@app.task(queueing_lock="clear_messages_between_nodes")
def clear_messages_between_nodes(timestamp: int) -> None:
    """Drop old nonces, messages that arrived a week ago, and notes of those that came a month ago."""
    now = timezone.now()
    SeenNonce.objects.filter(expires_at__lt=now).delete()
    # The last catalogue tells whether the hub took it.
    arrived = Message.objects.exclude(kind=catalogue.KIND).filter(confirmed_at__lt=now - MESSAGES_KEPT)
    arrived.delete()
    Message.objects.filter(confirmed_at=None, expires_at__lt=now - MESSAGES_KEPT).delete()
    older = Message.objects.filter(kind=catalogue.KIND, confirmed_at__lt=now - MESSAGES_KEPT)
    newest = older.order_by("node_id", "-pk").distinct("node_id")
    older.exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()
    ReceivedMessage.objects.filter(done_at__lt=now - RECEIVED_KEPT).delete()
