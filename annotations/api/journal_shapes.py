"""The JSON of a journal: edits that are sent, the marks they make, and their history."""

from rest_framework import serializers as s

from annotations.api.shapes import Shape
from annotations.reading.journal.values import KINDS


class ObjectShape(Shape):
    annotation = s.UUIDField()
    sop = s.CharField(required=False, help_text="Of a mask slice: SOP Instance UID")
    frame = s.IntegerField(required=False, help_text="Of a mask slice: from 1")


class EditShape(Shape):
    id = s.UUIDField(help_text="Made by the sender: sending the same id again changes nothing")
    group = s.UUIDField(help_text="One gesture")
    inverts = s.UUIDField(allow_null=True, required=False, help_text="The group that this one undoes")
    at = s.DateTimeField()
    object = ObjectShape()
    seen = s.IntegerField(min_value=0, help_text="Version of the object last seen; 0: none yet")
    value = s.JSONField(allow_null=True, help_text="The whole new value; null deletes")


class EditsShape(Shape):
    tab = s.UUIDField(required=False)
    edits = EditShape(many=True)


class EditResultShape(Shape):
    id = s.UUIDField()
    status = s.ChoiceField(choices=["applied", "duplicate", "conflict", "parked", "refused"])
    number = s.IntegerField(required=False)
    version = s.IntegerField(required=False)
    current = s.JSONField(required=False, allow_null=True, help_text="With a conflict: the present value")
    value = s.JSONField(required=False, help_text="What was kept, where the labels changed meanwhile")
    reason = s.CharField(required=False)


class EditsAnswerShape(Shape):
    results = EditResultShape(many=True)
    number = s.IntegerField(help_text="Of the read's last edit")


class MarkShape(Shape):
    id = s.UUIDField()
    version = s.IntegerField()
    value = s.JSONField()


class PlaneShape(Shape):
    annotation = s.UUIDField()
    sop = s.CharField()
    frame = s.IntegerField()
    version = s.IntegerField()
    rle = s.CharField(help_text="Base64 of LEB128 runs, zeros first, row by row")
    rows = s.IntegerField()
    columns = s.IntegerField()


class AnswerShape(Shape):
    id = s.UUIDField(help_text="Follows from the question and what it is about")
    version = s.IntegerField()
    value = s.JSONField(help_text="{answer, of, id, value}")


class StateShape(Shape):
    number = s.IntegerField()
    annotations = MarkShape(many=True)
    planes = PlaneShape(many=True)
    answers = AnswerShape(many=True)


class GestureEditShape(Shape):
    number = s.IntegerField()
    object = ObjectShape()
    version = s.IntegerField()
    before = s.JSONField(allow_null=True)
    after = s.JSONField(allow_null=True)


LABELS_VERSION = "Nobody drew: the read moved to this version of the labels"


class GestureShape(Shape):
    group = s.UUIDField()
    inverts = s.UUIDField(allow_null=True)
    labels_version = s.IntegerField(allow_null=True, help_text=LABELS_VERSION)
    at = s.DateTimeField()
    edits = GestureEditShape(many=True)


class HistoryShape(Shape):
    number = s.IntegerField()
    groups = GestureShape(many=True)


class ChangeShape(Shape):
    annotation = s.UUIDField()
    what = s.ChoiceField(choices=["made", "changed", "deleted"])
    value = s.JSONField(allow_null=True, help_text="Of the mark or answer: after it, else before it")
    slices = s.IntegerField(help_text="Mask slices that it touched")


class LineShape(Shape):
    group = s.UUIDField()
    inverts = s.UUIDField(allow_null=True)
    labels_version = s.IntegerField(allow_null=True, help_text=LABELS_VERSION)
    number = s.IntegerField(help_text="Of its last edit")
    at = s.DateTimeField()
    changes = ChangeShape(many=True)


class GesturesShape(Shape):
    more = s.BooleanField(help_text="Whether there are earlier ones")
    groups = LineShape(many=True)


class ParkedShape(Shape):
    reason = s.CharField()
    at = s.DateTimeField()
    edit = EditShape()


class ImportedSliceShape(Shape):
    sop = s.CharField()
    frame = s.IntegerField()
    rle = s.CharField()


class ImportedSlicesShape(Shape):
    slices = ImportedSliceShape(many=True)


class MeasurementShape(Shape):
    annotation = s.UUIDField()
    kind = s.ChoiceField(choices=KINDS)
    label = s.CharField()  # type: ignore[assignment]
    series = s.CharField()
    estimated = s.BooleanField(help_text="From the spacing at the detector")
    problem = s.CharField(allow_null=True, help_text="Why numbers are missing")
    length_mm = s.FloatField(required=False)
    length_px = s.FloatField(required=False)
    long_axis_mm = s.FloatField(required=False)
    long_axis_px = s.FloatField(required=False)
    short_axis_mm = s.FloatField(required=False)
    short_axis_px = s.FloatField(required=False)
    area_mm2 = s.FloatField(required=False)
    area_px2 = s.FloatField(required=False)
    perimeter_mm = s.FloatField(required=False)
    perimeter_px = s.FloatField(required=False)
    diameter_mm = s.FloatField(required=False)
    diameter_px = s.FloatField(required=False)
    width_mm = s.FloatField(required=False)
    width_px = s.FloatField(required=False)
    height_mm = s.FloatField(required=False)
    height_px = s.FloatField(required=False)
    depth_mm = s.FloatField(required=False)
    angle_deg = s.FloatField(required=False)
    voxels = s.IntegerField(required=False)
    slices = s.IntegerField(required=False)
    volume_ml = s.FloatField(required=False)
    longest_3d_mm = s.FloatField(required=False, help_text="Of a segment, through its slices")
