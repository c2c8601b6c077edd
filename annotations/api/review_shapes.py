"""The JSON of a review: what is sent with it, and what changed since a round."""

from rest_framework import serializers as s

from annotations.api.shapes import Shape, inline, numbers
from annotations.models import Review
from annotations.reading.incidental import TEXT_LENGTH_MAX
from annotations.reading.review import REASONS


class SubmitShape(Shape):
    number = s.IntegerField(min_value=0, help_text="The last edit that the sender has seen")


class ReviewShape(Shape):
    verdict = s.ChoiceField(choices=Review.Verdict.choices)
    round = s.IntegerField(min_value=1)
    text = s.CharField(required=False, allow_blank=True, max_length=4000, default="")
    reasons = s.ListField(
        child=s.ChoiceField(choices=list(REASONS)), required=False, default=list, max_length=len(REASONS)
    )


class ReplyShape(Shape):
    text = s.CharField(max_length=4000)


class PlacedShape(Shape):
    """A place is a series, an image of it and a point: all or none."""

    series = s.CharField(required=False, allow_null=True, default=None)
    sop = s.CharField(required=False, allow_null=True, default=None, max_length=64)
    frame = s.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    point_patient_mm = numbers(3, required=False, allow_null=True, default=None)
    point_image = numbers(2, required=False, allow_null=True, default=None)

    def validate(self, attrs: dict) -> dict:
        image = [attrs["series"], attrs["sop"], attrs["frame"]]
        points = [attrs["point_patient_mm"], attrs["point_image"]]
        if any(part is not None for part in image + points) and any(part is None for part in image):
            raise s.ValidationError("A place needs the series, the image (sop) and its frame.")
        if all(point is not None for point in points):
            raise s.ValidationError("A place is either in the patient or on the image.")
        return attrs


class NewCommentShape(PlacedShape):
    text = s.CharField(max_length=4000)


class NewIncidentalShape(PlacedShape):
    study = s.CharField(max_length=64)
    text = s.CharField(max_length=TEXT_LENGTH_MAX)
    urgent = s.BooleanField(required=False, default=False)


# What changed since a round ---------------------------------------------------------------------


class RoundShape(Shape):
    round = s.IntegerField()
    at = s.DateTimeField()
    number = s.IntegerField(help_text="Its last edit")


class AnswerChangeShape(Shape):
    answer = s.CharField(help_text="Key of the question")
    of = s.CharField()
    id = s.CharField(allow_blank=True)
    before = s.JSONField(allow_null=True)
    after = s.JSONField(allow_null=True)


class PlaneChangeShape(Shape):
    sop = s.CharField()
    frame = s.IntegerField()
    rows = s.IntegerField()
    columns = s.IntegerField()
    added = s.CharField(allow_null=True, help_text="Runs as in marks; null: no voxel")
    removed = s.CharField(allow_null=True)


class MarkChangeShape(Shape):
    annotation = s.UUIDField()
    what = s.ChoiceField(choices=["added", "removed", "changed"])
    before = s.JSONField(allow_null=True)
    after = s.JSONField(allow_null=True)
    changed = s.ListField(
        child=s.CharField(), help_text="Names of what the mark says that changed; place: its points"
    )
    voxels = inline("VoxelsChangedShape", {name: s.IntegerField() for name in ("added", "removed", "kept")})
    numbers = inline(
        "NumbersChangedShape",
        {name: s.DictField(child=s.FloatField()) for name in ("before", "after")},
    )
    answers = AnswerChangeShape(many=True)
    planes = PlaneChangeShape(many=True)


DiffShape = type(
    "DiffShape",
    (Shape,),
    {
        "from": RoundShape(),
        "rounds": RoundShape(many=True, help_text="All that can be compared with, oldest first"),
        "number": s.IntegerField(help_text="The last edit that is compared"),
        "unchanged": s.IntegerField(help_text="Marks that are as they were"),
        "marks": MarkChangeShape(many=True),
        "answers": AnswerChangeShape(many=True, help_text="Of the case, its studies, series and labels"),
    },
)
