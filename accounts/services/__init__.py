"""What changes people, organisations, roles and tokens: each authorises, validates, writes, records."""

from accounts.services import identities, invitations, members, organisations, people, tokens

__all__ = ["identities", "invitations", "members", "organisations", "people", "tokens"]
