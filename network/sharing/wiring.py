"""What is done with messages about people and shared projects."""

from accounts.services import identities
from network.federation import messages
from network.sharing import people, projects


def connect() -> None:
    messages.register(projects.KIND, projects.receive, confirmed=projects.confirmed)
    messages.register(people.KIND, people.receive)
    identities.on_end("hub", people.ended)
