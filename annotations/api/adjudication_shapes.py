"""The JSON of adjudications, as the API's schema describes it, and the checks of what is sent."""

from rest_framework import serializers as s

from annotations.api.journal_shapes import PlaneShape
from annotations.api.shapes import OptionShape, Shape
from annotations.reading.adjudication.results import TAKES
from annotations.reading.adjudication.settling import REASON_LENGTH_MAX
from annotations.reading.journal.values import STATES


class ReaderShape(Shape):
    letter = s.CharField()
    read = s.CharField()
    name = s.CharField(allow_null=True, help_text="For leads who look on; adjudicators judge letters")
    number = s.IntegerField(help_text="Of the last edit that was handed in")
    submitted_at = s.DateTimeField()


class RuleShape(Shape):
    sentence = s.CharField()
    dice_below = s.FloatField(allow_null=True)
    diameter_apart_mm = s.FloatField(allow_null=True)
    unmatched_lesion = s.BooleanField()
    category_differs = s.BooleanField()


class AnswerOfReadersShape(Shape):
    answer = s.CharField(help_text="Key of the question")
    of = s.CharField()
    id = s.CharField()
    text = s.CharField()
    type = s.CharField()
    options = OptionShape(many=True)
    unit = s.CharField()
    said = s.DictField(help_text="By read; null: no answer")
    differs = s.BooleanField()
    chosen = s.JSONField(allow_null=True)


class MemberShape(Shape):
    read = s.CharField()
    annotations = s.ListField(child=s.UUIDField())
    label = s.CharField(allow_null=True)  # type: ignore[assignment]
    state = s.CharField(allow_null=True)
    said = s.CharField(allow_null=True, help_text="What they stated of the label, who have no such mark")


class PlaceShape(Shape):
    series = s.CharField()
    sop = s.CharField(allow_null=True)
    frame = s.IntegerField(allow_null=True)
    index = s.IntegerField(allow_null=True, help_text="From 0, in display order")
    point_patient_mm = s.ListField(child=s.FloatField(), allow_null=True)
    point_image = s.ListField(child=s.FloatField(), allow_null=True)


class NumbersOfLesionShape(Shape):
    compared_to = s.JSONField(allow_null=True, help_text="What each reader is compared with")
    compared = s.JSONField(allow_null=True)
    reads = s.DictField(help_text="By read: mm, mm³, Dice, HD95, differences, areas by slice, past the limit")
    pairs = s.ListField(child=s.JSONField())
    least_dice = s.FloatField(allow_null=True)
    most_apart_mm = s.FloatField(allow_null=True)


class LesionOfReadersShape(Shape):
    number = s.IntegerField()
    label = s.CharField()  # type: ignore[assignment]
    name = s.CharField()
    state = s.ChoiceField(choices=["open", "settled", "lost"])
    version = s.IntegerField()
    agree = s.BooleanField()
    disagreements = s.ListField(child=s.CharField())
    present = s.IntegerField(help_text="How many readers marked it")
    members = MemberShape(many=True)
    place = PlaceShape()
    series = s.CharField(allow_null=True, help_text="On whose voxels merges are made")
    numbers = NumbersOfLesionShape()
    options = s.ListField(child=s.JSONField())
    suggested = s.JSONField(allow_null=True)
    answers = AnswerOfReadersShape(many=True)
    choice = s.JSONField(allow_null=True)
    reason = s.CharField()
    settled_at = s.DateTimeField(allow_null=True)
    edited = s.BooleanField(help_text="The result was drawn on since it was settled")
    result = s.ListField(child=s.UUIDField())
    result_numbers = s.JSONField(allow_null=True)


class ComparingShape(Shape):
    done = s.IntegerField()
    total = s.IntegerField(allow_null=True, help_text="Lesions; null until they are counted")
    failed = s.BooleanField(help_text="It stopped: POST to adjudication/compare/ tries again")


class AdjudicationShape(Shape):
    readers = ReaderShape(many=True)
    rule = RuleShape()
    comparing = ComparingShape(
        allow_null=True,
        help_text="Their lesions are still being found: there is none yet. Null: all are here",
    )
    settled = s.IntegerField()
    total = s.IntegerField()
    agreeing = s.IntegerField(help_text="Open lesions that nobody disagrees about")
    lesions = LesionOfReadersShape(many=True)
    answers = AnswerOfReadersShape(many=True)
    extra = s.ListField(child=s.UUIDField(), help_text="Marks that belong to no lesion")


class DecidedShape(Shape):
    lesion = LesionOfReadersShape()
    number = s.IntegerField(help_text="Of the adjudication's last edit")
    settled = s.IntegerField()
    total = s.IntegerField()


class PlaneOfResultShape(PlaneShape):
    annotation = None  # type: ignore[assignment]
    version = None  # type: ignore[assignment]


class PreviewShape(Shape):
    choice = s.JSONField()
    series = s.CharField(allow_null=True)
    planes = PlaneOfResultShape(many=True)
    marks = s.ListField(child=s.JSONField())
    numbers = s.JSONField()
    reads = s.DictField(help_text="By read: Dice and HD95 against this result")
    staple = s.JSONField(allow_null=True, help_text="By read: sensitivity and specificity")


class StandingShape(Shape):
    """Whether a case needs adjudication, and who does it."""

    needed = s.BooleanField()
    disagreements = s.ListField(child=s.CharField())
    read = s.CharField(allow_null=True)
    url = s.CharField(allow_null=True)
    adjudicator = s.CharField(allow_null=True)
    reference = s.JSONField(allow_null=True)
    candidates = s.ListField(child=s.JSONField())


class BegunShape(Shape):
    read = s.CharField()
    url = s.CharField()


# What is sent -----------------------------------------------------------------------------------


class ChoiceShape(Shape):
    take = s.ChoiceField(choices=TAKES)
    read = s.CharField(required=False)
    at_least = s.IntegerField(required=False)


class SettleShape(Shape):
    choice = ChoiceShape()
    version = s.IntegerField(min_value=0)
    reason = s.CharField(required=False, allow_blank=True, default="", max_length=REASON_LENGTH_MAX)
    answers = s.DictField(required=False, default=dict)
    annotations = s.ListField(child=s.UUIDField(), required=False, default=list, max_length=1000)
    label = s.CharField(required=False, allow_blank=True, default="", max_length=64)  # type: ignore[assignment]
    state = s.ChoiceField(choices=STATES, required=False, allow_blank=True, default="")
    tab = s.UUIDField(required=False, allow_null=True, default=None)


class OpenShape(Shape):
    version = s.IntegerField(min_value=0)
    tab = s.UUIDField(required=False, allow_null=True, default=None)


class TabShape(Shape):
    tab = s.UUIDField(required=False, allow_null=True, default=None)


class BeginShape(Shape):
    adjudicator = s.CharField(required=False, allow_null=True, default=None, max_length=64)


class HandOverShape(Shape):
    adjudicator = s.CharField(max_length=64)
