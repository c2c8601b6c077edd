"""What each verb of the audit trail means, as the rest of a sentence that begins with a name.

Words in braces are facts of the record; `telling` puts them in. Every verb that is registered stands here.
"""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.translation import gettext, gettext_noop


class Kind(StrEnum):
    """What a line is about: what the page narrows by."""

    SAW = "saw"
    DREW = "drew"
    DECIDED = "decided"
    ARRANGED = "arranged"
    SETTINGS = "settings"
    GAVE = "gave"
    NODE = "node"  # of the node, its organisations and datasets: no project's page shows it


TITLES: dict[Kind, str] = {
    Kind.SAW: gettext_noop("Seen"),
    Kind.DREW: gettext_noop("Drawn"),
    Kind.DECIDED: gettext_noop("Decided"),
    Kind.ARRANGED: gettext_noop("Handed out"),
    Kind.SETTINGS: gettext_noop("Settings and members"),
    Kind.GAVE: gettext_noop("Released"),
}

SENTENCES: dict[str, tuple[Kind, str]] = {
    # What was seen
    "series.viewed": (Kind.SAW, gettext_noop("looked at images")),
    "series.downloaded": (Kind.SAW, gettext_noop("downloaded a series")),
    "read.opened": (Kind.SAW, gettext_noop("opened the case for the first time")),
    "read.marks_seen": (Kind.SAW, gettext_noop("looked at the marks")),
    "agreement.exported": (Kind.SAW, gettext_noop("exported the figures of agreement")),
    "audit.exported": (Kind.SAW, gettext_noop("exported this trail")),
    # What was drawn
    "read.marked": (Kind.DREW, gettext_noop("changed marks, from change {edit_number} on")),
    "read.labels_moved": (
        Kind.DREW,
        gettext_noop("moved the marks to version {version} of the labels, changes: {edits}"),
    ),
    "read.unaided_locked": (
        Kind.DREW,
        gettext_noop("locked the unaided read at change {edit_number} and saw the AI proposals"),
    ),
    "comment.written": (Kind.DREW, gettext_noop("wrote a comment")),
    "comment.replied": (Kind.DREW, gettext_noop("answered a comment")),
    "comment.resolved": (Kind.DREW, gettext_noop("settled a comment")),
    "comment.reopened": (Kind.DREW, gettext_noop("reopened a comment")),
    "incidental.reported": (Kind.DREW, gettext_noop("told the data managers of an incidental finding")),
    "incidental.seen": (Kind.SAW, gettext_noop("saw an incidental finding")),
    "incidental.answered": (Kind.DECIDED, gettext_noop("answered an incidental finding")),
    # What was decided
    "read.submitted": (Kind.DECIDED, gettext_noop("handed the read in, round {round}, change {edit_number}")),
    "read.accepted": (Kind.DECIDED, gettext_noop("accepted the read, round {round}")),
    "read.accepted_without_review": (
        Kind.DECIDED,
        gettext_noop("accepted the read, round {round}: this project has no review"),
    ),
    "read.returned": (Kind.DECIDED, gettext_noop("returned the read, round {round}: {reasons}")),
    "read.reopened": (
        Kind.DECIDED,
        gettext_noop("reopened the accepted read, round {round}, with a comment"),
    ),
    "case.agreed": (Kind.DECIDED, gettext_noop("found that the readers agree")),
    "case.needs_adjudication": (
        Kind.DECIDED,
        gettext_noop("found that the case needs adjudication, disagreements: {disagreements}"),
    ),
    "case.purpose_set": (Kind.DECIDED, gettext_noop("set what the case is for: {purpose}")),
    "case.reference_taken_over": (
        Kind.DECIDED,
        gettext_noop("took marks that came with the images over as the reference"),
    ),
    "adjudication.assigned": (Kind.ARRANGED, gettext_noop("gave the adjudication to {adjudicator}")),
    "adjudication.handed_over": (
        Kind.ARRANGED,
        gettext_noop("handed the adjudication over to {adjudicator}"),
    ),
    "adjudication.settled": (Kind.DECIDED, gettext_noop("settled lesion {lesion}: {take}")),
    "adjudication.opened": (Kind.DECIDED, gettext_noop("reopened lesion {lesion}")),
    # Who reads what
    "cases.added": (Kind.ARRANGED, gettext_noop("added cases: {cases}")),
    "reads.assigned": (Kind.ARRANGED, gettext_noop("gave out reads: {reads}")),
    "read.unassigned": (Kind.ARRANGED, gettext_noop("took the unopened case back from {reader}")),
    "reads.taken_back": (Kind.ARRANGED, gettext_noop("took unopened reads back from {person}: {reads}")),
    "read.handed_over": (Kind.ARRANGED, gettext_noop("handed the read over from {before} to {to}")),
    "read.taken": (Kind.ARRANGED, gettext_noop("took the case from the queue")),
    "read.given_back": (Kind.ARRANGED, gettext_noop("gave the case back to the queue")),
    "read.lease_renewed": (Kind.ARRANGED, gettext_noop("went on after the time for the case had run out")),
    "bulk.begun": (Kind.ARRANGED, gettext_noop("began an act on many cases: {kind}, {cases}")),
    "bulk.stopped": (Kind.ARRANGED, gettext_noop("stopped an act on many cases: {kind}, after {done}")),
    "bulk.taken_back": (Kind.ARRANGED, gettext_noop("took an act on many cases back: {kind}")),
    "read.set_aside": (Kind.ARRANGED, gettext_noop("set the read aside")),
    "read.taken_up": (Kind.ARRANGED, gettext_noop("took the read up again")),
    # Settings and members
    "project.created": (Kind.SETTINGS, gettext_noop("created the project")),
    "project.edited": (Kind.SETTINGS, gettext_noop("changed the project's name or description")),
    "design.changed": (Kind.SETTINGS, gettext_noop("changed how the project reads: {facts}")),
    "schema.written": (Kind.SETTINGS, gettext_noop("wrote version {version} of the labels")),
    "schema.drafted": (Kind.SETTINGS, gettext_noop("drafted version {version} of the labels")),
    "schema.draft_discarded": (
        Kind.SETTINGS,
        gettext_noop("threw the draft of version {version} of the labels away"),
    ),
    "term.added": (Kind.SETTINGS, gettext_noop("added a coded term")),
    "term.removed": (Kind.SETTINGS, gettext_noop("took a coded term off the search")),
    "hanging.written": (Kind.SETTINGS, gettext_noop("wrote a hanging protocol")),
    "hanging.moved": (Kind.SETTINGS, gettext_noop("moved a hanging protocol")),
    "hanging.removed": (Kind.SETTINGS, gettext_noop("removed a hanging protocol")),
    "specialty.added": (Kind.SETTINGS, gettext_noop("wrote what {person} reads best")),
    "specialty.removed": (Kind.SETTINGS, gettext_noop("took something off what {person} reads best")),
    "member.added": (Kind.SETTINGS, gettext_noop("made {person} a member: {role}")),
    "member.removed": (Kind.SETTINGS, gettext_noop("took the role from {person}: {role}")),
    "invitation.sent": (Kind.SETTINGS, gettext_noop("sent a letter that offers a role: {role}")),
    "invitation.withdrawn": (Kind.SETTINGS, gettext_noop("took a letter back that offered a role: {role}")),
    "invitation.accepted": (Kind.SETTINGS, gettext_noop("followed a letter and became {role}")),
    "dataset.granted": (Kind.SETTINGS, gettext_noop("lent a dataset to the project")),
    "dataset.grant_withdrawn": (Kind.SETTINGS, gettext_noop("took a dataset back from the project")),
    "project.shared": (Kind.SETTINGS, gettext_noop("invited someone of another node to the project")),
    "project.not_shared": (
        Kind.SETTINGS,
        gettext_noop("could not invite someone of another node: they are unknown there"),
    ),
    # What went out
    "release.frozen": (Kind.GAVE, gettext_noop("froze release {number}, cases: {cases}")),
    "release.retried": (Kind.GAVE, gettext_noop("had release {number} written again")),
    "release.use_stated": (Kind.GAVE, gettext_noop("said what they use a release for")),
    "release.downloaded": (Kind.GAVE, gettext_noop("downloaded files of a release")),
    "release.cancelled": (Kind.GAVE, gettext_noop("cancelled release {number}")),
    "release.withdrawn_in_part": (
        Kind.GAVE,
        gettext_noop("took case {case_number} out of release {number}"),
    ),
    "case.recalled": (Kind.GAVE, gettext_noop("recalled case {case_number}")),
    "recall.told": (Kind.GAVE, gettext_noop("told {person} that case {case_number} was recalled")),
    "case.recall_lifted": (Kind.GAVE, gettext_noop("lifted the recall of case {case_number}")),
    "recall.lifting_told": (
        Kind.GAVE,
        gettext_noop("told {person} that the recall of case {case_number} was lifted"),
    ),
    "recall.deletion_confirmed": (
        Kind.GAVE,
        gettext_noop("confirmed that copies of case {case_number} are deleted"),
    ),
    "prediction.opened": (Kind.GAVE, gettext_noop("began to hand a prediction in")),
    "prediction.handed_in": (Kind.GAVE, gettext_noop("handed a prediction in to be scored")),
    "prediction.removed": (Kind.GAVE, gettext_noop("removed a prediction")),
    "prediction.proposed": (Kind.GAVE, gettext_noop("made proposals for reading of a prediction")),
    # Of the node
    "account.created": (Kind.NODE, gettext_noop("made an account")),
    "account.changed": (Kind.NODE, gettext_noop("changed the account")),
    "account.signed_in": (Kind.NODE, gettext_noop("signed in")),
    "account.signed_out": (Kind.NODE, gettext_noop("signed out")),
    "account.refused": (Kind.NODE, gettext_noop("was refused at the door")),
    "password.changed": (Kind.NODE, gettext_noop("changed the password")),
    "token.made": (Kind.NODE, gettext_noop("made a token for {days} days")),
    "token.revoked": (Kind.NODE, gettext_noop("revoked a token")),
    "organisation.created": (Kind.NODE, gettext_noop("created an organisation")),
    "dataset.created": (Kind.NODE, gettext_noop("created a dataset")),
    "dataset.edited": (Kind.NODE, gettext_noop("changed a dataset")),
    "dataset.deidentification": (Kind.NODE, gettext_noop("changed how a dataset is de-identified")),
    "dataset.stored_into": (Kind.NODE, gettext_noop("sent images into a dataset")),
    "upload.begun": (Kind.NODE, gettext_noop("began an import")),
    "upload.done": (Kind.NODE, gettext_noop("finished an import")),
    "upload.cancelled": (Kind.NODE, gettext_noop("cancelled an import")),
    "receiver.opened": (Kind.NODE, gettext_noop("opened a receiver")),
    "receiver.changed": (Kind.NODE, gettext_noop("changed a receiver")),
    "receiver.closed": (Kind.NODE, gettext_noop("closed a receiver")),
    "image.blacked_out": (Kind.NODE, gettext_noop("blacked text out on an image")),
    "image.released": (Kind.NODE, gettext_noop("let an image out of quarantine")),
    "image.kept": (Kind.NODE, gettext_noop("kept an image back")),
    "image.held": (Kind.NODE, gettext_noop("took an image back into quarantine")),
    "archive.verified": (Kind.NODE, gettext_noop("checked what is stored")),
    "subject.erased": (Kind.NODE, gettext_noop("erased a subject")),
    "vault.turned_on": (Kind.NODE, gettext_noop("turned the vault on")),
    "vault.exported": (Kind.NODE, gettext_noop("exported the vault")),
    # Of the network
    "listing.decided": (Kind.NODE, gettext_noop("decided how a dataset stands in the catalogue")),
    "clinical.sent": (Kind.NODE, gettext_noop("sent a file of clinical facts")),
    "clinical.read": (
        Kind.NODE,
        gettext_noop("read a file of clinical facts: {taken} taken, {refused} refused"),
    ),
    "clinical.taken_back": (Kind.NODE, gettext_noop("took a file of clinical facts back")),
    "subject.facts_viewed": (Kind.NODE, gettext_noop("looked at the clinical facts of a subject")),
    "access.sent": (Kind.NODE, gettext_noop("asked for access to datasets")),
    "access.undelivered": (Kind.NODE, gettext_noop("refused what another node sent about an access")),
    "access.arrived": (Kind.NODE, gettext_noop("brought a request for access from another node")),
    "access.asked": (Kind.NODE, gettext_noop("asked the researcher something")),
    "access.answered": (Kind.NODE, gettext_noop("answered the committee")),
    "access.approved": (Kind.NODE, gettext_noop("approved a request for access")),
    "access.refused": (Kind.NODE, gettext_noop("refused a request for access")),
    "access.agreed": (Kind.NODE, gettext_noop("accepted the agreement of an access")),
    "access.granted": (Kind.NODE, gettext_noop("opened a dataset to a researcher")),
    "access.closed": (Kind.NODE, gettext_noop("closed a dataset to a researcher")),
    "access.withdrawn": (Kind.NODE, gettext_noop("gave a request for access up")),
    "access.ended_early": (Kind.NODE, gettext_noop("withdrew an access")),
    "access.gone": (Kind.NODE, gettext_noop("ended a request for access: its node has left")),
    "access.over": (Kind.NODE, gettext_noop("ended an access on its date")),
    "access_log.used": (Kind.NODE, gettext_noop("looked at who used a hospital's datasets")),
    "question.asked": (Kind.NODE, gettext_noop("asked a question of {nodes} nodes")),
    "question.withdrawn": (Kind.NODE, gettext_noop("withdrew a question")),
    "question.received": (Kind.NODE, gettext_noop("brought a question from the hub")),
    "question.decided": (Kind.NODE, gettext_noop("decided whether a question is answered")),
    "hub.joined": (Kind.NODE, gettext_noop("joined a hub")),
    "hub.left": (Kind.NODE, gettext_noop("left the hub")),
    "hub.key_changed": (Kind.NODE, gettext_noop("changed this node's key")),
    "node.invited": (Kind.NODE, gettext_noop("invited a node")),
    "node.invitation_withdrawn": (Kind.NODE, gettext_noop("withdrew the invitation of a node")),
    "node.joined": (Kind.NODE, gettext_noop("invited the node that joined")),
    "node.suspended": (Kind.NODE, gettext_noop("suspended a node")),
    "node.resumed": (Kind.NODE, gettext_noop("let a node take part again")),
    "node.removed": (Kind.NODE, gettext_noop("removed a node")),
    "node.left": (Kind.NODE, gettext_noop("noted that a node has left")),
    "node.key_changed": (Kind.NODE, gettext_noop("noted the new key of a node")),
    "identity.connected": (Kind.NODE, gettext_noop("connected the account with another node")),
    "identity.disconnected": (Kind.NODE, gettext_noop("disconnected the account from another node")),
    "identity.account_made": (Kind.NODE, gettext_noop("made an account for someone of another node")),
    "identity.accounts_joined": (Kind.NODE, gettext_noop("joined an account made for them with their own")),
}


TAKES: dict[str, str] = {
    "read": gettext_noop("one reader's marks"),
    "union": gettext_noop("all that any reader marked"),
    "intersection": gettext_noop("what all readers marked"),
    "majority": gettext_noop("what most readers marked"),
    "at_least": gettext_noop("what several readers marked"),
    "staple": gettext_noop("the estimate by STAPLE"),
    "drawn": gettext_noop("drawn anew"),
    "absent": gettext_noop("absent"),
}
"""How a lesion was settled: see `AdjudicatedLesion.choice`."""


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(verb: str, facts: Mapping[str, object]) -> str:
    """What was done, without the name that it begins with. A verb from a later version stands for itself."""
    _, template = SENTENCES.get(verb, (Kind.NODE, verb))
    return gettext(template).format_map(_Facts(facts))


def verbs_of(kind: Kind) -> list[str]:
    return [verb for verb, (own, _) in SENTENCES.items() if own is kind]
