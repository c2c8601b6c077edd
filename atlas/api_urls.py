from django.urls import path

from atlas.api import clinical, datasets, series, uploads

_clinical = "datasets/<slug:slug>/clinical/<str:public_id>/"
_upload = "datasets/<slug:slug>/uploads/<str:public_id>/"

urlpatterns = [
    path("datasets/", datasets.Datasets.as_view(), name="api-datasets"),
    path("datasets/<slug:slug>/studies/", datasets.Studies.as_view(), name="api-studies"),
    path("datasets/<slug:slug>/uploads/", uploads.Uploads.as_view(), name="api-uploads"),
    path(_upload, uploads.OneUpload.as_view(), name="api-upload"),
    path(f"{_upload}files/", uploads.UploadFiles.as_view(), name="api-upload-files"),
    path(f"{_upload}large-files/", uploads.SentFiles.as_view(), name="api-sent-files"),
    path(f"{_upload}large-files/<str:file_id>/", uploads.SentFile.as_view(), name="api-sent-file"),
    path(f"{_upload}done/", uploads.UploadDone.as_view(), name="api-upload-done"),
    path("datasets/<slug:slug>/clinical/", clinical.ClinicalImports.as_view(), name="api-clinical"),
    path(_clinical, clinical.OneClinicalImport.as_view(), name="api-clinical-import"),
    path(f"{_clinical}mapping/", clinical.ClinicalMapping.as_view(), name="api-clinical-mapping"),
    path(
        "datasets/<slug:slug>/subjects/<str:public_id>/facts/",
        clinical.SubjectFacts.as_view(),
        name="api-subject-facts",
    ),
    path("series/<str:public_id>/manifest/", series.SeriesManifest.as_view(), name="api-series-manifest"),
    path("series/<str:public_id>/pack/", series.SeriesPack.as_view(), name="api-series-pack"),
]
