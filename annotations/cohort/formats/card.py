"""The data card, and its bars for the release's page.

data-card.md
data-card.html
"""

from collections.abc import Iterator
from typing import Any

from annotations.cohort.card import digest
from annotations.cohort.card.content import card_of
from annotations.cohort.card.gathering import Gathered
from annotations.cohort.card.markdown import as_markdown
from annotations.cohort.card.page import as_page
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.material import CaseMaterial, ReleaseMaterial
from annotations.models import Release

MARKDOWN, PAGE = "data-card.md", "data-card.html"


class DataCard(Format):
    key, title, holds = "card", "Data card", "who, where, how labelled, agreement, limits"
    is_always_written = True

    def record(self, case: CaseMaterial) -> Any:
        return digest.of_case(case)

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        card = card_of(release.release, release.once(gathered))
        Release.objects.filter(pk=release.release.pk).update(card=card.figures)
        release.release.card = card.figures
        for path, content in ((MARKDOWN, as_markdown(card)), (PAGE, as_page(card))):
            yield PlannedFile(path, lambda stream, content=content: stream.write(content.encode()))  # type: ignore[misc]


def gathered(release: ReleaseMaterial) -> Gathered:
    """The counts of all cases that are given out; one case in memory at a time."""
    found = Gathered()
    for _, record in release.records(DataCard.key, without_marks=digest.without_marks):
        found.add(record)
    return found
