"""`manage.py demo`: a node with demo accounts and real cases, on this machine only, until Ctrl+C."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from atlas.management.commands.serve import default_port, listen, prepare_database, serve, stop_database

LOOPBACK = "127.0.0.1"
ACCOUNTS = {
    "lead": "runs the project: cases, readers, releases",
    "reader1": "a radiologist with cases to read",
    "reader2": "another, who reads the same cases blind",
    "reviewer": "judges reads and settles disagreements",
    "scientist": "downloads labelled releases",
    "manager": "the hospital's data manager: imports images",
}
PASSWORD = "atlas-demo"  # noqa: S105 public, and good on loopback only


class Command(BaseCommand):
    help = "Start a demo node with accounts and cases on this machine's loopback address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=default_port(), help="port (default $ATLAS_PORT or 8000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:  # settings are read once, so begin anew with demo settings
            os.environ["ATLAS_DEMO"] = "1"
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
        listener = listen(LOOPBACK, options["port"])
        try:
            print("Preparing the database …", flush=True)
            prepare_database()
            print("Preparing the demo cases …", flush=True)
            import_string("annotations.demo.seed_demo")()  # by name: this app knows nothing above it
            print("Preparing the demo's catalogue …", flush=True)
            import_string("network.demo.seed_catalogue")()
            print("Starting …", flush=True)
            serve(listener, web=1, workers=1, on_ready=lambda: self._welcome(options["port"]))
        except KeyboardInterrupt:  # during the preparations
            stop_database()
        print("\nStopped. `make demo` goes on where you left.", flush=True)

    def _welcome(self, port: int) -> None:
        width = max(map(len, ACCOUNTS))
        lines = [
            "",
            f"Atlas is ready: http://{LOOPBACK}:{port}/",
            f"Sign in with the password {PASSWORD} as",
            *(f"  {name:<{width}}  {does}" for name, does in ACCOUNTS.items()),
            "Ctrl+C stops it.",
            "",
        ]
        print("\n".join(lines), flush=True)
