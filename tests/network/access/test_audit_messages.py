"""Audit messages against the schema of DICOM PS3.15 A.5.1, and the events of A.5.3.

The schema stands below as facts: of each element the attributes it must and may have, and its children in
order, each with how often it comes.
"""

import base64
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from network.access import audit_messages
from network.access.log import Line

CODED = {"must": {"csd-code": r".+", "codeSystemName": r".+", "originalText": r".+"}, "may": {"displayName"}}
TOKEN = r"[^\s](?:[^\r\n\t]*[^\s])?"
SCHEMA: dict[str, dict] = {
    "AuditMessage": {
        "children": [
            ("EventIdentification", 1, 1),
            ("ActiveParticipant", 1, 99),
            ("AuditSourceIdentification", 1, 1),
            ("ParticipantObjectIdentification", 0, 99),
        ]
    },
    "EventIdentification": {
        "must": {
            "EventDateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
            "EventOutcomeIndicator": r"0|4|8|12",
        },
        "may": {"EventActionCode"},
        "children": [("EventID", 1, 1), ("EventTypeCode", 0, 99), ("EventOutcomeDescription", 0, 1)],
    },
    "EventID": CODED,
    "ActiveParticipant": {
        "must": {"UserID": r".+", "UserIsRequestor": r"true|false"},
        "may": {"AlternativeUserID", "UserName", "NetworkAccessPointID", "NetworkAccessPointTypeCode"},
        "children": [("RoleIDCode", 0, 99), ("MediaIdentifier", 0, 1)],
    },
    "RoleIDCode": CODED,
    "MediaIdentifier": {"children": [("MediaType", 1, 1)]},
    "MediaType": CODED,
    "AuditSourceIdentification": {
        "must": {"AuditSourceID": TOKEN},
        "may": {"AuditEnterpriseSiteID"},
        "children": [("AuditSourceTypeCode", 0, 99)],
    },
    "AuditSourceTypeCode": {"must": {"csd-code": r"[1-9]"}},
    "ParticipantObjectIdentification": {
        "must": {"ParticipantObjectID": TOKEN},
        "may": {
            "ParticipantObjectTypeCode",
            "ParticipantObjectTypeCodeRole",
            "ParticipantObjectDataLifeCycle",
            "ParticipantObjectSensitivity",
        },
        "children": [
            ("ParticipantObjectIDTypeCode", 1, 1),
            ("ParticipantObjectName", 1, 1),
            ("ParticipantObjectDetail", 0, 99),
        ],
    },
    "ParticipantObjectIDTypeCode": CODED,
    "ParticipantObjectName": {"text": TOKEN},
    "ParticipantObjectDetail": {"must": {"type": TOKEN, "value": r"[A-Za-z0-9+/]+={0,2}"}},
}


def problems(element: ET.Element) -> list[str]:
    """What in it isn't as the schema says."""
    facts = SCHEMA.get(element.tag)
    if facts is None:
        return [f"{element.tag} is unknown"]
    must, may = facts.get("must", {}), facts.get("may", set())
    found = [f"{element.tag} lacks {name}" for name in must if name not in element.attrib]
    found += [f"{element.tag} has {name}" for name in element.attrib if name not in must and name not in may]
    found += [
        f"{element.tag}'s {name} is {element.attrib[name]!r}"
        for name, pattern in must.items()
        if name in element.attrib and not re.fullmatch(pattern, element.attrib[name])
    ]
    text = (element.text or "").strip()
    if not re.fullmatch(facts.get("text", ""), text):
        found.append(f"{element.tag} says {text!r}")
    children = facts.get("children", [])
    pattern = "".join(f"(?:{name} ){{{least},{most}}}" for name, least, most in children)
    order = "".join(f"{child.tag} " for child in element)
    if not re.fullmatch(pattern, order):
        found.append(f"{element.tag} holds {order}")
    return found + [problem for child in element for problem in problems(child)]


