"""`manage.py make_token USER`: a token for a program that works in somebody's name."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import ApiToken, User
from accounts.services import tokens


class Command(BaseCommand):
    help = "Make a token in a person's name and print it. It is shown this once, and ends by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USER")
        parser.add_argument("--name", default="", help="what will use it: a script, a machine")
        parser.add_argument("--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.RELEASES.value)
        parser.add_argument("--project", default="", help="slug of the only project whose releases it opens")
        parser.add_argument(
            "--days", type=int, default=tokens.DAYS_BY_DEFAULT, help="until it ends, 1 to 365"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"], is_active=True).first()
        if person is None:
            raise CommandError(f"No open account has the user name {options['username']}.")
        wanted = {key: options[key] for key in ("name", "scope", "project", "days")}
        try:
            token, secret = tokens.make_token(by=person, **wanted)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stderr.write(f"It ends on {token.expires_at:%Y-%m-%d}.")
        self.stdout.write(secret)
