"""The Basic Application Level Confidentiality Profile and the options that may be chosen beside it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """`code` and `code_meaning` are of CID 7050 (PS3.16), as written to (0012,0064)."""

    key: str
    title: str
    explains: str
    code: str
    code_meaning: str


BASIC_CODE = "113100"
BASIC_CODE_MEANING = "Basic Application Confidentiality Profile"

OPTIONS: tuple[Option, ...] = (
    Option(
        "dates",
        "Keep dates, moved",
        "Dates of one patient all move back by the same secret number of days, so the time between two "
        "visits stays right to the day. Times of day stay. Without it, dates and times are removed.",
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    Option(
        "patient_characteristics",
        "Keep age, sex, height and weight",
        "Needed for uptake values of PET. Ages of 90 and more become 90.",
        "113108",
        "Retain Patient Characteristics Option",
    ),
    Option(
        "device_identity",
        "Keep the scanner's name and serial number",
        "Needed to tell scanners apart. Whoever knows the scanner knows the hospital.",
        "113109",
        "Retain Device Identity Option",
    ),
    Option(
        "clean_descriptors",
        "Keep descriptions, cleaned",
        "Descriptions of studies, series and protocols keep the words of a list of imaging terms; every "
        "other word goes. Without it, they are removed.",
        "113105",
        "Clean Descriptors Option",
    ),
    Option(
        "clean_graphics",
        "Keep drawn marks, cleaned",
        "Shapes drawn in presentation states and regions in overlays stay, their texts are cleaned. Overlays "
        "that may hold drawn letters go.",
        "113103",
        "Clean Graphics Option",
    ),
    Option(
        "clean_structured_content",
        "Keep measurements in structured reports, cleaned",
        "Numbers, codes, shapes and references stay; names go, texts are cleaned. Without it, structured "
        "reports lose their content.",
        "113104",
        "Clean Structured Content Option",
    ),
    Option(
        "clean_pixel_data",
        "Say that pixels were searched for text",
        "Images that may hold text in their pixels are always searched, and wait in quarantine where some is "
        "found. With this, those that hold none or were released say so in their header.",
        "113101",
        "Clean Pixel Data Option",
    ),
    Option(
        "safe_private",
        "Keep private attributes known to be safe",
        "The standard lists private attributes of manufacturers that hold no identity, such as diffusion "
        "directions and the factors of PET. Without it, every private attribute goes.",
        "113111",
        "Retain Safe Private Option",
    ),
)

BY_KEY = {option.key: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class Profile:
    """The Basic Profile with these options, by their keys."""

    options: frozenset[str] = frozenset()

    @classmethod
    def of(cls, keys: Iterable[str]) -> "Profile":
        """Raises ValueError, with a sentence, for a key that no option has."""
        chosen = frozenset(keys)
        unknown = sorted(str(key)[:40] for key in chosen - set(BY_KEY))
        if unknown:
            raise ValueError(
                f"There is no de-identification option “{unknown[0]}”. The options are {', '.join(BY_KEY)}."
            )
        return cls(chosen)
