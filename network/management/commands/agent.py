"""`manage.py agent`: talks to the hub that this node joined."""

import asyncio
import signal
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from atlas.processes import die_with_parent
from network.federation import agent


class Command(BaseCommand):
    help = (
        "Talk to this node's hub until stopped: what `serve` starts once a hub is known. It only calls out. "
        "Of several, one works and the others stand by."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        asyncio.run(_run_until_stopped())
        self.stdout.write("The agent has ended.")


async def _run_until_stopped() -> None:
    working = asyncio.ensure_future(agent.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, working.cancel)
    with suppress(asyncio.CancelledError):
        await working
