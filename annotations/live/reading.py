"""The websocket of a reading room: presence, edits made in other tabs, verdicts and comments."""

from dataclasses import asdict
from uuid import UUID

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import Http404

from annotations.live import presence
from annotations.live.consumers import CLOSED_BAD_MESSAGE, LiveConsumer, Message
from annotations.models import Read
from annotations.reading import incidental, leases, policies
from annotations.reading.policies import Capacity


class ReadConsumer(LiveConsumer):
    """One page on one read."""

    read: Read
    capacity: Capacity
    tab: UUID | None = None
    shown: Message | None = None  # the presence that the page knows

    def group(self) -> str:
        return f"read.{self.public_id}"

    @property
    def public_id(self) -> str:
        return self.scope["url_route"]["kwargs"]["public_id"]

    def allowed(self) -> bool:
        try:
            self.read, rights = policies.read_and_rights_or_404(self.user, self.public_id)
        except (Http404, PermissionDenied):
            return False
        self.capacity = rights.capacity
        return True

    # From the page ------------------------------------------------------------------------------

    async def said(self, message: Message) -> None:
        if message.get("type") == "hello":
            await self._hello(message)
        elif message.get("type") == "ping" and self.tab:
            await database_sync_to_async(self._is_here)(self.tab)
            await self._show_presence()  # someone else may have fallen silent

    async def _hello(self, message: Message) -> None:
        try:
            tab = UUID(message["tab"])
        except (KeyError, TypeError, ValueError, AttributeError):
            await self.close(CLOSED_BAD_MESSAGE)
            return
        if not await database_sync_to_async(self._is_here)(tab):
            await self.close(CLOSED_BAD_MESSAGE)
            return
        self.tab = tab
        await self.channel_layer.group_send(self.group(), {"type": "presence"})

    def _is_here(self, tab: UUID) -> bool:
        """Notes that the page is open; False where its tab's id is someone else's."""
        is_here = presence.arrive(user=self.user, read=self.read, tab=tab)
        if is_here:
            leases.keep(self.user, self.read)
        return is_here

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self.tab:
            await database_sync_to_async(presence.leave)(user=self.user, tab=self.tab)
            await self.channel_layer.group_send(self.group(), {"type": "presence"})

    async def _show_presence(self) -> None:
        message = await database_sync_to_async(self._presence)()
        if message:
            await self.tell(message)

    # From the group -----------------------------------------------------------------------------

    def heard(self, message: Message) -> Message | None:
        kind = message["type"]
        if kind == "presence":
            return self._presence()
        if kind in ("edits", "adjudication", "lease"):  # others see what was submitted, and no work under way
            return message if self.capacity is Capacity.READER else None
        if kind == "comment":
            return message if self._hears_of_comments() else None
        if kind == "incidental":  # for whoever told, and nobody else
            own = incidental.own_findings(self.user, self.read).filter(public_id=message["finding"])
            return {"type": "incidental"} if own.exists() else None
        return message if kind in ("state", "schema") else None

    def after_gap(self) -> list[Message]:
        state = {"type": "state", "state": self.read.state, "round": self.read.round}
        edits = {"type": "edits", "number": self.read.last_edit_number, "tab": ""}
        people = self._presence()
        return [state, *([edits] if self.capacity is Capacity.READER else []), *([people] if people else [])]

    def _hears_of_comments(self) -> bool:
        if self.capacity is Capacity.FELLOW:
            return False
        return self.capacity is not Capacity.READER or self.read.state != Read.State.SUBMITTED

    def _presence(self) -> Message | None:
        """None where the page knows it already."""
        people = presence.people_shown_to(self.user, self.read)
        message = {"type": "presence", "people": [asdict(person) for person in people]}
        if message == self.shown:
            return None
        self.shown = message
        return message
