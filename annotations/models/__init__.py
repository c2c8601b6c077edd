"""What is read and what came of it."""

from annotations.models.cases import Case, CaseStudy, LabelSchema, Read
from annotations.models.hanging import HangingProtocol, ReadTime
from annotations.models.imported import (
    DerivedObject,
    ImportedMark,
    ImportedMeasurement,
    ImportedPlane,
    ImportedSegment,
)
from annotations.models.journal import Annotation, Edit, MaskPlane, ParkedEdit
from annotations.models.live import Presence
from annotations.models.releases import Release, ReleaseCase, ReleaseFile
from annotations.models.reviews import Comment, Review, Submission

__all__ = [
    "Annotation",
    "Case",
    "CaseStudy",
    "Comment",
    "DerivedObject",
    "Edit",
    "HangingProtocol",
    "ImportedMark",
    "ImportedMeasurement",
    "ImportedPlane",
    "ImportedSegment",
    "LabelSchema",
    "MaskPlane",
    "ParkedEdit",
    "Presence",
    "Read",
    "ReadTime",
    "Release",
    "ReleaseCase",
    "ReleaseFile",
    "Review",
    "Submission",
]
