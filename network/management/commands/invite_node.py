"""`manage.py invite_node`: let one node join this hub."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from network.federation import membership


class Command(BaseCommand):
    help = "Print an invitation for one node. Its line holds a secret: whoever has it may join in that name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the node is called in this network")
        parser.add_argument("--country", default="", help="two letters, such as PT")
        parser.add_argument("--by", required=True, help="user name of the administrator who invites")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"]).first()
        if by is None:
            raise CommandError(f"There is no account {options['by']!r}.")
        try:
            invited = membership.invite(by=by, name=options["name"], country=options["country"])
        except PermissionDenied as error:
            raise CommandError(f"{options['by']} doesn't administer this node.") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(invited.text)
