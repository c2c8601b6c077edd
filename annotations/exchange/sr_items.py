"""Content items of structured reports (PS3.3 C.17.3), each as a data set."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.valuerep import DS

from annotations.exchange.codes import Code

CONTAINS, INFERRED_FROM, SELECTED_FROM = "CONTAINS", "INFERRED FROM", "SELECTED FROM"
CONCEPT, OBSERVER, ACQUISITION = "HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS ACQ CONTEXT"


def item(kind: str, relation: str, name: Code | None, children: Iterable[Dataset] = ()) -> Dataset:
    found = Dataset()
    if relation:
        found.RelationshipType = relation
    found.ValueType = kind
    if name is not None:
        found.ConceptNameCodeSequence = DicomSequence([name.as_dicom()])
    if below := list(children):
        found.ContentSequence = DicomSequence(below)
    return found


def container(
    name: Code, children: Iterable[Dataset], *, template: str = "", relation: str = CONTAINS
) -> Dataset:
    found = item("CONTAINER", relation, name, children)
    found.ContinuityOfContent = "SEPARATE"
    if template:
        which = Dataset()
        which.MappingResource, which.TemplateIdentifier = "DCMR", template
        found.ContentTemplateSequence = DicomSequence([which])
    return found


def code(name: Code, value: Code, *, relation: str = CONTAINS) -> Dataset:
    found = item("CODE", relation, name)
    found.ConceptCodeSequence = DicomSequence([value.as_dicom()])
    return found


def text(name: Code, value: str, *, relation: str = CONTAINS) -> Dataset:
    found = item("TEXT", relation, name)
    found.TextValue = value
    return found


def uid(name: Code, value: str, *, relation: str = CONTAINS) -> Dataset:
    found = item("UIDREF", relation, name)
    found.UID = value
    return found


def person_name(name: Code, value: str, *, relation: str = OBSERVER) -> Dataset:
    found = item("PNAME", relation, name)
    found.PersonName = value
    return found


def number(name: Code, value: float, unit: Code, children: Iterable[Dataset] = ()) -> Dataset:
    """A decimal string has 16 characters, so the value stands beside it unrounded."""
    found = item("NUM", CONTAINS, name, children)
    measured = Dataset()
    measured.NumericValue = DS(float(value), auto_format=True)
    measured.FloatingPointValue = float(value)
    measured.MeasurementUnitsCodeSequence = DicomSequence([unit.as_dicom()])
    found.MeasuredValueSequence = DicomSequence([measured])
    return found


def image(name: Code | None, reference: Dataset, *, relation: str = CONTAINS) -> Dataset:
    """`reference` names the SOP instance, and the frame or segment in it where there are several."""
    found = item("IMAGE", relation, name)
    found.ReferencedSOPSequence = DicomSequence([reference])
    return found


def shape(
    name: Code | None, kind: str, points: ArrayLike, *, frame_of_reference_uid: str = "", relation: str
) -> Dataset:
    """In the patient, float[n, 3] in mm with a frame of reference; on an image, float[n, 2] column and row,
    with the image as child."""
    at = np.asarray(points, dtype=np.float64)
    found = item("SCOORD3D" if at.shape[1] == 3 else "SCOORD", relation, name)
    found.GraphicType, found.GraphicData = kind, at.astype(np.float32).ravel().tolist()
    if at.shape[1] == 3:
        found.ReferencedFrameOfReferenceUID = frame_of_reference_uid
    return found


def below(found: Dataset, children: Sequence[Dataset]) -> Dataset:
    """The item, with these children added."""
    found.ContentSequence = DicomSequence([*found.get("ContentSequence", ()), *children])
    return found
