"""What a node holds: datasets and projects, and the DICOM hierarchy below a dataset."""

from atlas.models.datasets import Dataset, DatasetGrant, DatasetGroupPermission, DatasetUserPermission
from atlas.models.images import Instance, Series, Study, Subject
from atlas.models.intake import Upload, UploadFinding
from atlas.models.projects import Project, ProjectGroupPermission, ProjectUserPermission

__all__ = [
    "Dataset",
    "DatasetGrant",
    "DatasetGroupPermission",
    "DatasetUserPermission",
    "Instance",
    "Project",
    "ProjectGroupPermission",
    "ProjectUserPermission",
    "Series",
    "Study",
    "Subject",
    "Upload",
    "UploadFinding",
]
