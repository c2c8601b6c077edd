"""What a node knows of the network: the nodes, what they list, what was asked, and who was let in."""

from network.models.access import (
    AccessDocument,
    AccessGrant,
    AccessItem,
    AccessMessage,
    AccessPart,
    AccessRequest,
)
from network.models.listings import Listing, ListingFacet, ListingPicture, ListingVersion
from network.models.nodes import Message, Node, NodeInvitation, ReceivedMessage, SeenNonce
from network.models.questions import HeldPart, HeldQuestion, Question, QuestionPart

__all__ = [
    "AccessDocument",
    "AccessGrant",
    "AccessItem",
    "AccessMessage",
    "AccessPart",
    "AccessRequest",
    "HeldPart",
    "HeldQuestion",
    "Listing",
    "ListingFacet",
    "ListingPicture",
    "ListingVersion",
    "Message",
    "Node",
    "NodeInvitation",
    "Question",
    "QuestionPart",
    "ReceivedMessage",
    "SeenNonce",
]
