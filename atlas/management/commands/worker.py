"""`manage.py worker`: runs jobs until it is told to stop."""

import asyncio
import os
from argparse import ArgumentParser
from typing import Any, cast

from django.core.management.base import BaseCommand
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from atlas.jobs import HEARTBEAT_S, STALLED_S
from atlas.processes import die_with_parent


class Command(BaseCommand):
    help = "Run jobs (sealing series, exports, imports) until stopped. Start as many as you like, anywhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=max(2, os.cpu_count() or 2),
            help="jobs at a time (default: cores)",
        )
        parser.add_argument("--queues", nargs="*", default=None, help="only these queues (default: all)")
        parser.add_argument("--once", action="store_true", help="end when no job is left")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        asyncio.run(self._run(**options))

    async def _run(self, *, concurrency: int, queues: list[str] | None, once: bool, **_: Any) -> None:
        # An app of its own: `app` keeps Django's connection, so that jobs which a job enqueues
        # belong to that job's transaction.
        connector = cast(DjangoConnector, app.connector).get_worker_connector()
        worker_app = app.with_connector(connector)
        settings: WorkerOptions = {
            "concurrency": concurrency,
            "wait": not once,
            "update_heartbeat_interval": HEARTBEAT_S,
            "stalled_worker_timeout": STALLED_S,
            # No shutdown_graceful_timeout: stopping waits for the jobs under way. One that takes too
            # long is killed with the process and runs again; a timeout would mark it aborted for good.
        }
        if queues:
            settings["queues"] = queues
        async with worker_app.open_async():
            await worker_app.run_worker_async(**settings)
