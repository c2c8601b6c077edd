"""The factor from Bq/mL to standardised uptake value by body weight (SUVbw), or None where it isn't sure.

After the Quantitative Imaging Biomarkers Alliance's vendor-neutral pseudo-code ("happy path only"): where
the header leaves a doubt there is no SUV rather than a wrong one.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydicom.dataset import Dataset

from atlas.dicom import values

# Between injection and scan; more is a wrong clock: after eight half-lives nothing is left to be seen.
LONGEST_DELAY = timedelta(hours=24)
HALF_LIVES_MAX = 8


@dataclass(frozen=True, slots=True)
class Suv:
    """`factor` makes SUVbw in g/mL of (stored value × slope + intercept); without one `problem` says why."""

    factor: float | None
    problem: str = ""


NO_SUV = Suv(None)


def suv_of(dataset: Dataset) -> Suv:
    """From one PET image's header."""
    units = values.text(dataset, "Units").upper()
    kind = values.text(dataset, "SUVType").upper() or "BW"  # PS3.3 C.8.9.1: absent means by body weight
    if units == "GML":
        return Suv(1.0) if kind == "BW" else Suv(None, f"its values are SUV of another kind ({kind})")
    if units != "BQML":
        return Suv(None, "its values are not activity per millilitre")
    corrected = values.text(dataset, "CorrectedImage", length_max=200).upper().split("\\")
    if "ATTN" not in corrected or "DECY" not in corrected:
        return Suv(None, "it is not corrected for attenuation and decay")
    weight_kg = values.number(dataset, "PatientWeight")
    drug = values.item(dataset, "RadiopharmaceuticalInformationSequence")
    dose_bq = values.number(drug, "RadionuclideTotalDose")
    half_life_s = values.number(drug, "RadionuclideHalfLife")
    if not weight_kg or weight_kg <= 0:
        return Suv(None, "the patient's weight is not given")
    if not dose_bq or dose_bq <= 0:
        return Suv(None, "the injected dose is not given")
    decay_correction = values.text(dataset, "DecayCorrection").upper()
    if decay_correction == "ADMIN":
        return Suv(weight_kg * 1000 / dose_bq)
    if not half_life_s or half_life_s <= 0:
        return Suv(None, "the half-life of its tracer is not given")
    delay_s = _delay_s(dataset, drug)
    if decay_correction != "START":
        return Suv(None, "it doesn't say to which time it is corrected for decay")
    if delay_s is None or delay_s > HALF_LIVES_MAX * half_life_s:
        return Suv(None, "the times of injection and scan don't go together")
    return Suv(weight_kg * 1000 / (dose_bq * 2 ** (-delay_s / half_life_s)))


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
