"""`manage.py leave_hub`: this node takes part in its hub no more."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from network.federation import joining


class Command(BaseCommand):
    help = "Leave the hub: its catalogue forgets this node's datasets. What was agreed stays on record."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unheard = joining.leave(by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write("This node has left its hub.")
        if unheard:
            self.stdout.write(
                f"The hub hasn't heard of it: {unheard} Ask its administrator to remove this node."
            )
