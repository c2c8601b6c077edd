"""Croissant: what the release holds, for programs that load data sets.

croissant.json
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from annotations.cohort.card import content
from annotations.cohort.card.agreement import agreement_of
from annotations.cohort.card.gathering import Gathered
from annotations.cohort.formats.card import gathered
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.formats.tables import table_path
from annotations.cohort.material import ReleaseMaterial
from annotations.exchange import croissant
from annotations.exchange.columns import TABLES
from annotations.exchange.croissant import File, FileSet
from annotations.exchange.tables import as_json
from annotations.models import Release, ReleaseFile

PATH = "croissant.json"
KEYWORDS = ["medical imaging", "oncology", "annotations"]
_NUMBERED = re.compile(r"^(\d+|reader-[0-9a-f]+)$")


class Croissant(Format):
    key, title, holds = "croissant", "Croissant", "what the release holds, for programs that load data sets"
    is_always_written = True

    def of_release(self, release: ReleaseMaterial) -> Iterator[PlannedFile]:
        files = [File(file.path, file.size, file.sha256) for file in release.made.values()]
        there = {file.path for file in files}
        tables = {table_path(name, "parquet"): table for name, table in TABLES.items()}
        with translation.override("en"):
            document = croissant.document(
                _about(release.release, release.once(gathered)),
                files,
                file_sets(release.release),
                {path: table for path, table in tables.items() if path in there},
            )
        yield PlannedFile(PATH, lambda stream: stream.write(as_json(document)))


def file_sets(release: Release) -> Iterator[FileSet]:
    """The files of the cases that are given out, by what their paths have in common."""
    counts: Counter[tuple[str, str]] = Counter()
    rows = ReleaseFile.objects.filter(
        release=release, release_case__isnull=False, withdrawn_at=None, is_sequestered=False
    )
    for key, path in rows.order_by().values_list("format", "path").iterator(chunk_size=5000):
        counts[key, pattern_of(path)] += 1
    for (key, pattern), n in sorted(counts.items()):
        yield FileSet(_name(key, pattern), pattern, n, f"Of the format {key}, for each case.")


def pattern_of(path: str) -> str:
    """`cases/0001/images/CT_a1.nii.gz` as `cases/*/images/*.nii.gz`."""
    *folders, name = path.split("/")
    ending = ".nii.gz" if name.endswith(".nii.gz") else name[name.rfind(".") :] if "." in name else ""
    return "/".join([*("*" if _NUMBERED.match(folder) else folder for folder in folders), f"*{ending}"])


def _name(key: str, pattern: str) -> str:
    """The format, and what in the path says more."""
    folders = [folder for folder in pattern.split("/")[:-1] if folder not in ("*", "cases", key)]
    return "/".join([key, *folders])


def _about(release: Release, found: Gathered) -> croissant.About:
    project = release.project
    cases = content.counted(found.cases, "case", "cases")
    return croissant.About(
        name=f"{project.slug}-{release.number}",
        title=release.title or f"{project.name}, release {release.number}",
        description=(
            f"{cases} of {content.counted(len(found.subjects), 'subject', 'subjects')} with "
            f"{content.counted(found.marks, 'mark', 'marks')}. {content.purpose(release)[0]}"
        ),
        version=f"{release.number}.{len(release.withdrawn_cases)}.0",
        published=f"{release.frozen_at:%Y-%m-%d}",
        url=address_of(release),
        licence=release.licence,
        citation=content.citation(release),
        creators=[project.organisation.name],
        keywords=[*KEYWORDS, *sorted(found.modalities), *(label.name for label in found.labels.values())],
        rai=_rai(release, found),
    )


def address_of(release: Release) -> str:
    """Of its page, where people find this node."""
    return settings.NODE_ADDRESS + reverse("project-release", args=[release.project.slug, release.number])


def _rai(release: Release, found: Gathered) -> dict[str, Any]:
    """By property of the vocabulary; what isn't known is left out."""
    agreement = [
        f"{row.name}: median Dice {row.dice}; there or not, Krippendorff’s alpha {row.presence}."
        for row in agreement_of(found)
    ]
    return {
        "dataCollection": " ".join([*content.people(found), *content.time(release, found)]),
        "dataCollectionType": ["Secondary Data analysis", "Manual Human Curator"],
        "dataCollectionRawData": "DICOM images that hospitals took in care and gave for research.",
        "dataCollectionMissingData": (
            "A label without a state was neither marked nor answered, which says nothing about the case. "
            "Empty fields of the tables don't apply or aren't known."
        ),
        "dataPreprocessingProtocol": content.images(found),
        "dataAnnotationProtocol": " ".join([*content.labelling(release, found), *content.design(release)]),
        "dataAnnotationPlatform": ["Atlas"],
        "dataAnnotationAnalysis": agreement,
        "annotationsPerItem": content.reads_of_a_case(found),
        "annotatorDemographics": content.readers(release, found),
        "machineAnnotationTools": sorted(found.proposed_by),
        "dataUseCases": content.purpose(release),
        "dataBiases": content.biases(found),
        "dataLimitations": content.limits(release, found),
        "personalSensitiveInformation": [
            "Medical images and findings of pseudonymous subjects, with sex, age in years, site and country; "
            "dates as de-identification left them. Readers are identifiers without names."
        ],
        "dataReleaseMaintenancePlan": " ".join(content.upkeep(release)),
    }
