"""What a node holds: datasets and projects, and the DICOM hierarchy below a dataset."""

from atlas.models.clinical import ClinicalFact, ClinicalImport
from atlas.models.datasets import (
    Dataset,
    DatasetGrant,
    DatasetGroupPermission,
    DatasetUserPermission,
    Receiver,
)
from atlas.models.images import Generation, Instance, Series, Study, Subject
from atlas.models.intake import Upload, UploadFile, UploadFinding
from atlas.models.projects import Project, ProjectGroupPermission, ProjectUserPermission
from atlas.models.searched import SearchedSeries
from atlas.models.vaults import Vault, VaultEntry

__all__ = [
    "ClinicalFact",
    "ClinicalImport",
    "Dataset",
    "DatasetGrant",
    "DatasetGroupPermission",
    "DatasetUserPermission",
    "Generation",
    "Instance",
    "Project",
    "ProjectGroupPermission",
    "ProjectUserPermission",
    "Receiver",
    "SearchedSeries",
    "Series",
    "Study",
    "Subject",
    "Upload",
    "UploadFile",
    "UploadFinding",
    "Vault",
    "VaultEntry",
]
