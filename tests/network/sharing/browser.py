"""One person's browser, with a jar of cookies for the hub and another for the node."""

import re
from html import unescape

from django.test import Client

from accounts.models import User
from tests.cast import PASSWORD


class Browser:
    def __init__(self) -> None:
        self.node, self.hub = Client(), Client()

    def begin(self, next: str = "/home/"):
        """The link on the node's sign-in page; returns the hub's address that it leads to."""
        answer = self.node.get("/sign-in/network/", {"next": next})
        assert answer.status_code == 302, answer.content
        return answer["Location"]

    def sign_in_at_hub(self, address: str, user: User):
        """Through the hub's sign-in form; returns the page that leads back to the node."""
        asked = self.hub.get(address)
        if asked.status_code == 302:
            sign_in = asked["Location"]
            assert sign_in.startswith("/sign-in/?next=")
            said = {"username": user.username, "password": PASSWORD}
            asked = self.hub.post(sign_in, said)
            assert asked.status_code == 302, asked.content
            asked = self.hub.get(asked["Location"])
        return asked

    def go_on(self, page):
        """Follows the hub's page back to the node."""
        return self.node.get(onward(page))

    def sign_in(self, user: User, next: str = "/home/"):
        return self.go_on(self.sign_in_at_hub(self.begin(next), user))


def onward(page) -> str:
    assert page.status_code == 200, page.status_code
    found = re.search(r'href="([^"]*/sign-in/network/back/[^"]*)"', page.content.decode())
    assert found, page.content.decode()
    url = unescape(found[1])
    assert page["Refresh"] == f"0; url={url}"
    return url
