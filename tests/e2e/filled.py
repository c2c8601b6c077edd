"""A node with one reader and one read a subject, filled with the files that a test brings."""

import io
from collections.abc import Iterable
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from tests.e2e.node import Node
from tests.e2e.room import PASSWORD

# Whether pixels of another series than the one on the screen have been fetched.
AHEAD = """series => performance.getEntriesByType('resource')
    .some(({ name }) => name.includes('/pixels/') && !name.includes(series))"""
IDENTIFYING = (
    *("InstitutionName", "InstitutionAddress", "StationName", "AccessionNumber", "StudyID"),
    *("PatientBirthDate", "PatientBirthTime"),
)

PEOPLE = """
from accounts import permissions
from accounts.models import Organisation, User
from annotations.models import LabelSchema
from atlas.models import Dataset, DatasetGrant, Project

def person(name):
    return User.objects.create_user(username=name, email=f"{name}@hospital.example", password="%s",
                                    first_name=name.title(), last_name="Voss")

lead, reader = person("lead"), person("reader1")
organisation = Organisation.objects.create(name="Nordhain University Hospital", slug="nordhain", country="DE")
dataset = Dataset.objects.create(organisation=organisation, name="Odd", slug="odd",
                                 deidentification=Dataset.Deidentification.ALREADY_DONE)
project = Project.objects.create(organisation=organisation, name="Odd", slug="odd", created_by=lead)
permissions.grant(user=lead, role="lead", scope=project)
permissions.grant(user=reader, role="reader", scope=project)
DatasetGrant.objects.create(dataset=dataset, project=project, granted_by=lead)
kinds = ["segment", "length", "bidirectional", "ellipse", "polygon", "freehand", "point"]
LabelSchema.objects.create(project=project, version=1, created_by=lead, labels=[
    {"key": "lesion", "name": "Lesion", "color": "#f5a742", "kinds": kinds, "code": None, "required": False}])
"""

IMPORT = """
from django.core.management import call_command
call_command("import_dicom", {folder!r}, "--dataset", "odd")
"""

SHOWN = """
from atlas.archive import sealing
from atlas.models import Instance, Series
held = Instance.objects.exclude(hold="")
series = list(Series.objects.filter(instances__in=held).distinct())
held.update(hold="", text_boxes=[])  # whether pixels hold text is not what is tested here
for one in series:
    sealing.seal(one.pk)
"""

READS_FOLLOW = "The reads:"
CASES = (
    f"""
print({READS_FOLLOW!r})
"""
    + """
from accounts.models import User
from annotations.models import Read
from annotations.reading import assignment, cases
from atlas.models import Project, Study
project = Project.objects.get()
lead, reader = User.objects.get(username="lead"), User.objects.get(username="reader1")
for name in {subjects!r}:
    studies = Study.objects.filter(subject__pseudonym=name)
    cases.add_cases(by=lead, project=project, study_ids=[study.pk for study in studies])
    case = project.cases.get(subject__pseudonym=name)
    assignment.assign(by=lead, project=project, cases=[case], readers=[reader])
    print(name, Read.objects.get(case=case).public_id)
"""
)


def fill(node: Node, folder: Path, subjects: dict[str, Iterable[Path | bytes]]) -> dict[str, str]:
    """Take each subject's images in; returns the reader's read of each, in the order of the worklist."""
    for name, images in subjects.items():
        for number, image in enumerate(images):
            target = folder / name / f"{number:04d}.dcm"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_renamed(image, name))
    # In one process: each would import all of Django and numpy again.
    printed = node.python(
        PEOPLE % PASSWORD + IMPORT.format(folder=str(folder)) + SHOWN + CASES.format(subjects=list(subjects)),
        timeout_s=300,
    )
    lines = printed.partition(READS_FOLLOW)[2].split("\n")
    return dict(line.split() for line in lines if line.strip())


def _renamed(image: Path | bytes, subject: str) -> bytes:
    """The same image under a name of the test, without the names that its file's author left in."""
    dataset = pydicom.dcmread(io.BytesIO(image) if isinstance(image, bytes) else image, force=True)

    def nameless(parent: Dataset, element: pydicom.DataElement) -> None:
        if element.VR == "PN":
            element.value = ""

    dataset.walk(nameless)
    for keyword in IDENTIFYING:
        if keyword in dataset:
            setattr(dataset, keyword, "")
    dataset.PatientID = subject
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not dataset.get(keyword):
            setattr(dataset, keyword, generate_uid())
    dataset.SOPClassUID = dataset.get("SOPClassUID") or SecondaryCaptureImageStorage
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=False)
    return buffer.getvalue()
