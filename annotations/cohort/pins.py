"""Packs of the archive that releases give out as they are: kept when the series gets another one, given up
when one of its images is kept back."""

from collections.abc import Collection, Iterator
from functools import partial

from django.db.models import Exists, OuterRef

from annotations.cohort import recalls, writer
from annotations.cohort.loosening import pinned_among
from annotations.models import Case, ReleaseFile
from atlas.holdings import Holding
from atlas.models import Instance, Series
from atlas.pins import LetGo, Pinner

WITH_PIXELS = frozenset({"nifti", "originals", "nnunet", "monai", "coco"})
"""Formats whose files hold pixels of images."""

KEPT_BACK = "An image of it was kept back: its pixels may show whom it is of."


def packs_of_the_past() -> Iterator[Holding]:
    """Pinned packs that the archive itself names no more, each once."""
    rows = ReleaseFile.objects.filter(is_pinned=True).exclude(object_key="")
    rows = rows.exclude(Exists(Series.objects.filter(pack_key=OuterRef("object_key"))))
    rows = rows.exclude(Exists(Instance.objects.filter(object_key=OuterRef("object_key"))))
    for file in rows.order_by("object_key", "pk").distinct("object_key").iterator():
        yield Holding(file.object_key, file.size, file.sha256, f"file {file.pk} of release {file.release_id}")


def let_go(series: Series) -> LetGo:
    """Recall the cases with this series whose pixels a release holds: files made of them can be anywhere in
    the case, and whoever downloaded them must hear of it. Within the caller's transaction."""
    objects: list[str] = []
    touched: set[int] = set()
    for case in Case.objects.filter(studies=series.study_id).select_related("project").order_by("pk"):
        held = recalls.releases_with(case.project_id, case.number)
        if not any(WITH_PIXELS & set(release.formats) for release in held):
            continue
        taken = recalls.taken_out(case, because=KEPT_BACK)
        objects += taken.objects
        touched.update(release.pk for release in taken.releases)
    return LetGo(objects, partial(_finish, sorted(touched)))


def _finish(release_ids: Collection[int]) -> None:
    """Now rather than when a worker comes to it: manifests still list the files."""
    for release_id in release_ids:
        writer.finish(release_id)


PINNER = Pinner(among=pinned_among, let_go=let_go)
