"""The first person of a node. Everyone else comes by invitation."""

import getpass
import sys
from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.services.people import create_administrator


class Command(BaseCommand):
    help = "Create an account with the role of node administrator. Asks for what isn't given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username")
        parser.add_argument("--email")
        parser.add_argument(
            "--password-stdin", action="store_true", help="Read the password from standard input"
        )

    def handle(self, *args: object, **options: str) -> None:
        username = options["username"] or self._ask("User name: ")
        email = options["email"] or self._ask("E-mail address: ")
        password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else self._ask_password()
        try:
            person = create_administrator(username=username, email=email, password=password)
        except ValidationError as error:
            lines = [f"{field}: {' '.join(sentences)}" for field, sentences in error.message_dict.items()]
            raise CommandError("No account was made.\n" + "\n".join(lines)) from None
        self.stdout.write(
            f"{person.username} may now sign in, create organisations and invite their managers."
        )

    def _ask(self, question: str) -> str:
        if not sys.stdin.isatty():
            raise CommandError("Give --username, --email and --password-stdin, or run this in a terminal.")
        return input(question).strip()

    def _ask_password(self) -> str:
        if not sys.stdin.isatty():
            raise CommandError("Give --password-stdin, or run this in a terminal.")
        password = getpass.getpass("Password: ")
        if getpass.getpass("The same again: ") != password:
            raise CommandError("The two differ. No account was made.")
        return password
