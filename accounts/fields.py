"""Identifiers that may stand in an address: random, so they tell nothing and can't be guessed."""

import secrets

from django.db import models

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter looks like a digit
LENGTH = 12  # 60 bits


def random_public_id() -> str:
    """12 characters of base 32, from the system's randomness."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class PublicIdField(models.CharField):
    """The random name of a row in addresses and in the API; the primary key never leaves the server."""

    def __init__(self, *args, **kwargs) -> None:
        kwargs["max_length"] = LENGTH
        kwargs["default"] = random_public_id
        kwargs["unique"] = True
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        for implied in ("max_length", "default", "unique", "editable"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs
