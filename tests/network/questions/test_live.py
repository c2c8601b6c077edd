"""An open page of a question hears that an answer has come; nobody else does."""

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from accounts import permissions
from accounts.models import Organisation
from atlas.models import Dataset
from network.questions.answering import receive_answer
from network.questions.asking import ask
from tests.cast import person, signed_in
from tests.live import Page

from .conftest import ASKS, CT, answer, listing, member, row

pytestmark = pytest.mark.django_db(transaction=True)

in_thread = sync_to_async


def open_page(user, path) -> Page:
    return Page(path, signed_in(user))


def make():
    asker, decider, other = person("ana"), person("knut"), person("eve")
    karlsund = Organisation.objects.create(name="Karlsund", slug="karlsund", country="SE")
    permissions.grant(user=decider, role="access_committee", scope=karlsund)
    dataset = Dataset.objects.create(organisation=karlsund, name="Lung", slug="lung")
    listing("lung", dataset=dataset, answers=ASKS)
    node = member("ribera", 1)
    listing("breast", node=node)
    return asker, decider, other, node


async def test_the_asker_hears_of_an_answer_and_the_committee_of_a_question(layer, facts):
    asker, decider, other, node = await in_thread(make)()
    held = await in_thread(open_page)(decider, "/ws/questions/held/")
    assert await held.connect()
    question = await in_thread(ask)(by=asker, expression=CT)
    assert await held.hear() == {"type": "held"}
    path = f"/ws/questions/{question.public_id}/"
    page = await in_thread(open_page)(asker, path)
    assert await page.connect()
    await in_thread(transaction.atomic(receive_answer))(node, answer(question, row()))
    assert await page.hear() == {"type": "question"}
    for who, where in ((other, path), (decider, path), (asker, "/ws/questions/held/")):
        stranger = await in_thread(open_page)(who, where)
        assert not await stranger.connect()
        await stranger.leave()
    await page.leave()
    await held.leave()
