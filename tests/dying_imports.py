"""What processes that are killed have in common; imported once, by the one that they are forked from."""

import django

django.setup()

from annotations.cohort import writer  # noqa: E402, F401
from atlas.archive import intake  # noqa: E402, F401