def line(**facts) -> Line:
    told = {
        "at": datetime(2026, 11, 23, 12, 30, tzinfo=UTC), "who": "Mira Holm", "user_name": "mira",
        "user_id": "0123456789ab", "node": "", "verb": "series.viewed", "what": "viewed",
        "dataset": "Lung nodules", "subject": "L-1", "study_uid": "1.2.3", "series_uid": "1.2.3.4",
        "modality": "CT", "release": "", "why": "Small nodules", "request": "abc", "mode": "view",
        "use_terms": ("DUO:0000037",),
    }  # fmt: skip
    return Line(**{**told, **facts})


def message(**facts) -> ET.Element:
    [text] = audit_messages.messages([line(**facts)], site="Karlsund", source="Node")
    assert text.count(b"\n") == 1
    assert text.endswith(b"\n")
    return ET.fromstring(text)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"verb": "series.downloaded", "mode": "download", "node": "The hub"},
        {"subject": "", "study_uid": "", "series_uid": "", "modality": ""},  # erased since
        {
            "verb": "release.downloaded",
            "study_uid": "",
            "subject": "",
            "dataset": "",
            "release": "RESPOND, 1",
        },
        {"user_name": "", "user_id": "", "who": ""},
        {"who": "A\x00\n<b>", "why": 'x"><AuditMessage/>\r\n\x01', "dataset": " a\tb "},
        {"dataset": "", "study_uid": "", "subject": ""},
    ],
)
def test_every_message_is_as_the_schema_says(facts):
    assert problems(message(**facts)) == []


def test_the_schema_facts_find_what_is_wrong():
    broken = message()
    broken.remove(broken.find("AuditSourceIdentification"))
    broken.find("EventIdentification").attrib.pop("EventDateTime")
    broken.find("ActiveParticipant").set("UserIsRequestor", "yes")
    assert sorted(problems(broken)) == [
        "ActiveParticipant's UserIsRequestor is 'yes'",
        "AuditMessage holds EventIdentification ActiveParticipant ParticipantObjectIdentification "
        "ParticipantObjectIdentification ",
        "EventIdentification lacks EventDateTime",
    ]


def test_looking_is_instances_accessed_with_study_subject_and_reason():
    told = message()
    assert told.find("EventIdentification/EventID").get("csd-code") == "110103"
    assert told.find("EventIdentification").get("EventActionCode") == "R"
    study, subject = told.findall("ParticipantObjectIdentification")
    assert (study.get("ParticipantObjectID"), study[0].get("csd-code")) == ("1.2.3", "110180")
    assert (subject.get("ParticipantObjectID"), subject[0].get("csd-code")) == ("L-1", "2")
    details = {
        one.get("type"): base64.b64decode(one.get("value")).decode()
        for one in study.findall("ParticipantObjectDetail")
    }
    assert details["purpose"] == "Small nodules"
    assert details["data use"] == "DUO:0000037 Biomedical research"
    assert details["request"] == "abc"


def test_taking_away_is_an_export_to_media():
    told = message(verb="series.downloaded")
    assert told.find("EventIdentification/EventID").get("csd-code") == "110106"
    source, media = told.findall("ActiveParticipant")
    assert (source.get("UserIsRequestor"), media.get("UserIsRequestor")) == ("true", "false")
    assert media.find("RoleIDCode").get("csd-code") == "110154"
    assert media.find("MediaIdentifier/MediaType").get("csd-code") == "110037"


def test_syslog_carries_each_message_with_its_length():
    from network.management.commands.export_audit_messages import framed

    whole = framed(b"<AuditMessage/>\n", now=datetime(2026, 11, 23, 12, 30, tzinfo=UTC))
    length, _, text = whole.partition(b" ")
    assert int(length) == len(text)
    assert re.fullmatch(
        rb"<85>1 2026-11-23T12:30:00\.000\+00:00 \S+ atlas - DICOM\+RFC3881 - \xef\xbb\xbf<AuditMessage/>",
        text,
    )
