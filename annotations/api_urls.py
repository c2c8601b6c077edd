"""REST for reads, then for cohorts and releases, then for what came with a series."""

from django.urls import URLPattern, path

from annotations.api import (
    adjudication,
    cohort,
    derived,
    flow,
    predictions,
    reads,
    release_files,
    releases,
    reviews,
    times,
)

READS: list[URLPattern] = [
    path("reads/", reads.ReadList.as_view(), name="api-reads"),
    path("reads/<str:public_id>/", reads.ReadDetail.as_view(), name="api-read"),
    path("reads/<str:public_id>/open/", reads.ReadOpen.as_view(), name="api-read-open"),
    path("reads/<str:public_id>/edits/", reads.Edits.as_view(), name="api-read-edits"),
    path("reads/<str:public_id>/state/", reads.ReadState.as_view(), name="api-read-state"),
    path("reads/<str:public_id>/history/", reads.History.as_view(), name="api-read-history"),
    path("reads/<str:public_id>/gestures/", reads.Gestures.as_view(), name="api-read-gestures"),
    path("reads/<str:public_id>/measurements/", reads.Measurements.as_view(), name="api-read-measurements"),
    path("reads/<str:public_id>/parked/", reads.Parked.as_view(), name="api-read-parked"),
    path(
        "reads/<str:public_id>/parked/<str:edit_id>/settle/",
        reads.SettleParked.as_view(),
        name="api-read-parked-settle",
    ),
    path(
        "reads/<str:public_id>/imported/<str:imported_id>/",
        reads.Imported.as_view(),
        name="api-read-imported",
    ),
    path("reads/<str:public_id>/submit/", reads.Submit.as_view(), name="api-read-submit"),
    path("reads/<str:public_id>/lock-unaided/", flow.LockUnaided.as_view(), name="api-read-lock-unaided"),
    path("reads/<str:public_id>/feedback/", flow.FeedbackOfRead.as_view(), name="api-read-feedback"),
    path("reads/<str:public_id>/time/", times.ReadTimeBeat.as_view(), name="api-read-time"),
    path("reads/<str:public_id>/review/", reviews.Judge.as_view(), name="api-read-review"),
    path("reads/<str:public_id>/comments/", reviews.Comments.as_view(), name="api-read-comments"),
    path(
        "reads/<str:public_id>/comments/<str:comment_id>/resolve/",
        reviews.ResolveComment.as_view(),
        name="api-read-comment-resolve",
    ),
    path(
        "reads/<str:public_id>/comments/<str:comment_id>/reopen/",
        reviews.ReopenComment.as_view(),
        name="api-read-comment-reopen",
    ),
    path(
        "reads/<str:public_id>/comments/<str:comment_id>/replies/",
        reviews.Replies.as_view(),
        name="api-read-comment-replies",
    ),
    path("reads/<str:public_id>/diff/", reviews.Changes.as_view(), name="api-read-diff"),
    path("reads/<str:public_id>/incidental/", reviews.Incidental.as_view(), name="api-read-incidental"),
]

ADJUDICATION = "reads/<str:public_id>/adjudication/"
ADJUDICATIONS: list[URLPattern] = [
    path(ADJUDICATION, adjudication.AdjudicationDetail.as_view(), name="api-adjudication"),
    path(
        f"{ADJUDICATION}reads/<str:reader_id>/state/",
        adjudication.ReaderState.as_view(),
        name="api-adjudication-state",
    ),
    path(
        f"{ADJUDICATION}lesions/<int:number>/preview/",
        adjudication.Preview.as_view(),
        name="api-adjudication-preview",
    ),
    path(
        f"{ADJUDICATION}lesions/<int:number>/settle/",
        adjudication.Settle.as_view(),
        name="api-adjudication-settle",
    ),
    path(
        f"{ADJUDICATION}lesions/<int:number>/open/",
        adjudication.Reopen.as_view(),
        name="api-adjudication-open",
    ),
    path(f"{ADJUDICATION}compare/", adjudication.Compare.as_view(), name="api-adjudication-compare"),
    path(f"{ADJUDICATION}agreed/", adjudication.SettleAgreed.as_view(), name="api-adjudication-agreed"),
    path(f"{ADJUDICATION}hand-over/", adjudication.HandOver.as_view(), name="api-adjudication-hand-over"),
    path(
        "projects/<slug:slug>/cases/<int:number>/adjudication/",
        adjudication.AdjudicationOfCase.as_view(),
        name="api-case-adjudication",
    ),
]

RELEASE = "projects/<slug:slug>/releases/<int:number>/"
RELEASES: list[URLPattern] = [
    path("releases/", releases.AllReleases.as_view(), name="api-all-releases"),
    path("projects/<slug:slug>/cohort/", cohort.Cohort.as_view(), name="api-cohort"),
    path("projects/<slug:slug>/cohort/fields/", cohort.CohortFields.as_view(), name="api-cohort-fields"),
    path("projects/<slug:slug>/releases/", releases.ReleaseList.as_view(), name="api-releases"),
    path(RELEASE, releases.ReleaseDetail.as_view(), name="api-release"),
    path(f"{RELEASE}use/", releases.ReleaseUseView.as_view(), name="api-release-use"),
    path(f"{RELEASE}cancel/", releases.ReleaseCancel.as_view(), name="api-release-cancel"),
    path(f"{RELEASE}retry/", releases.ReleaseRetry.as_view(), name="api-release-retry"),
    path(f"{RELEASE}manifest/", release_files.ReleaseManifest.as_view(), name="api-release-manifest"),
    path(f"{RELEASE}files/<path:path>", release_files.ReleaseFileView.as_view(), name="api-release-file"),
    path(f"{RELEASE}archive/", release_files.ReleaseArchiveView.as_view(), name="api-release-archive"),
]

PREDICTION = f"{RELEASE}predictions/<str:public_id>/"
PREDICTIONS: list[URLPattern] = [
    path(f"{RELEASE}predictions/", predictions.PredictionList.as_view(), name="api-predictions"),
    path(PREDICTION, predictions.PredictionDetail.as_view(), name="api-prediction"),
    path(
        f"{PREDICTION}files/<str:name>", predictions.PredictionFileView.as_view(), name="api-predicted-file"
    ),
    path(f"{PREDICTION}hand-in/", predictions.PredictionHandIn.as_view(), name="api-prediction-hand-in"),
    path(f"{PREDICTION}propose/", predictions.PredictionPropose.as_view(), name="api-prediction-propose"),
]

SERIES: list[URLPattern] = [
    path("series/<str:public_id>/derived/", derived.DerivedOfSeries.as_view(), name="api-series-derived"),
]

urlpatterns: list[URLPattern] = [*READS, *ADJUDICATIONS, *RELEASES, *PREDICTIONS, *SERIES]
