"""`manage.py web`: one web process on a socket that `manage.py serve` opened."""

import os
import socket
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from atlas.dicomweb.zero_copy import Protocol
from atlas.processes import die_with_parent


class Command(BaseCommand):
    help = "One web process on an open socket: what `serve` starts. Use `serve` yourself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fd", type=int, required=True, help="file descriptor of the listening socket")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        config = uvicorn.Config(
            ":".join(settings.ASGI_APPLICATION.rsplit(".", 1)),
            http=Protocol,
            log_config=None,  # Django's LOGGING speaks for all
            access_log=False,
            lifespan="off",
            proxy_headers=True,
            forwarded_allow_ips=os.environ.get("ATLAS_PROXIES", "127.0.0.1"),
            timeout_graceful_shutdown=5,
            backlog=2048,
        )
        # The socket itself and not uvicorn's `fd`, which would take it for a Unix socket and so
        # leave Nagle's delay on.
        uvicorn.Server(config).run(sockets=[socket.socket(fileno=options["fd"])])
