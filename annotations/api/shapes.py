"""The JSON of a read, as the API's schema describes it."""

from typing import Any

from rest_framework import serializers as s

from annotations.models import Read, ReadingDesign
from annotations.reading.journal.values import COORDINATE_MAX, KINDS
from annotations.reading.questions import ABOUT, TYPES
from annotations.reading.review import REASONS


class Shape(s.Serializer):
    """A serializer that only describes or checks JSON; nothing is created through it."""


def _person(**more: Any) -> dict:
    return {"name": s.CharField(), "initials": s.CharField(), **more}


def inline(name: str, fields: dict, **options: Any) -> s.Serializer:
    return type(name, (Shape,), fields)(**options)


def numbers(count: int, **options: Any) -> s.ListField:
    child = s.FloatField(min_value=-COORDINATE_MAX, max_value=COORDINATE_MAX)
    return s.ListField(child=child, min_length=count, max_length=count, **options)


STATES = s.ChoiceField(choices=Read.State.choices)


class CodeShape(Shape):
    value = s.CharField()
    scheme = s.CharField()
    meaning = s.CharField()


class LabelShape(Shape):
    key = s.CharField()
    name = s.CharField()
    color = s.CharField()
    kinds = s.ListField(child=s.ChoiceField(choices=KINDS))
    code = CodeShape(allow_null=True)
    required = s.BooleanField()  # type: ignore[assignment]
    retired = s.BooleanField(help_text="Nothing new is marked with it")


class OptionShape(Shape):
    key = s.CharField()
    name = s.CharField()
    code = CodeShape(allow_null=True)


class WhenShape(Shape):
    question = s.CharField()


WhenShape._declared_fields["is"] = s.ListField(child=s.CharField(), help_text="Keys of options")


class QuestionShape(Shape):
    key = s.CharField()
    text = s.CharField()
    of = s.ChoiceField(choices=list(ABOUT), help_text="What it asks about")
    only = s.ListField(child=s.CharField(), help_text="Labels or modalities; empty: all")
    type = s.ChoiceField(choices=list(TYPES))
    options = OptionShape(many=True)
    unit = s.CharField(help_text="UCUM")
    least = s.FloatField(allow_null=True)
    most = s.FloatField(allow_null=True)
    required = s.BooleanField()  # type: ignore[assignment]
    when = WhenShape(allow_null=True, help_text="Asked only where another answer says so")
    retired = s.BooleanField(help_text="No longer asked")


class FormerLabelShape(Shape):
    key = s.CharField()
    name = s.CharField()
    color = s.CharField()


class FormerQuestionShape(Shape):
    key = s.CharField()
    text = s.CharField()


class FormerShape(Shape):
    labels = FormerLabelShape(many=True)
    questions = FormerQuestionShape(many=True)


class FindingShape(Shape):
    code = s.CharField()
    sentence = s.CharField()
    spoils = s.ListField(child=s.CharField())


class SeriesOfReadShape(Shape):
    id = s.CharField()
    uid = s.CharField()
    number = s.IntegerField(allow_null=True)
    modality = s.CharField()
    description = s.CharField()
    images = s.IntegerField(help_text="Frames that can be shown")
    generation = s.IntegerField()
    thumbnail = s.CharField()
    manifest = s.CharField()
    findings = FindingShape(many=True)


class StudyOfReadShape(Shape):
    id = s.CharField()
    uid = s.CharField()
    date = s.DateField(allow_null=True)
    description = s.CharField()
    days_from_first = s.IntegerField(allow_null=True)
    series = SeriesOfReadShape(many=True)


class ReportedNumberShape(Shape):
    name = s.CharField()
    value = s.FloatField()
    unit = s.CharField(help_text="UCUM")
    derivation = s.CharField(help_text="Such as mean or maximum; may be empty")


class ImportedShape(Shape):
    id = s.CharField()
    series = s.CharField(help_text="The image series it lies on")
    label = s.CharField(help_text="Key of the schema's label that means the same, else its own name")  # type: ignore[assignment]
    name = s.CharField(help_text="As it came")
    kind = s.ChoiceField(choices=[*KINDS, "line"])
    origin = s.CharField(help_text="Sentences: what it is, what was reported of it, where it is from")
    slices = s.IntegerField()
    place = s.JSONField(allow_null=True, help_text="Of a shape: image and points, as in marks")
    measurements = ReportedNumberShape(many=True)


PLACE = {
    "series": s.CharField(allow_null=True),
    "sop": s.CharField(allow_null=True),
    "frame": s.IntegerField(allow_null=True),
    "point_patient_mm": numbers(3, allow_null=True),
    "point_image": numbers(2, allow_null=True),
}
_Pinned: type[Shape] = type("_Pinned", (Shape,), dict(PLACE))


class CommentShape(_Pinned):  # type: ignore[misc, valid-type]
    id = s.CharField()
    number = s.IntegerField()
    round = s.IntegerField()
    reply_to = s.CharField(allow_null=True, help_text="The comment that opened the thread")
    text = s.CharField()
    author = s.CharField()
    at = s.DateTimeField()
    resolved = s.BooleanField()


