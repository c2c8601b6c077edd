"""manage.py export_audit_messages: who accessed an organisation's images, as DICOM audit messages."""

import datetime
import socket
import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Organisation
from network.access import audit_messages, log

SECURITY_AUDIT_NOTICE = 10 * 8 + 5
"""RFC 5424: facility 10 (security and authorisation), severity 5 (notice), as IHE's audit trails ask."""

MESSAGE_ID = "DICOM+RFC3881"
CONNECT_S = 10


class Command(BaseCommand):
    help = (
        "Write who accessed an organisation's images as audit messages (DICOM PS3.15 A.5), newest first, one "
        "XML document a line; or send them to an audit repository by syslog over TCP."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organisation", help="its short name: the last part of its address")
        parser.add_argument("--since", type=datetime.date.fromisoformat, help="first day, such as 2026-11-23")
        parser.add_argument("--until", type=datetime.date.fromisoformat, help="last day")
        parser.add_argument("--syslog", metavar="HOST:PORT", help="send them there instead of writing them")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(slug=options["organisation"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation {options['organisation']!r} on this node.")
        wanted = log.Wanted(since=_midnight(options["since"]), until=_midnight(options["until"], days=1))
        log.record_use(None, organisation, "command")
        lines = audit_messages.messages(
            log.every_line(organisation, wanted), site=organisation.name, source=settings.NODE_NAME
        )
        if options["syslog"]:
            count = self._send(lines, options["syslog"])
            self.stdout.write(f"{count} messages sent to {options['syslog']}.")
            return
        out = getattr(self.stdout, "_out", sys.stdout)
        for line in lines:
            out.write(line.decode())

    def _send(self, lines: Iterator[bytes], place: str) -> int:
        host, _, port = place.rpartition(":")
        if not host or not port.isdigit():
            raise CommandError("--syslog names a host and a port, as audit.example.org:6514.")
        count = 0
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S) as connection:
                for line in lines:
                    connection.sendall(framed(line))
                    count += 1
        except OSError as error:
            raise CommandError(f"{place} took {count} messages, then: {error}. Send them again.") from error
        return count


def framed(message: bytes, *, now: datetime.datetime | None = None) -> bytes:
    """A message as syslog takes it over a stream (RFC 5424, octet counting of RFC 6587)."""
    moment = (now or timezone.now()).isoformat(timespec="milliseconds")
    host = socket.gethostname().encode("ascii", "replace").decode() or "-"
    head = f"<{SECURITY_AUDIT_NOTICE}>1 {moment} {host} atlas - {MESSAGE_ID} - "
    text = head.encode() + b"\xef\xbb\xbf" + message.strip()
    return f"{len(text)} ".encode() + text


def _midnight(day: datetime.date | None, *, days: int = 0) -> datetime.datetime | None:
    if day is None:
        return None
    whole = datetime.datetime.combine(day + datetime.timedelta(days=days), datetime.time())
    return timezone.make_aware(whole)
