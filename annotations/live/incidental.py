"""The websocket of the page of incidental findings: news of those that this person may know of."""

from annotations.live.consumers import LiveConsumer, Message
from annotations.reading import incidental


class IncidentalConsumer(LiveConsumer):
    """One open page of findings. A finding on a case that this person reads themselves makes no noise."""

    def group(self) -> str:
        return incidental.GROUP

    def allowed(self) -> bool:
        return incidental.looks_after_images(self.user)

    def heard(self, message: Message) -> Message | None:
        found = incidental.findings_for(self.user).filter(public_id=message.get("finding", ""))
        return {"type": "incidental"} if found.exists() else None
