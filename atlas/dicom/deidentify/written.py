"""Values that are written anew: dummies that say nothing, codes, the file meta information."""

from functools import lru_cache

from atlas.dicom.deidentify import profile_tables
from atlas.dicom.deidentify.profile import BASIC_CODE, BASIC_CODE_MEANING, BY_KEY, Profile
from atlas.dicom.elements import EXPLICIT, Encoding

REMOVED = b"Removed"
IMPLEMENTATION_UID = b"2.25.251393098473409221817268853480147286014"  # of this way of writing files
IMPLEMENTATION_NAME = b"ATLAS"

type Value = bytes | list[list[tuple[int, bytes, "Value"]]]

_DUMMIES = {
    b"AE": b"REMOVED", b"AS": b"000Y", b"CS": b"REMOVED", b"DA": b"19000101", b"DS": b"0",
    b"DT": b"19000101000000", b"IS": b"0", b"TM": b"000000", b"UR": b"urn:removed",
    b"FD": bytes(8), b"FL": bytes(4), b"SL": bytes(4), b"UL": bytes(4), b"SS": bytes(2), b"US": bytes(2),
    b"SV": bytes(8), b"UV": bytes(8), b"AT": bytes(4), b"OB": bytes(2), b"OW": bytes(2), b"UN": bytes(2),
    b"OD": bytes(8), b"OF": bytes(4), b"OL": bytes(4), b"OV": bytes(8),
}  # fmt: skip


def padded(value: bytes, vr: bytes) -> bytes:
    """Values have an even length (PS3.5 6.2)."""
    if len(value) % 2 == 0:
        return value
    return value + (b"\0" if vr in (b"UI", b"OB", b"UN") else b" ")


def element(tag: int, vr: bytes, value: Value, encoding: Encoding) -> bytes:
    """One element. The value of a sequence is a list of items, an item a list of elements."""
    if isinstance(value, bytes):
        content = padded(value, vr)
    else:
        bodies = [b"".join(element(*member, encoding) for member in item) for item in value]
        content = b"".join(encoding.item(len(body)) + body for body in bodies)
    return encoding.head(tag, vr, len(content)) + content


def dummy(vr: bytes) -> bytes:
    """A value that says nothing, for every VR but UI and SQ."""
    return _DUMMIES.get(vr, REMOVED)


def _code(value: bytes, scheme: bytes, meaning: bytes) -> list[tuple[int, bytes, Value]]:
    return [(0x00080100, b"SH", value), (0x00080102, b"SH", scheme), (0x00080104, b"LO", meaning)]


_REMOVED_CODE = _code(b"REMOVED", b"99ATLAS", REMOVED)

SEQUENCE_DUMMIES: dict[int, Value] = {
    # Of a report without its content, one line: (121106, DCM, "Comment") = "Removed".
    0x0040A730: [
        [
            (0x0040A010, b"CS", b"CONTAINS"),
            (0x0040A040, b"CS", b"TEXT"),
            (0x0040A043, b"SQ", [_code(b"121106", b"DCM", b"Comment")]),
            (0x0040A160, b"UT", REMOVED),
        ]
    ],
    0x0040A073: [
        [
            (0x0040A027, b"LO", REMOVED),
            (0x0040A030, b"DT", b"19000101000000"),
            (0x0040A075, b"PN", REMOVED),
            (0x0040A088, b"SQ", []),
        ]
    ],
    0x00700001: [[(0x00700002, b"CS", b"REMOVED")]],  # a layer on which nothing is drawn
    0x00401101: [_REMOVED_CODE],
    0x00080082: [_REMOVED_CODE],
    0x00081072: [[(0x00401101, b"SQ", [_REMOVED_CODE])]],
}


@lru_cache(maxsize=64)
def claims(profile: Profile, encoding: Encoding) -> bytes:
    """Patient Identity Removed, the method and its codes of CID 7050. Neither clean pixels (113101: whoever
    searched them says so) nor clean recognizable visual features (113102: faces stay) are claimed."""
    codes = [(BASIC_CODE, BASIC_CODE_MEANING)]
    codes += sorted(
        (BY_KEY[key].code, BY_KEY[key].code_meaning) for key in profile.options if key != "clean_pixel_data"
    )
    items: Value = [_code(code.encode(), b"DCM", meaning.encode()) for code, meaning in codes]
    method = f"PS3.15 Annex E, {profile_tables.EDITION}"
    return (
        element(0x00120062, b"CS", b"YES", encoding)
        + element(0x00120063, b"LO", method.encode(), encoding)
        + element(0x00120064, b"SQ", items, encoding)
    )


def file_meta(sop_class_uid: bytes, sop_instance_uid: bytes, transfer_syntax_uid: bytes) -> bytes:
    """An empty preamble and the file meta information (PS3.10 7.1)."""
    content = b"".join(
        element(tag, vr, value, EXPLICIT)
        for tag, vr, value in (
            (0x00020001, b"OB", b"\0\1"),
            (0x00020002, b"UI", sop_class_uid),
            (0x00020003, b"UI", sop_instance_uid),
            (0x00020010, b"UI", transfer_syntax_uid),
            (0x00020012, b"UI", IMPLEMENTATION_UID),
            (0x00020013, b"SH", IMPLEMENTATION_NAME),
        )
    )
    length = element(0x00020000, b"UL", len(content).to_bytes(4, "little"), EXPLICIT)
    return bytes(128) + b"DICM" + length + content
