"""GET /datasets/ and /datasets/<slug>/studies/: what a program may look at, page by page."""

from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from atlas import policies
from atlas.models import Dataset, Series, Study


class DatasetSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    organisation = serializers.CharField(source="organisation.name")
    studies = serializers.IntegerField(source="number_of_studies")

    class Meta:
        model = Dataset
        fields = ("id", "slug", "name", "organisation", "organ", "description", "licence", "studies")


class FindingSerializer(serializers.Serializer):
    """What the quality gate says about a series."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    spoils = serializers.ListField(child=serializers.CharField())


class SeriesSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    uid = serializers.CharField(source="series_instance_uid")
    frames = serializers.IntegerField(source="frame_count")
    instances = serializers.IntegerField(source="instance_count")
    findings = FindingSerializer(many=True)
    manifest = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    class Meta:
        model = Series
        fields = (
            "id", "uid", "number", "modality", "description", "body_part", "state", "generation", "instances",
            "frames", "findings", "manifest", "thumbnail",
        )  # fmt: skip

    def get_manifest(self, series: Series) -> str:
        return f"/api/v1/series/{series.public_id}/manifest/"

    def get_thumbnail(self, series: Series) -> str | None:
        return f"/thumbnails/{series.public_id}/{series.generation}" if series.thumbnail_key else None


class StudySerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    uid = serializers.CharField(source="study_instance_uid")
    subject = serializers.CharField(source="subject.pseudonym")
    sex = serializers.CharField(source="subject.sex")
    series = SeriesSerializer(many=True)

    class Meta:
        model = Study
        fields = ("id", "uid", "subject", "sex", "age_years", "date", "time", "description", "series")


@extend_schema_view(get=extend_schema(operation_id="datasets", summary="Datasets", tags=["images"]))
class Datasets(ListAPIView):
    serializer_class = DatasetSerializer
    filter_backends = ()
    queryset = Dataset.objects.none()

    def get_queryset(self) -> QuerySet[Dataset]:
        found = policies.listed_datasets(self.request.user).select_related("organisation")
        return found.annotate(number_of_studies=Count("studies", distinct=True)).order_by("name", "pk")


@extend_schema_view(
    get=extend_schema(operation_id="studies", summary="Studies of a dataset, with series", tags=["images"])
)
class Studies(ListAPIView):
    serializer_class = StudySerializer
    filter_backends = ()
    queryset = Study.objects.none()

    def get_queryset(self) -> QuerySet[Study]:
        if getattr(self, "swagger_fake_view", False):  # drf-spectacular looks at the view without a request
            return self.queryset
        dataset = policies.listed_datasets(self.request.user).filter(slug=self.kwargs["slug"]).first()
        if dataset is None:
            raise Http404("There is no such dataset, or it is not for you.")
        found = policies.visible_studies(self.request.user).filter(dataset=dataset).select_related("subject")
        series = Series.objects.order_by("number", "pk")
        return found.prefetch_related(Prefetch("series", series)).order_by("subject__pseudonym", "date", "pk")
