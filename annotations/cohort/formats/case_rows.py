"""What the tables say of a case and of its image series."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from pydicom import Dataset

from annotations.cohort.formats.nifti import image_path
from annotations.cohort.formats.originals import Originals, originals_path
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial
from annotations.exchange.answers import PARTED_BY
from annotations.exchange.nifti import NiftiWriter
from annotations.exchange.tables import Row
from annotations.models import CaseStudy, ReferenceStandard
from atlas.dicom import values
from atlas.models import Study


def studies_of(case: CaseMaterial) -> list[Study]:
    """In the order of the case."""
    places = CaseStudy.objects.filter(case=case.case).order_by("position").select_related("study__dataset")
    return [place.study for place in places]


def time_points(case: CaseMaterial) -> dict[str, int]:
    """By Study Instance UID, from 1."""
    return {study.study_instance_uid: place for place, study in enumerate(studies_of(case), start=1)}


def case_row(case: CaseMaterial) -> Row:
    """By `columns.CASES`."""
    release_case, subject, studies = case.release_case, case.case.subject, studies_of(case)
    dates = sorted(study.date for study in studies if study.date)
    ages = [study.age_years for study in studies if study.age_years is not None]
    return {
        **_case(case),
        "site": subject.organisation.slug,
        "country": subject.organisation.country,
        "dataset": PARTED_BY.join(sorted({study.dataset.slug for study in studies})),
        "part": release_case.part,
        "fold": release_case.fold,
        "stratum": release_case.stratum,
        "sex": subject.sex,
        "age_years": min(ages, default=None),
        "time_points": len(studies),
        "first_study_date": dates[0].isoformat() if dates else None,
        "days_spanned": (dates[-1] - dates[0]).days if dates else None,
        "series": len(case.stored),
        "reads": len(case.reads),
        "reference": _reference(case),
    }


def _case(case: CaseMaterial) -> Row:
    return {"case_number": case.case.number, "subject": case.case.subject.pseudonym}


def _reference(case: CaseMaterial) -> str:
    if case.reference is None:
        return ""
    standard = ReferenceStandard.objects.filter(case=case.case, submission=case.reference.submission).first()
    return standard.how if standard else str(ReferenceStandard.How.ACCEPTED)


def series_rows(case: CaseMaterial) -> Iterator[Row]:
    """By `columns.SERIES`, in the order of the case."""
    studies = studies_of(case)
    place = {study.pk: at for at, study in enumerate(studies, start=1)}
    first = min((study.date for study in studies if study.date), default=None)
    stored = sorted(
        case.stored.values(), key=lambda one: (place.get(one.series.study_id, 0), one.series.public_id)
    )
    for one in stored:
        study = one.series.study
        yield {
            **_case(case),
            "time_point": place.get(study.pk),
            "study_instance_uid": study.study_instance_uid,
            "study_date": study.date.isoformat() if study.date else None,
            "days_since_first": _days(first, study.date),
            **_of_series(case, one),
        }


def _days(first: date | None, then: date | None) -> int | None:
    return (then - first).days if first and then else None


def _of_series(case: CaseMaterial, stored: StoredSeries) -> dict[str, Any]:
    series, header, source = stored.series, stored.header(), stored.source
    frame = source.frames[0]
    nifti = case.nifti(stored)
    written = isinstance(nifti, NiftiWriter)
    return {
        "series_instance_uid": series.series_instance_uid,
        "series": series.public_id,
        "modality": series.modality,
        "series_number": series.number,
        "series_description": series.description,
        "body_part": series.body_part,
        "manufacturer": values.text(header, "Manufacturer"),
        "model": values.text(header, "ManufacturerModelName"),
        "frame_of_reference_uid": source.frame_of_reference_uid,
        "plane": (series.summary or {}).get("plane"),
        "frames": len(source.frames),
        "rows": frame.rows,
        "columns": frame.columns,
        "row_spacing_mm": frame.row_mm,
        "column_spacing_mm": frame.column_mm,
        "slice_distance_mm": source.slice_distance_mm if _is_stack(stored) else None,
        "slice_thickness_mm": _slice_thickness_mm(header),
        "units": source.units,
        "image": image_path(case, stored) if written and case.writes("nifti") else None,
        "originals": originals_path(case, stored) if case.writes(Originals.key) else None,
        "no_nifti_because": None if written else str(nifti),
        "findings": PARTED_BY.join(finding["code"] for finding in stored.manifest.get("findings", ())),
    }


def _is_stack(stored: StoredSeries) -> bool:
    return sum(frame.has_place for frame in stored.source.frames) > 1


def _slice_thickness_mm(header: Dataset) -> float | None:
    """As the first image says; multi-frame images say it of all frames, or of the first."""
    shared = values.item(header, "SharedFunctionalGroupsSequence")
    first = next(iter(values.items(header, "PerFrameFunctionalGroupsSequence")), None)
    groups = (values.item(one, "PixelMeasuresSequence") for one in (shared, first) if one is not None)
    for dataset in (header, *groups):
        thickness = values.number(dataset, "SliceThickness")
        if thickness:
            return thickness
    return None
