"""The log as audit messages of DICOM (PS3.15 A.5), as IHE's audit trails take them: one XML document a line.

Looking is "DICOM Instances Accessed" (A.5.3.6), taking files away is "Export" (A.5.3.4), to media of the
person's own. Why it was done travels as details of the study: the schema has no other place for it.
"""

import base64
from collections.abc import Iterable, Iterator
from datetime import UTC
from xml.etree import ElementTree as ET

from atlas.access import VIEWED
from network.access.log import Line
from network.access.terms import title_of

type Code = tuple[str, str, str]
"""Value, coding scheme, meaning."""

ACCESSED: Code = ("110103", "DCM", "DICOM Instances Accessed")
EXPORT: Code = ("110106", "DCM", "Export")
SOURCE: Code = ("110153", "DCM", "Source Role ID")
MEDIA: Code = ("110154", "DCM", "Destination Media")
URI: Code = ("110037", "DCM", "URI")
STUDY_UID: Code = ("110180", "DCM", "Study Instance UID")
PATIENT_NUMBER: Code = ("2", "RFC-3881", "Patient Number")
REPORT_NUMBER: Code = ("9", "RFC-3881", "Report Number")

APPLICATION_SERVER = "4"
PERSON, SYSTEM_OBJECT = "1", "2"
PATIENT, REPORT = "1", "3"
ACCESS, EXPORTED = "6", "10"


def messages(lines: Iterable[Line], *, site: str, source: str) -> Iterator[bytes]:
    """Each line of the log as one document in UTF-8 with a line break behind it. `site` is the organisation,
    `source` this node."""
    for line in lines:
        message = message_of(line, site=site, source=source)
        # A line break within a value is written as a character reference: each document is one line.
        yield ET.tostring(message, encoding="utf-8") + b"\n"


def message_of(line: Line, *, site: str, source: str) -> ET.Element:
    is_looking = line.verb == VIEWED
    message = ET.Element("AuditMessage")
    event = ET.SubElement(
        message,
        "EventIdentification",
        {
            "EventActionCode": "R",
            "EventDateTime": line.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "EventOutcomeIndicator": "0",
        },
    )
    _code(event, "EventID", ACCESSED if is_looking else EXPORT)
    _person(message, line, is_looking)
    if not is_looking:
        _destination(message, line)
    named = ET.SubElement(
        message, "AuditSourceIdentification", {"AuditEnterpriseSiteID": site, "AuditSourceID": source}
    )
    ET.SubElement(named, "AuditSourceTypeCode", {"csd-code": APPLICATION_SERVER})
    _images(message, line, ACCESS if is_looking else EXPORTED)
    if line.subject:
        subject = _object(message, line.subject, PERSON, PATIENT, ACCESS if is_looking else EXPORTED)
        _code(subject, "ParticipantObjectIDTypeCode", PATIENT_NUMBER)
        ET.SubElement(subject, "ParticipantObjectName").text = line.subject
    return message


def _person(message: ET.Element, line: Line, is_looking: bool) -> None:
    found = ET.SubElement(
        message,
        "ActiveParticipant",
        {
            "UserID": line.user_name or "unknown",
            "AlternativeUserID": line.user_id,
            "UserName": _one_line(line.who),
            "UserIsRequestor": "true",
        },
    )
    if not is_looking:
        _code(found, "RoleIDCode", SOURCE)


def _destination(message: ET.Element, line: Line) -> None:
    """The person's own computer: more isn't known of it."""
    media = ET.SubElement(
        message,
        "ActiveParticipant",
        {"UserID": f"computer of {line.user_name or 'unknown'}", "UserIsRequestor": "false"},
    )
    _code(media, "RoleIDCode", MEDIA)
    _code(ET.SubElement(media, "MediaIdentifier"), "MediaType", URI)


def _images(message: ET.Element, line: Line, cycle: str) -> None:
    """The study; of a release, or where the images were erased since, what is still known of it."""
    name = _one_line(line.dataset or line.release or "erased")
    uid = line.study_uid or _one_line(line.release) or name
    images = _object(message, uid, SYSTEM_OBJECT, REPORT, cycle)
    _code(images, "ParticipantObjectIDTypeCode", STUDY_UID if line.study_uid else REPORT_NUMBER)
    ET.SubElement(images, "ParticipantObjectName").text = name
    for kind, value in _details(line):
        encoded = base64.b64encode(value.encode()).decode()
        ET.SubElement(images, "ParticipantObjectDetail", {"type": kind, "value": encoded})


def _details(line: Line) -> Iterator[tuple[str, str]]:
    told = {
        "series": line.series_uid,
        "release": line.release,
        "purpose": line.why,
        "request": line.request,
        "mode": line.mode,
        "home node": line.node,
    }
    yield from ((kind, value) for kind, value in told.items() if value)
    for key in line.use_terms:
        yield "data use", f"{key} {title_of(key)}"


def _object(message: ET.Element, uid: str, kind: str, role: str, cycle: str) -> ET.Element:
    return ET.SubElement(
        message,
        "ParticipantObjectIdentification",
        {
            "ParticipantObjectID": uid,
            "ParticipantObjectTypeCode": kind,
            "ParticipantObjectTypeCodeRole": role,
            "ParticipantObjectDataLifeCycle": cycle,
        },
    )


def _code(parent: ET.Element, name: str, code: Code) -> None:
    value, scheme, meaning = code
    ET.SubElement(
        parent, name, {"csd-code": value, "codeSystemName": scheme, "originalText": meaning}
    )  # fmt: skip


def _one_line(text: str) -> str:
    """Also without signs that XML 1.0 can't hold."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
