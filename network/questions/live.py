"""The websockets of questions: an answer has come; a question waits for a person here."""

from annotations.live.consumers import LiveConsumer, Message
from network.questions import news, policies


class QuestionConsumer(LiveConsumer):
    """The open page of one question, of whoever asked it. The page reads again what is known."""

    def group(self) -> str:
        return news.group_of(self.scope["url_route"]["kwargs"]["public_id"])

    def allowed(self) -> bool:
        public_id = self.scope["url_route"]["kwargs"]["public_id"]
        return policies.questions_for(self.user).filter(public_id=public_id).exists()

    def heard(self, message: Message) -> Message | None:
        return {"type": "question"}

    def after_gap(self) -> list[Message]:
        return [{"type": "question"}]


class HeldConsumer(LiveConsumer):
    """What waits for the organisations of one person."""

    def group(self) -> str:
        return news.HELD

    def allowed(self) -> bool:
        return policies.organisations_deciding(self.user).exists()

    def heard(self, message: Message) -> Message | None:
        mine = policies.held_parts_for(self.user).filter(public_id=message.get("part", ""))
        return {"type": "held"} if mine.exists() else None

    def after_gap(self) -> list[Message]:
        return [{"type": "held"}]
