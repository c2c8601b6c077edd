"""Static files for tests: the checkout is looked through once a process, as a node does when it starts."""

from typing import ClassVar

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class ScannedOnce(WhiteNoiseMiddleware):
    """Each client of a test has middleware of its own, which would look at several hundred files again."""

    found: ClassVar[dict[str, StaticFile]] = {}

    def add_files_from_finders(self) -> None:
        if not self.found:
            super().add_files_from_finders()
            self.found.update(self.files)
        self.files = self.found
