"""What the edits of a batch may point to: the labels, series and images of the read's case."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from annotations.models import Edit, ImportedMark, Read
from annotations.reading import policies
from annotations.reading.frames import Frames, frames_of
from annotations.reading.journal.sent import Refused, SentEdit
from atlas.models import Instance, Series, Study


@dataclass(frozen=True)
class Image:
    """A SOP instance of the case, the series it belongs to, and what is known of its frames."""

    series: str
    number_of_frames: int
    frames: Frames | None


class Scope:
    """Loaded once a batch, with at most five queries: Django asks nothing for an empty set of ids."""

    def __init__(self, read: Read, edits: list[SentEdit]) -> None:
        self.labels: dict[str, dict[str, Any]] = {label["key"]: label for label in read.schema.labels}
        self.questions: dict[str, dict[str, Any]] = {one["key"]: one for one in read.schema.questions}
        self.is_adjudication = read.kind == Read.Kind.ADJUDICATION  # only there marks of several merge
        values = [edit.value for edit in edits if edit.value is not None]
        planes = {edit.sop_instance_uid for edit in edits if edit.is_plane}
        self.images = self._images(read, _strings(values, "sop") | planes)
        self.series = {image.series for image in self.images.values()}
        named = _strings(values, "series") | _about(values, "series")
        self.series |= {one.public_id for one in self._series(read, named - self.series)}
        cut = [value for value in values if value.get("plane") is not None]
        self.frames_of_series: dict[str, Frames | None] = {
            one.public_id: frames_of(one) for one in self._series(read, _strings(cut, "series"))
        }
        self.studies = self._studies(read, _about(values, "study"))
        self.imported = self._imported(read, values)

    @staticmethod
    def _images(read: Read, uids: set[str]) -> dict[str, Image]:
        instances = Instance.objects.filter(
            sop_instance_uid__in=uids, series__study__case_studies__case=read.case_id
        ).select_related("series")
        return {
            instance.sop_instance_uid: Image(
                instance.series.public_id, instance.number_of_frames, frames_of(instance.series)
            )
            for instance in instances
        }

    @staticmethod
    def _series(read: Read, public_ids: set[str]) -> QuerySet[Series]:
        return Series.objects.filter(public_id__in=public_ids, study__case_studies__case=read.case_id)

    @staticmethod
    def _studies(read: Read, public_ids: set[str]) -> set[str]:
        studies = Study.objects.filter(public_id__in=public_ids, case_studies__case=read.case_id)
        return set(studies.values_list("public_id", flat=True))

    @staticmethod
    def _imported(read: Read, values: list[dict[str, Any]]) -> dict[str, str]:
        """Public id → kind of what came with the images."""
        origins = [value["origin"] for value in values if isinstance(value.get("origin"), dict)]
        public_ids = _strings(origins, "imported") | _about(values, "imported")
        if public_ids and policies.are_proposals_withheld(read, policies.Capacity.READER):
            # What was taken over before it was withheld stays the reader's own to correct.
            taken = Edit.objects.filter(read=read, value__origin__imported__in=list(public_ids))
            public_ids = set(taken.values_list("value__origin__imported", flat=True))
        if not public_ids:
            return {}
        here = {"public_id__in": public_ids, "series__study__case_studies__case": read.case_id}
        segments = policies.segments_offered(read.case_id).filter(public_id__in=public_ids)
        found = dict.fromkeys(segments.values_list("public_id", flat=True), "segment")
        if len(found) < len(public_ids):
            found |= dict(ImportedMark.objects.filter(**here).values_list("public_id", "kind"))
        return found

    def asks(self, value: dict[str, Any]) -> bool:
        """Whether the labels and questions are those that this mark or answer was made with."""
        if "answer" not in value:
            return value.get("label") in list(self.labels)
        if value.get("of") == "label":
            return value.get("id") in list(self.labels)
        if value.get("of") == "imported" or not isinstance(value["answer"], str):
            return True
        question = self.questions.get(value["answer"])
        if question is None or question["of"] != value.get("of"):
            return False
        keys = [option["key"] for option in question["options"]]
        said = value.get("value")
        return not keys or all(one in keys for one in (said if isinstance(said, list) else [said]))

    def image(self, sop_instance_uid: str, frame_number: int) -> Image:
        """Raises Refused where the case has no such image."""
        image = self.images.get(sop_instance_uid)
        if image is None:
            raise Refused("This case has no such image: it may have been withdrawn. Reload the page.")
        if not 1 <= frame_number <= max(image.number_of_frames, 1):
            raise Refused(f"This image has {image.number_of_frames} frames, no frame {frame_number}.")
        return image


def _strings(values: list[dict[str, Any]], name: str) -> set[str]:
    return {value[name] for value in values if isinstance(value.get(name), str)}


def _about(values: list[dict[str, Any]], of: str) -> set[str]:
    """What the answers among these values are about, where it is of this kind."""
    return _strings([value for value in values if value.get("of") == of], "id")
