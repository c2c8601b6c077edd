"""What every release says of itself besides its data.

agreement.txt
"""

from collections.abc import Iterator

from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.material import ReleaseMaterial


class About(Format):
    key, title, holds = "about", "About the release", "labels, parts, changes and the agreement"
    is_always_written = True

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        if agreement := release.release.agreement:
            content = f"{agreement.rstrip()}\n".encode()
            yield PlannedFile("agreement.txt", lambda stream: stream.write(content), holds_marks=False)
