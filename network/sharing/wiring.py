"""What is done with messages about people and shared projects."""

from network.federation import messages
from network.sharing import people, projects


def connect() -> None:
    messages.register(projects.KIND, projects.receive, confirmed=projects.confirmed)
    messages.register(people.KIND, people.receive)
