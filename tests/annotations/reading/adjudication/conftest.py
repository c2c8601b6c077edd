"""A case that three people read, and somebody else adjudicates."""

import uuid
from copy import deepcopy
from dataclasses import dataclass, field

import pytest

from accounts import permissions
from accounts.models import User
from annotations.models import Case, Read, ReadingDesign
from annotations.reading.adjudication.deciding import decide
from annotations.reading.adjudication.rows import find
from annotations.reading.journal.answers import answer_id
from tests.annotations.reading.conftest import Cast, edit, make_cast, plane_value

QUESTION = {
    "key": "malignancy",
    "text": "Malignancy",
    "of": "annotation",
    "only": [],
    "type": "number",
    "options": [],
    "unit": "",
    "least": 1,
    "most": 5,
    "required": False,
    "when": None,
}
QUALITY = QUESTION | {"key": "quality", "text": "Image quality", "of": "case", "least": 0, "most": 10}


def box(top, left, height, width):
    """(row, column) of a rectangle."""
    return [(row, column) for row in range(top, top + height) for column in range(left, left + width)]


@dataclass
class Reading:
    """`cast`, and Cara who reads as well. `reads` by name: anna, ben, cara."""

    cast: Cast
    design: ReadingDesign
    reads: dict[str, Read] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        return Case.objects.get(pk=self.cast.case.pk)

    def draw(self, who, slices, **value):
        """A segment with these voxels by slice index; its annotation."""
        mark = uuid.uuid4()
        self.edit(who, edit(self.cast.segment(**value), mark))
        for index, voxels in slices.items():
            self.edit(who, edit(plane_value(voxels), mark, sop=self.cast.sop(index)))
        return mark

    def measure(self, who, **value):
        mark = uuid.uuid4()
        self.edit(who, edit(self.cast.length(**value), mark))
        return mark

    def answer(self, who, question, value, *, of="annotation", about=""):
        said = {"answer": question, "of": of, "id": str(about), "value": value}
        self.edit(who, edit(said, answer_id(answer=question, of=of, about=str(about))))

    def edit(self, who, one):
        return self.cast.apply([one], who=who, read=self.reads[who])

    def hand_in(self, *names):
        """Submitted, and accepted by the reviewer."""
        for name in names or self.reads:
            read = self.reads[name]
            self.cast.submit(read, who=name)
            verdict = {"verdict": "accept", "round": 1}
            response = self.cast.post("review/", verdict, who="reviewer", read=read)
            assert response.status_code == 200, response.content

    def decided(self) -> Case:
        decide(self.case)
        return self.case

    def begin(self, who="reviewer", **body):
        url = f"/api/v1/projects/{self.cast.project.slug}/cases/{self.case.number}/adjudication/"
        return self.cast.client(who).post(url, body, "application/json")

    def adjudication(self, who="reviewer") -> Read:
        response = self.begin(who)
        assert response.status_code == 201, response.content
        begun = Read.objects.get(public_id=response.json()["read"])
        find(begun.pk)  # the job
        return begun

    def shown(self, adjudication, who="reviewer"):
        response = self.cast.get("adjudication/", who=who, read=adjudication)
        assert response.status_code == 200, response.content
        return response.json()

    def settle(self, adjudication, number=1, *, who="reviewer", reason="It is so.", **sent):
        lesion = self.shown(adjudication)["lesions"][number - 1]
        body = {"version": lesion["version"], "reason": reason} | sent
        return self.cast.post(f"adjudication/lesions/{number}/settle/", body, who=who, read=adjudication)


def make_reading(cast: Cast) -> Reading:
    """Nobody has drawn yet. The design adjudicates where Dice is under 0.8, or a lesion or answer differs."""
    design = ReadingDesign.objects.create(project=cast.project, readers_per_case=3, changed_by=cast.lead)
    cast.schema.questions = [QUESTION, QUALITY]
    cast.schema.save()
    cara = User.objects.create_user(f"cara{cast.project.pk}", first_name="Cara", last_name="Of Cast")
    permissions.grant(user=cara, role="reader", scope=cast.project)
    cast.cara = cara
    reads = {"anna": cast.read, "ben": cast.bens_read}
    reads["cara"] = Read.objects.create(case=cast.case, reader=cara, schema=cast.schema)
    return Reading(cast, design, reads)


def make_disputed(cast: Cast) -> Reading:
    """Three squares of one lesion, the last one much larger; all handed in, and decided."""
    reading = make_reading(cast)
    reading.draw("anna", {2: box(4, 4, 10, 10), 3: box(4, 4, 10, 10)})
    reading.draw("ben", {2: box(4, 4, 10, 11), 3: box(4, 4, 10, 10)})
    reading.draw("cara", {2: box(2, 2, 16, 16), 3: box(2, 2, 16, 16), 4: box(4, 4, 4, 4)})
    reading.hand_in()
    reading.decided()
    return reading


@pytest.fixture
def reading(db) -> Reading:
    return make_reading(make_cast())  # numbered with the shared one: names are taken once


@pytest.fixture(scope="module")
def shared_disputed(module_rows) -> Reading:
    with module_rows():
        made = make_disputed(make_cast())
    made.cast.clients.clear()
    return made


@pytest.fixture
def disputed(shared_disputed, db) -> Reading:
    return deepcopy(shared_disputed)
