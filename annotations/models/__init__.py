"""What is read and what came of it."""

from annotations.models.agreement import AdjudicatedLesion, Comparison, LesionMatching
from annotations.models.cases import Case, CaseStudy, LabelSchema, Read
from annotations.models.designs import BulkAction, ReadingDesign, ReferenceStandard, Specialty
from annotations.models.facts import LabelFact, MarkFact
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
from annotations.models.releases import (
    PredictedCase,
    Prediction,
    PredictionFile,
    Recall,
    RecallNotice,
    Release,
    ReleaseCase,
    ReleaseDownload,
    ReleaseFile,
    ReleaseRead,
    ReleaseUse,
)
from annotations.models.reviews import Comment, IncidentalFinding, Review, Submission
from annotations.models.terms import CodedTerm

__all__ = [
    "AdjudicatedLesion",
    "Annotation",
    "BulkAction",
    "Case",
    "CaseStudy",
    "CodedTerm",
    "Comment",
    "Comparison",
    "DerivedObject",
    "Edit",
    "HangingProtocol",
    "ImportedMark",
    "ImportedMeasurement",
    "ImportedPlane",
    "ImportedSegment",
    "IncidentalFinding",
    "LabelFact",
    "LabelSchema",
    "LesionMatching",
    "MarkFact",
    "MaskPlane",
    "ParkedEdit",
    "PredictedCase",
    "Prediction",
    "PredictionFile",
    "Presence",
    "Read",
    "ReadTime",
    "ReadingDesign",
    "Recall",
    "RecallNotice",
    "ReferenceStandard",
    "Release",
    "ReleaseCase",
    "ReleaseDownload",
    "ReleaseFile",
    "ReleaseRead",
    "ReleaseUse",
    "Review",
    "Specialty",
    "Submission",
]
