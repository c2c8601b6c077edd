"""Values that a file writes in a way DICOM doesn't allow: another value representation than the attribute's
(PS3.6), or one that its own doesn't hold (PS3.5 6.2). They are read as far as they can be, and named."""

from pydicom.datadict import dictionary_description, dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from atlas.dicom import values

NUMBERS = {"DS", "IS", "US", "SS", "UL", "SL", "FL", "FD"}


def ill_formed(dataset: Dataset) -> tuple[str, ...]:
    """Keywords of such attributes, of those at the top of a header that `read_header` read."""
    public = [tag for tag in dataset.keys() if not tag.is_private and dictionary_has_tag(tag)]  # noqa: SIM118
    return tuple(keyword_for_tag(tag) for tag in public if not _is_right(dataset, tag))


def name_of(keyword: str) -> str:
    """As the standard writes it: "Pixel Spacing"."""
    return dictionary_description(keyword)


def _is_right(dataset: Dataset, tag: BaseTag) -> bool:
    try:
        element = dataset.get_item(tag)
    except Exception:  # a representation that nobody knows; any parser of hostile bytes may raise anything
        return False
    if element is None:
        return True
    allowed = dictionary_VR(tag).split(" or ")
    # UN is what an archive writes that doesn't know the attribute (PS3.5 6.2.2); implicit files write none.
    if element.VR and element.VR not in (*allowed, "UN"):
        return False
    if _is_empty(element.value):
        return True
    keyword = keyword_for_tag(tag)
    if allowed[0] in NUMBERS:
        return _are_numbers(values.value(dataset, keyword), whole=allowed[0] == "IS")
    if allowed[0] == "DA":
        return values.day(dataset, keyword) is not None
    if allowed[0] == "TM":
        return values.clock(dataset, keyword) is not None
    return True


def _is_empty(raw: object) -> bool:
    if isinstance(raw, bytes):
        return not raw.strip(b" \0")
    return raw is None or raw == ""


def _are_numbers(found: object, *, whole: bool) -> bool:
    several = found if hasattr(found, "__iter__") and not isinstance(found, (str, bytes)) else [found]
    try:
        numbers = [float(one) for one in several if one != ""]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        return False
    return not whole or all(number.is_integer() for number in numbers)
