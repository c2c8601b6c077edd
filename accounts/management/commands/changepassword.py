"""`manage.py changepassword USER`: Django's, which also ends what the old password may have opened."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import DEFAULT_DB_ALIAS, transaction

from accounts.models import User
from accounts.services import people


class Command(changepassword.Command):
    help = "Set a person's password; their sessions, tokens and connections with other nodes end."

    def handle(self, *args: Any, **options: Any) -> str:
        with transaction.atomic():
            said = super().handle(*args, **options)
            ended = people.password_was_reset(User.objects.get(username=options["username"]))
        return f"{said}. Ended: {ended.tokens} tokens, {ended.connections} connections with other nodes."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("username", metavar="USER")
        parser.set_defaults(database=DEFAULT_DB_ALIAS)
