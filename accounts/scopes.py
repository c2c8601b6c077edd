"""What a token opens: all that its owner may do, reading only, or releases only.

A token never opens more than its owner may: this comes before permissions, and never in their place. A view
of the API that a token for releases opens says so itself, by `release_token_methods`; nothing else does.
"""

from collections.abc import Collection

from accounts.models import ApiToken

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refusal(
    token: ApiToken, method: str, *, release_methods: Collection[str] = (), project: str = ""
) -> str | None:
    """Why this token doesn't open an address for this method, in a sentence; None where it does.

    `release_methods` are those that a token for releases may use there, `project` the slug of the project
    that the address belongs to, if to one.
    """
    if token.scope == ApiToken.Scope.READ and method not in SAFE_METHODS:
        return "This token only reads. Make one that may do everything, or do this on the page."
    if token.scope == ApiToken.Scope.RELEASES:
        if method not in release_methods:
            return "This token is for releases only. Make one of another kind for this."
        if token.project and project and project != token.project:
            return f"This token only opens the releases of {token.project}. Make one for this project."
    return None
