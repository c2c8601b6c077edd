"""Websockets: who may connect, and what of a group's news each listener hears.

Permission is asked when a page connects, again for every message it would hear, and with every ping; a page
that lost its right is closed.
"""

import json
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts import permissions
from annotations.models import Case
from annotations.reading import policies, projects
from atlas.fanout import GAP_GROUP
from atlas.policies import visible_datasets

MESSAGE_LENGTH_MAX = 1000  # of what a page sends: a hello or a ping
CLOSED_NOT_YOURS = 4404
CLOSED_BAD_MESSAGE = 4400

type Message = dict[str, Any]


class LiveConsumer(AsyncWebsocketConsumer):
    """One page that listens to one group. Subclasses say who may, and what each message becomes for them."""

    def group(self) -> str:
        raise NotImplementedError

    def allowed(self) -> bool:
        """Whether this person may listen now. Runs in a thread, and may ask the database."""
        raise NotImplementedError

    def heard(self, message: Message) -> Message | None:
        """What this person's page is told; None: nothing. Runs in a thread after `allowed`."""
        raise NotImplementedError

    def after_gap(self) -> list[Message]:
        """What to tell the page when messages may have been lost."""
        return []

    # From the page ------------------------------------------------------------------------------

    async def connect(self) -> None:
        self.user = self.scope["user"]
        if not self.user.is_authenticated or not await database_sync_to_async(self.allowed)():
            await self.close(CLOSED_NOT_YOURS)
            return
        for group in (self.group(), GAP_GROUP):
            await self.channel_layer.group_add(group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        for group in (self.group(), GAP_GROUP):
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = _parsed(text_data)
        if message is None:
            await self.close(CLOSED_BAD_MESSAGE)
        elif await self._still_there():
            await self.said(message)

    async def said(self, message: Message) -> None:
        """The page said something; a ping needs no answer."""

    async def _still_there(self) -> bool:
        """Whether the session and the right still hold; closes the connection if not."""
        session = self.scope["session"]
        if session.session_key and await database_sync_to_async(session.exists)(session.session_key):
            self.user = await get_user(self.scope)
            if self.user.is_authenticated and await database_sync_to_async(self.allowed)():
                return True
        await self.close(CLOSED_NOT_YOURS)
        return False

    # From the group -----------------------------------------------------------------------------

    async def dispatch(self, message: Message) -> None:
        if message["type"].startswith("websocket."):
            await super().dispatch(message)
            return
        may, messages = await database_sync_to_async(self._heard)(message)
        if not may:
            await self.close(CLOSED_NOT_YOURS)
        for told in messages:
            await self.tell(told)

    def _heard(self, message: Message) -> tuple[bool, list[Message]]:
        if not self.allowed():
            return False, []
        if message["type"] == "fanout.gap":
            return True, self.after_gap()
        told = self.heard(message)
        return True, [told] if told else []

    async def tell(self, message: Message) -> None:
        await self.send(json.dumps(message))


class ProjectConsumer(LiveConsumer):
    """News of a project's cases and releases, each to whom may know of it."""

    def group(self) -> str:
        return f"project.{self.slug}"

    @property
    def slug(self) -> str:
        return self.scope["url_route"]["kwargs"]["slug"]

    def allowed(self) -> bool:
        self.project = projects.visible_projects(self.user).filter(slug=self.slug).first()
        return self.project is not None

    def heard(self, message: Message) -> Message | None:
        if message["type"] == "case":
            return {"type": "case", "number": message["number"]} if self._may_know_case(message) else None
        if message["type"] == "worklist":
            return {"type": "worklist"} if self.user.public_id in message["people"] else None
        if message["type"] in ("studies", "figures", "bulk"):
            return message if permissions.allows(self.user, "manage_project", self.project) else None
        if message["type"] == "release":
            may = any(
                permissions.allows(self.user, right, self.project)
                for right in ("download_releases", "manage_project")
            )
            return message if may else None
        return None

    def _may_know_case(self, message: Message) -> bool:
        """A reader hears of their own reads only: others' times would break blindness."""
        if "read" in message:
            return policies.reads_for(self.user).filter(public_id=message["read"]).exists()
        if not permissions.allows(self.user, "review_cases", self.project):
            return False
        case = Case.objects.filter(project=self.project, number=message["number"])
        return not policies.cases_being_read_by(self.user).filter(pk__in=case.values("pk")).exists()


class DatasetConsumer(LiveConsumer):
    """Progress of imports into a dataset."""

    def group(self) -> str:
        return f"dataset.{self.slug}"

    @property
    def slug(self) -> str:
        return self.scope["url_route"]["kwargs"]["slug"]

    def allowed(self) -> bool:
        return visible_datasets(self.user).filter(slug=self.slug).exists()

    def heard(self, message: Message) -> Message | None:
        return message


def _parsed(text: str | None) -> Message | None:
    if text is None or len(text) > MESSAGE_LENGTH_MAX:
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
