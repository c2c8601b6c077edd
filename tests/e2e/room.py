"""The reading room as a pair of hands knows it: keys, a real mouse, and what the screen says."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, expect

from annotations.measures import masks
from tests.e2e.node import Node

PASSWORD = "atlas-demo"
BEEN_AROUND = "localStorage.setItem('atlas.tour', 'seen')"
"""For `add_init_script`: someone whom the room shows around no more."""


def sign_in(chromium: Browser, node: Node, username: str, **profile: Any) -> BrowserContext:
    """A browser profile in which this person is signed in; by the form's own request, without its page."""
    context = chromium.new_context(base_url=node.base_url, viewport={"width": 1440, "height": 900}, **profile)
    context.add_init_script(BEEN_AROUND)
    context.request.get("/sign-in/")
    (token,) = [cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken"]
    answer = context.request.post(
        "/sign-in/", form={"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token}
    )
    assert "/sign-in/" not in answer.url, answer.text()
    return context


def read_of(node: Node, username: str, subject: str) -> str:
    """The public id of a person's read of a subject's case."""
    return node.python(
        "from annotations.models import Read\n"
        f"read = Read.objects.get(reader__username={username!r}, case__subject__pseudonym={subject!r})\n"
        "print(read.public_id)"
    ).strip()


def assigned(node: Node, folder: Path, *, dataset: str, subject: str, reader: str) -> str:
    """Import a folder into the demo, make a case of its subject, give it to a reader; returns the read."""
    node.python(
        f"from django.core.management import call_command\n"
        f"call_command('import_dicom', {str(folder)!r}, '--dataset', {dataset!r})\n"
        "from accounts.models import User\n"
        "from annotations.reading import assignment, cases\n"
        "from atlas.models import Project, Study\n"
        "project = Project.objects.get()\n"
        f"lead, reader = User.objects.get(username='lead'), User.objects.get(username={reader!r})\n"
        f"studies = Study.objects.filter(subject__pseudonym={subject!r})\n"
        "cases.add_cases(by=lead, project=project, study_ids=[study.pk for study in studies])\n"
        f"case = project.cases.get(subject__pseudonym={subject!r})\n"
        "assignment.assign(by=lead, project=project, cases=[case], readers=[reader])\n"
    )
    return read_of(node, reader, subject)


class Room:
    """One open reading page."""

    def __init__(self, context: BrowserContext, read: str) -> None:
        self.context, self.read = context, read
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self) -> "Room":
        self.page.goto(f"/reads/{self.read}/")
        self.wait_for_image()
        return self

    def reload(self) -> "Room":
        self.page.reload()
        self.wait_for_image()
        return self

    def wait_for_image(self) -> None:
        self.page.wait_for_function(
            "() => window.atlasRoom?.clientOfVoxel([0, 0]) && window.atlasRoom.state().sop"
        )
        self.page.wait_for_function("() => window.atlasRoom.valueAt([0, 0]) !== null")
        # Until the marks are here the room says so, and nobody can draw.
        self.page.wait_for_selector("[data-testid=saving]")

    # What is there

    def state(self) -> dict[str, Any]:
        return self.page.evaluate("() => window.atlasRoom.state()")

    def marks(self) -> list[dict[str, Any]]:
        return self.page.evaluate("() => window.atlasRoom.marks()")

    def saving(self) -> dict[str, Any]:
        return self.page.evaluate("() => window.atlasRoom.saving()")

    def value_at(self, column: int, row: int) -> float:
        return self.page.evaluate("at => window.atlasRoom.valueAt(at)", [column, row])[0]

    def stored(self) -> dict[str, Any]:
        """The read's marks as the server has them."""
        answer = self.context.request.get(f"/api/v1/reads/{self.read}/state/")
        assert answer.status == 200, answer.text()
        return answer.json()

    def stored_plane(self, annotation: str, rows: int, columns: int, sop: str | None = None) -> np.ndarray:
        """bool[rows, columns] of a segment on one image, by default on the image shown, from the server."""
        sop = sop or self.state()["sop"]
        for plane in self.stored()["planes"]:
            if plane["annotation"] == annotation and plane["sop"] == sop and plane["rle"] is not None:
                return masks.decode(base64.b64decode(plane["rle"]), rows, columns)
        return np.zeros((rows, columns), dtype=bool)

    # What hands do

    def client_of(self, column: float, row: float) -> tuple[int, int]:
        """The pixel of the page that lies nearest to a voxel's centre."""
        x, y = self.page.evaluate("at => window.atlasRoom.clientOfVoxel(at)", [column, row])
        return round(x), round(y)

    def voxel_of(self, client: tuple[int, int]) -> np.ndarray:
        """(column, row), fractional, under a pixel of the page, by inverting the room's own affine map."""
        origin, right, down = (
            np.array(self.page.evaluate("at => window.atlasRoom.clientOfVoxel(at)", at))
            for at in ([0, 0], [100, 0], [0, 100])
        )
        return np.linalg.solve(
            np.column_stack([right - origin, down - origin]) / 100, np.array(client) - origin
        )

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def go_to_slice(self, index: int) -> None:
        """By the arrow keys; `index` counts from 0."""
        while (now := self.state()["wanted"]) != index:
            self.press("ArrowDown" if index > now else "ArrowUp")
        self.page.wait_for_function("i => window.atlasRoom.state().shown === i", arg=index)

    def drag(self, *clients: tuple[int, int]) -> None:
        """Press at the first point, move through the others, let go at the last."""
        mouse = self.page.mouse
        mouse.move(*clients[0])
        mouse.down()
        for client in clients[1:]:
            mouse.move(*client)
        mouse.up()

    def saved(self, number: int | None = None) -> None:
        """Wait until the page says that everything is saved (up to this edit)."""
        expect(self.page.get_by_test_id("saving")).to_have_attribute("data-saving", "saved", timeout=30_000)
        self.page.wait_for_function(
            "n => { const s = window.atlasRoom.saving();"
            " return s.waiting === 0 && (n === null || s.number >= n) }",
            arg=number,
        )

    def close(self) -> None:
        assert self.errors == [], f"The page had errors: {self.errors}"
        self.page.close()
