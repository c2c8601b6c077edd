from django.urls import path

from atlas.views import (
    api_docs,
    clinical,
    datasets,
    deidentification,
    organisations,
    quarantine,
    receivers,
    vaults,
)

_clinical = "datasets/<slug:slug>/clinical/<str:public_id>/"

urlpatterns = [
    path("organisations/", organisations.organisations, name="organisations"),
    path("organisations/new/", organisations.new_organisation, name="organisation-new"),
    path("organisations/<slug:slug>/", organisations.organisation, name="organisation"),
    path(
        "organisations/<slug:slug>/members/", organisations.organisation_members, name="organisation-members"
    ),
    path("organisations/<slug:slug>/vault/", vaults.vault, name="organisation-vault"),
    path("organisations/<slug:slug>/vault/export/", vaults.export, name="organisation-vault-export"),
    path("organisations/<slug:slug>/datasets/new/", datasets.new_dataset, name="dataset-new"),
    path("datasets/", datasets.datasets, name="datasets"),
    path("datasets/<slug:slug>/", datasets.dataset, name="dataset"),
    path("datasets/<slug:slug>/edit/", datasets.edit_dataset, name="dataset-edit"),
    path(
        "datasets/<slug:slug>/deidentification/", deidentification.settings, name="dataset-deidentification"
    ),
    path(
        "datasets/<slug:slug>/deidentification/preview/",
        deidentification.preview_page,
        name="dataset-deidentification-preview",
    ),
    path("datasets/<slug:slug>/receivers/", receivers.receivers, name="dataset-receivers"),
    path("datasets/<slug:slug>/receivers/change/", receivers.change_receiver, name="dataset-receiver-change"),
    path("datasets/<slug:slug>/members/", datasets.dataset_members, name="dataset-members"),
    path("datasets/<slug:slug>/grants/", datasets.grant, name="dataset-grant"),
    path("datasets/<slug:slug>/grants/withdraw/", datasets.withdraw_grant, name="dataset-grant-withdraw"),
    path("datasets/<slug:slug>/import/", datasets.import_images, name="dataset-import"),
    path("datasets/<slug:slug>/uploads/<str:public_id>/", datasets.upload, name="upload"),
    path("datasets/<slug:slug>/quarantine/", quarantine.quarantined, name="quarantine"),
    path(
        "datasets/<slug:slug>/quarantine/<str:series>/<str:image>/",
        quarantine.quarantined_image,
        name="quarantined-image",
    ),
    path(
        "datasets/<slug:slug>/quarantine/<str:series>/<str:image>/picture/",
        quarantine.quarantined_picture,
        name="quarantined-picture",
    ),
    path(
        "datasets/<slug:slug>/quarantine/<str:series>/<str:image>/decide/",
        quarantine.decide,
        name="quarantine-decide",
    ),
    path("datasets/<slug:slug>/clinical/", clinical.clinical, name="clinical"),
    path(_clinical, clinical.clinical_import, name="clinical-import"),
    path(f"{_clinical}mapping.json", clinical.clinical_mapping, name="clinical-mapping"),
    path(f"{_clinical}refused.csv", clinical.clinical_refused, name="clinical-refused"),
    path(f"{_clinical}throw-away/", clinical.clinical_throw_away, name="clinical-throw-away"),
    path("datasets/<slug:slug>/subjects/<str:public_id>/", clinical.subject, name="subject"),
    path("api/docs/", api_docs.api_docs, name="api-docs"),
]
