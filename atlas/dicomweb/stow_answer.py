"""The answer of STOW-RS (PS3.18 10.5.3 and Annex I.2): what was stored, under which UIDs, and what not."""

import json
from collections.abc import Sequence

from atlas.archive.received import FAILURE_CODES, KNOWN, NO_ROOM, STORED, Outcome

ELEMENTS_CHANGED = 0xB000  # (0008,1196): coercion of data elements


def status_of(outcomes: Sequence[Outcome]) -> int:
    """200 all are here, 202 some, 409 none; 507 where there was no room for any."""
    here = sum(outcome.status in (STORED, KNOWN) for outcome in outcomes)
    if here:
        return 200 if here == len(outcomes) else 202
    return 507 if outcomes and all(outcome.cause == NO_ROOM for outcome in outcomes) else 409


def answer(outcomes: Sequence[Outcome], root_url: str) -> bytes:
    """DICOM JSON; `root_url` is where the images can be read again."""
    here = [outcome for outcome in outcomes if outcome.status in (STORED, KNOWN)]
    failed = [outcome for outcome in outcomes if outcome.status not in (STORED, KNOWN)]
    named = [outcome for outcome in failed if outcome.uids.sop_instance]
    unnamed = [outcome for outcome in failed if not outcome.uids.sop_instance]
    content: dict[str, dict] = {}
    studies = {outcome.uids.study for outcome in here}
    if len(studies) == 1:
        content["00081190"] = _value("UR", f"{root_url}/studies/{studies.pop()}")
    if named:
        content["00081198"] = _value("SQ", *(_failed(outcome) for outcome in named))
    if here:
        content["00081199"] = _value("SQ", *(_referenced(outcome, root_url) for outcome in here))
    if unnamed:
        content["0008119A"] = _value("SQ", *(_reason(outcome) for outcome in unnamed))
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def _value(vr: str, *values: object) -> dict:
    return {"vr": vr, "Value": list(values)}


def _referenced(outcome: Outcome, root_url: str) -> dict:
    uids = outcome.uids
    url = f"{root_url}/studies/{uids.study}/series/{uids.series}/instances/{uids.sop_instance}"
    item = {
        "00081150": _value("UI", uids.sop_class),
        "00081155": _value("UI", uids.sop_instance),
        "00081190": _value("UR", url),
    }
    if outcome.is_changed:
        item["00081196"] = _value("US", ELEMENTS_CHANGED)
    return item


def _failed(outcome: Outcome) -> dict:
    item = {"00081155": _value("UI", outcome.uids.sop_instance), **_reason(outcome)}
    if outcome.uids.sop_class:
        item["00081150"] = _value("UI", outcome.uids.sop_class)
    return item


def _reason(outcome: Outcome) -> dict:
    """With the sentence as Error Comment (0000,0902): no attribute of this answer holds one otherwise."""
    return {
        "00081197": _value("US", FAILURE_CODES.get(outcome.cause, 0x0110)),
        "00000902": _value("LO", outcome.reason),
    }
