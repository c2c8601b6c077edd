"""What made a series: manufacturer and model of the scanner, slice thickness, pixel spacing. No Django here.

It is read from stored files, so it holds what de-identification left there.
"""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from atlas.dicom import values

LENGTH_MAX = 64
MILLIMETRES_MAX = 10_000.0

_MAKERS = {
    "siemens": "Siemens",
    "cti": "Siemens",
    "ge ": "GE",
    "ge-": "GE",
    "gems": "GE",
    "general electric": "GE",
    "philips": "Philips",
    "adac": "Philips",
    "marconi": "Philips",
    "picker": "Philips",
    "canon": "Canon",
    "toshiba": "Toshiba",
    "fuji": "Fujifilm",
    "hitachi": "Hitachi",
    "hologic": "Hologic",
    "lorad": "Hologic",
    "samsung": "Samsung",
    "uih": "United Imaging",
    "united imaging": "United Imaging",
    "shanghai united imaging": "United Imaging",
    "neusoft": "Neusoft",
    "shimadzu": "Shimadzu",
    "agfa": "Agfa",
    "carestream": "Carestream",
    "kodak": "Carestream",
    "konica": "Konica Minolta",
    "esaote": "Esaote",
    "mindray": "Mindray",
    "varian": "Varian",
    "elekta": "Elekta",
    "accuray": "Accuray",
    "bruker": "Bruker",
    "mediso": "Mediso",
    "supersonic": "SuperSonic Imagine",
    "aloka": "Aloka",
    "planmed": "Planmed",
    "ims ": "IMS Giotto",
    "sectra": "Sectra",
}
"""By how what is written begins, in small letters."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """`slice_thickness_mm` and `pixel_spacing_mm` (the larger of rows' and columns') are None where the
    header has none."""

    manufacturer: str = ""
    model_name: str = ""
    slice_thickness_mm: float | None = None
    pixel_spacing_mm: float | None = None


def scanner_of(header: Dataset) -> Scanner:
    """Of one instance. Values that can't be understood are left out."""
    measures = _measures(header)
    spacing = _first_of(header, measures, "PixelSpacing")
    thickness = values.number(header, "SliceThickness")
    if thickness is None:
        thickness = values.number(measures, "SliceThickness")
    return Scanner(
        manufacturer=maker_named(values.text(header, "Manufacturer")),
        model_name=_words(values.text(header, "ManufacturerModelName")),
        slice_thickness_mm=_millimetres(thickness),
        pixel_spacing_mm=_millimetres(max(spacing) if spacing else None),
    )


def maker_named(written: str) -> str:
    """One name for each manufacturer, however its scanners write it: "SIEMENS" and "Siemens Healthineers" are
    one. What isn't known stays as it is."""
    words = _words(written)
    folded = f"{words.casefold()} "
    return next((name for start, name in _MAKERS.items() if folded.startswith(start)), words)


def _measures(header: Dataset) -> Dataset | None:
    """The pixel measures of a multi-frame image: of all frames, or of its first (PS3.3 C.7.6.16.2.1)."""
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        found = values.item(values.item(header, sequence), "PixelMeasuresSequence")
        if found is not None:
            return found
    return None


def _first_of(header: Dataset, measures: Dataset | None, keyword: str) -> tuple[float, ...] | None:
    return values.numbers(header, keyword, 2) or values.numbers(measures, keyword, 2)


def _millimetres(number: float | None) -> float | None:
    return number if number is not None and 0 < number <= MILLIMETRES_MAX else None


def _words(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:LENGTH_MAX]
