"""`manage.py receive_dicom`: answer C-ECHO and C-STORE until Ctrl+C or SIGTERM.

Which AE title stands for which dataset, and who may call it, is set on the dataset's page.
"""

import os
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from atlas.archive import receiver
from atlas.models import Receiver
from atlas.processes import die_with_parent


class Command(BaseCommand):
    help = "Receive images by DICOM C-STORE, until Ctrl+C or SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; 0.0.0.0: all)"
        )
        parser.add_argument(
            "--port", type=int, default=11112, help="port (default 11112; with TLS often 2762)"
        )
        parser.add_argument(
            "--ae", nargs="*", metavar="TITLE", help="answer to these AE titles only (default: all set up)"
        )
        parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="this node's certificate (PEM)")
        parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key (PEM)")
        parser.add_argument(
            "--tls-ca", type=Path, metavar="FILE", help="senders must show a certificate of this authority"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        titles = set(options["ae"]) if options["ae"] else None
        known = set(Receiver.objects.values_list("called_ae_title", flat=True))
        if titles and (missing := titles - known):
            raise CommandError(
                f"No dataset answers to {', '.join(sorted(missing))}. Set AE titles up on the dataset's page."
            )
        try:
            server = receiver.listen(options["host"], options["port"], ae_titles=titles, tls=_tls(options))
        except OSError as error:
            raise CommandError(
                f"Can't listen on {options['host']}, port {options['port']}: {error.strerror or error}."
            ) from error
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        answers = ", ".join(sorted(titles or known)) or "no AE title yet"
        self.stdout.write(
            f"Receiving on {options['host']}:{options['port']} as {answers} (pid {os.getpid()})"
        )
        self.stdout.flush()
        stopped.wait()
        server.shutdown()


def _tls(options: dict[str, Any]) -> Any:
    if not any(options[name] for name in ("tls_cert", "tls_key", "tls_ca")):
        return None
    if not (options["tls_cert"] and options["tls_key"]):
        raise CommandError("TLS needs both --tls-cert and --tls-key.")
    try:
        return receiver.tls_context(options["tls_cert"], options["tls_key"], options["tls_ca"])
    except OSError as error:  # ssl.SSLError is one
        raise CommandError(f"The certificate, key or authority can't be used: {error}.") from error
