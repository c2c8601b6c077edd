"""What can go wrong, each with the exit code of the command line."""


class AtlasError(Exception):
    """A sentence for the person who reads it: what is wrong, where, what to do."""

    exit_code = 1


class UsageError(AtlasError):
    """What was asked for can't be asked so."""

    exit_code = 2


class AuthError(AtlasError):
    """Nobody is signed in, or the token has ended."""

    exit_code = 3


class ClosedError(AtlasError):
    """There is no such release, or it isn't open to this person."""

    exit_code = 4


class NetworkError(AtlasError):
    """The node can't be reached, or keeps failing."""

    exit_code = 5


class IntegrityError(AtlasError):
    """Bytes are not those that the release names, or names are not what a release may name."""

    exit_code = 6


class DiskError(AtlasError):
    """The disk is full, or can't be written."""

    exit_code = 7


class TermsError(AtlasError):
    """A purpose has to be stated, or an agreement accepted, first."""

    exit_code = 8


class WithdrawnError(ClosedError):
    """The file was part of the release, and is no more."""


class ChangedError(IntegrityError):
    """The release has changed since its manifest was read: read it again."""
