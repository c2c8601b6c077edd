"""People for tests: made in one way everywhere."""

from django.test import Client

from accounts.models import User

PASSWORD = "a long enough secret 4711"


def person(username: str, first_name: str = "", last_name: str = "") -> User:
    return User.objects.create_user(
        username, f"{username}@example.org", PASSWORD, first_name=first_name, last_name=last_name
    )


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
