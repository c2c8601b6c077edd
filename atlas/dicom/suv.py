"""The factor from Bq/mL to standardised uptake value by body weight (SUVbw), or None where it isn't sure.

After the Quantitative Imaging Biomarkers Alliance's vendor-neutral pseudo-code ("happy path only"): where
the header leaves a doubt there is no SUV rather than a wrong one.
"""

from datetime import date, datetime, timedelta

from pydicom.dataset import Dataset

from atlas.dicom import values

LONGEST_DELAY = timedelta(hours=24)  # between injection and scan; more is a wrong clock


def suv_factor(dataset: Dataset) -> float | None:
    """SUVbw in g/mL = (stored value × slope + intercept) × this."""
    corrected = values.text(dataset, "CorrectedImage").upper().split("\\")
    weight_kg = values.number(dataset, "PatientWeight")
    drug = values.item(dataset, "RadiopharmaceuticalInformationSequence")
    dose_bq = values.number(drug, "RadionuclideTotalDose")
    half_life_s = values.number(drug, "RadionuclideHalfLife")
    if values.text(dataset, "Units").upper() == "GML":
        return 1.0
    if values.text(dataset, "Units").upper() != "BQML" or "ATTN" not in corrected or "DECY" not in corrected:
        return None
    if not weight_kg or weight_kg <= 0 or not dose_bq or dose_bq <= 0 or not half_life_s or half_life_s <= 0:
        return None
    decay_correction = values.text(dataset, "DecayCorrection").upper()
    if decay_correction == "ADMIN":
        return weight_kg * 1000 / dose_bq
    delay_s = _delay_s(dataset, drug)
    if decay_correction != "START" or delay_s is None:
        return None
    return weight_kg * 1000 / (dose_bq * 2 ** (-delay_s / half_life_s))


def _delay_s(dataset: Dataset, drug: Dataset | None) -> float | None:
    """Seconds from the injection to the time that decay was corrected to: the start of the series."""
    start = _moment(dataset, "SeriesDate", "SeriesTime")
    acquired = _moment(dataset, "AcquisitionDate", "AcquisitionTime")
    if start is None or (acquired is not None and start > acquired):
        return None  # the series was written anew later: its time is not the scan's
    injected = _written_moment(values.text(drug, "RadiopharmaceuticalStartDateTime"))
    if injected is None:
        at = values.clock(drug, "RadiopharmaceuticalStartTime")
        if at is None:
            return None
        injected = datetime.combine(start.date(), at)
        if injected > start:  # injected before midnight
            injected -= timedelta(days=1)
    delay = start - injected
    return delay.total_seconds() if timedelta(0) <= delay <= LONGEST_DELAY else None


def _moment(dataset: Dataset, date_keyword: str, time_keyword: str) -> datetime | None:
    on, at = values.day(dataset, date_keyword), values.clock(dataset, time_keyword)
    return datetime.combine(on, at) if on and at else None


def _written_moment(written: str) -> datetime | None:
    """A DT value without its zone: scanner and dose calibrator stand in one hospital."""
    digits = written.split("+")[0].split("-")[0]
    at = values.parse_clock(digits[8:])
    try:
        on = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return datetime.combine(on, at) if at else None