class IncidentalShape(_Pinned):  # type: ignore[misc, valid-type]
    id = s.CharField()
    study = s.CharField()
    text = s.CharField()
    urgent = s.BooleanField()
    at = s.DateTimeField()
    seen_at = s.DateTimeField(allow_null=True, help_text="When a data manager had read it")
    answer = s.CharField(allow_blank=True)
    answered_by = s.CharField(allow_null=True)
    answered_at = s.DateTimeField(allow_null=True)


class VerdictShape(Shape):
    verdict = s.ChoiceField(choices=["accept", "return"])
    reasons = s.ListField(child=s.ChoiceField(choices=list(REASONS)))
    text = s.CharField()
    author = s.CharField()
    at = s.DateTimeField()


class YouShape(Shape):
    id = s.CharField()
    name = s.CharField()
    initials = s.CharField()
    capacity = s.ChoiceField(choices=["reader", "reviewer", "lead", "fellow"])
    may_edit = s.BooleanField()
    may_submit = s.BooleanField()
    may_judge = s.BooleanField()


class NextShape(Shape):
    read = s.CharField()
    url = s.CharField()
    series = s.ListField(child=s.CharField(), help_text="Manifests to fetch ahead")


class HungPaneShape(Shape):
    series = s.CharField(allow_null=True, help_text="null: nothing of the case is what this pane asks for")
    frame = s.IntegerField(allow_null=True, help_text="To open at, from 0 in display order")
    preset = s.CharField(allow_null=True, help_text="Window, by its id")
    cut = s.ChoiceField(choices=["axial", "coronal", "sagittal"], allow_null=True)
    fused = s.CharField(allow_null=True, help_text="The series laid over it")


_HUNG = {
    "id": s.CharField(help_text="Of the project's protocol, or the name of a built-in one"),
    "name": s.CharField(),
    "layout": inline("LayoutShape", {name: s.IntegerField() for name in ("rows", "columns")}),
    "panes": HungPaneShape(many=True, help_text="Row by row"),
    "link": s.BooleanField(help_text="Whether the images scroll together"),
}
HungShape = type("HungShape", (Shape,), dict(_HUNG))
HangingShape = type(
    "HangingShape",
    (Shape,),
    {**_HUNG, "choices": HungShape(many=True, help_text="All protocols that are for this case")},
)


class ReadShape(Shape):
    id = s.CharField()
    kind = s.ChoiceField(choices=Read.Kind.choices)
    state = STATES
    round = s.IntegerField()
    you = YouShape()
    reader = inline("ReaderOfReadShape", _person(), allow_null=True)
    project = inline("ProjectOfReadShape", {name: s.CharField() for name in ("slug", "name", "url")})
    case = inline("CaseOfReadShape", {"number": s.IntegerField(), "title": s.CharField()})
    subject = inline(
        "SubjectOfReadShape",
        {
            "pseudonym": s.CharField(),
            "sex": s.CharField(allow_null=True),
            "age_years": s.IntegerField(allow_null=True, help_text="At the first study that says"),
        },
    )
    schema = inline(
        "SchemaOfReadShape",
        {
            "version": s.IntegerField(),
            "labels": LabelShape(many=True),
            "questions": QuestionShape(many=True),
            "former": FormerShape(help_text="What earlier versions had and this one hasn't"),
        },
    )
    studies = StudyOfReadShape(many=True)
    hanging = HangingShape(allow_null=True, help_text="How the case opens; null without an image")
    is_blind = s.BooleanField(help_text="Nobody sees another's work before adjudication")
    is_training = s.BooleanField(
        help_text="The caller will be told how their read compares with the reference"
    )
    lease = inline(
        "LeaseOfReadShape",
        {
            "until": s.DateTimeField(help_text="Every saved change and every open room puts it off"),
            "ran_out": s.BooleanField(help_text="Others may have taken the case since"),
        },
        allow_null=True,
        help_text="For how long a case taken from the queue is kept",
    )
    proposals = inline(
        "ProposalsOfReadShape",
        {
            "shown": s.ChoiceField(choices=ReadingDesign.Proposals.choices),
            "withheld": s.BooleanField(
                help_text="What came with the images is kept back for now, or for good"
            ),
            "unaided_number": s.IntegerField(
                allow_null=True, help_text="The last edit of the reader's own before they saw proposals"
            ),
        },
    )
    imported = ImportedShape(many=True)
    review = VerdictShape(allow_null=True, help_text="The latest verdict")
    comments = CommentShape(many=True)
    incidental = IncidentalShape(many=True, help_text="What the caller told of these images")
    fellows = inline(
        "FellowShape",
        {
            "read": s.CharField(),
            "url": s.CharField(),
            "name": s.CharField(),
            "is_yours": s.BooleanField(),
        },
        many=True,
        help_text="Where readers work in the open: the reads of this case that the caller may look at",
    )
    adjudication = s.JSONField(
        allow_null=True, help_text="As reads/<id>/adjudication/ has it; null for a read"
    )
    worklist_url = s.CharField()
    next = NextShape(allow_null=True)


class ReadRowShape(Shape):
    id = s.CharField()
    url = s.CharField()
    state = STATES
    round = s.IntegerField()
    capacity = s.ChoiceField(choices=["reader", "reviewer", "lead", "fellow"])
    project = s.CharField(help_text="Slug")
    case = s.IntegerField(help_text="Number within the project")
    reader = s.CharField()
    due = s.DateField(allow_null=True)
    changed_at = s.DateTimeField()
