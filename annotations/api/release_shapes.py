"""What the addresses of releases send and take, for the description of the API and to check what is sent."""

from typing import Any

from rest_framework import serializers as s

from annotations.api.shapes import Shape
from annotations.cohort.uses import PURPOSE_LENGTH_MAX
from annotations.models import Release


class ProjectShape(Shape):
    slug = s.CharField()
    name = s.CharField()


class ReleaseLine(Shape):
    """One release in a list."""

    name = s.CharField(help_text="As the client calls it: project@number")
    project = ProjectShape()
    number = s.IntegerField()
    title = s.CharField()
    licence = s.CharField()
    state = s.ChoiceField(choices=Release.State.choices)
    cases_total = s.IntegerField()
    cases_done = s.IntegerField()
    problem = s.CharField()
    frozen_at = s.DateTimeField()
    ready_at = s.DateTimeField(allow_null=True)
    manifest_sha256 = s.CharField()
    url = s.URLField()


class FormatShape(Shape):
    format = s.CharField(help_text="Its key; empty for what is about all cases and in every download")
    title = s.CharField()
    files = s.IntegerField()
    bytes = s.IntegerField()


class PartShape(Shape):
    part = s.CharField(help_text="train, validation, test or none")
    cases = s.IntegerField()
    files = s.IntegerField()
    bytes = s.IntegerField()


class WithdrawnShape(Shape):
    case = s.IntegerField()
    at = s.DateTimeField()
    reason = s.CharField()


class AgreementShape(Shape):
    text = s.CharField()
    is_accepted = s.BooleanField(help_text="By you, as it reads now")


class UseShape(Shape):
    purpose = s.CharField()
    at = s.DateTimeField()


class ReleaseShape(ReleaseLine):
    """One release, with what there is to fetch. Its files stand in its manifest."""

    purpose = s.CharField()
    citation = s.CharField()
    changelog = s.CharField()
    content = s.ChoiceField(choices=Release.Content.choices)
    split = s.JSONField(allow_null=True)
    sequestered = s.ChoiceField(choices=Release.Sequestered.choices)
    formats = FormatShape(many=True)
    parts = PartShape(many=True)
    changes = s.JSONField(allow_null=True, help_text="Since the release before")
    certificate = s.JSONField(allow_null=True, help_text="Its numbers; whole in certificate.json")
    withdrawn_cases = WithdrawnShape(many=True)
    agreement = AgreementShape(allow_null=True)
    use = UseShape(
        allow_null=True, help_text="What you said you use it for; null: say so before you download"
    )


class FileShape(Shape):
    path = s.CharField()
    format = s.CharField()
    part = s.CharField(help_text="train, validation, test or none; empty for what is about all cases")
    case = s.IntegerField(allow_null=True)
    size = s.IntegerField(help_text="Bytes")
    sha256 = s.CharField()
    withdrawn_at = s.DateTimeField(allow_null=True)
    url = s.URLField()


class ManifestShape(Shape):
    count = s.IntegerField()
    next = s.URLField(allow_null=True)
    previous = s.URLField(allow_null=True)
    files = FileShape(many=True)


class UseRequest(Shape):
    purpose = s.CharField(max_length=PURPOSE_LENGTH_MAX)
    agrees = s.BooleanField(default=False, help_text="To the release's agreement, if it has one")


class ChoiceRequest(Shape):
    """What is chosen for a release; what is left out is as on the page before anything is chosen."""

    title = s.CharField(required=False, allow_blank=True, max_length=200)
    licence = s.CharField(required=False, allow_blank=True, max_length=80)
    purpose = s.CharField(required=False, allow_blank=True, max_length=5000)
    agreement = s.CharField(required=False, allow_blank=True, max_length=50_000)
    citation = s.CharField(required=False, allow_blank=True, max_length=5000)
    changelog = s.CharField(required=False, allow_blank=True, max_length=20_000)
    query = s.JSONField(
        required=False, allow_null=True, help_text="A cohort expression; null: every accepted case"
    )
    content = s.ChoiceField(choices=Release.Content.choices, required=False)
    formats = s.ListField(child=s.CharField(max_length=16), required=False, min_length=1)
    split = s.JSONField(
        required=False, allow_null=True, help_text="kind, shares or folds, seed, strata, sites"
    )
    sequestered = s.ChoiceField(choices=Release.Sequestered.choices, required=False)

    def to_internal_value(self, data: Any) -> Any:
        known = set(self.fields)
        if isinstance(data, dict) and (unknown := sorted(set(data) - known)):
            reason = f"A release has no such choice. It has {', '.join(sorted(known))}."
            raise s.ValidationError({name: [reason] for name in unknown})
        return super().to_internal_value(data)
