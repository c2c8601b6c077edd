"""What changes people, organisations, roles and tokens: each authorises, validates, writes, records."""

from accounts.services import invitations, members, organisations, people, tokens

__all__ = ["invitations", "members", "organisations", "people", "tokens"]
