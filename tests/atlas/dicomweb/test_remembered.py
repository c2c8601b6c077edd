"""Answers of the database that are remembered for seconds, and what is not."""

import asyncio

from atlas.dicomweb import remembered
from atlas.dicomweb.remembered import Remembered


class Database:
    """Answers one, two, three, … each when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def answer(self, key: str) -> int:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        return number


async def soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_who_ask_at_once_ask_the_database_once():
    database = Database()
    known = Remembered(database.answer, weight_max=10)
    asking = [asyncio.create_task(known.get("a")) for _ in range(5)]
    await soon()
    database.may_answer.set()
    assert await asyncio.gather(*asking) == [1] * 5
    assert (await known.get("a"), database.asked) == (1, 1)


async def test_what_was_asked_before_forgetting_is_not_remembered_after_it():
    database = Database()
    known = Remembered(database.answer, weight_max=10)
    early = asyncio.create_task(known.get("a"))
    await soon()
    remembered.forget_everything()
    late = asyncio.create_task(known.get("a"))
    await soon()
    database.may_answer.set()
    assert (await early, await late) == (1, 2)  # who asks after the news isn't told what was found before
    assert known.known("a") == 2
    assert await known.get("a") == 2


async def test_an_answer_that_was_under_way_is_not_kept_when_nobody_asks_again():
    database = Database()
    known = Remembered(database.answer, weight_max=10)
    early = asyncio.create_task(known.get("a"))
    await soon()
    database.may_answer.set()
    await asyncio.sleep(0)  # the answer is here, whoever asked has not looked at it yet
    known.forget()
    assert await early == 1
    assert known.known("a") is None


async def test_one_key_is_dropped_and_others_stay():
    database = Database()
    known = Remembered(database.answer, weight_max=10)
    database.may_answer.set()
    assert await known.get("b") == 1
    database.may_answer.clear()
    early = asyncio.create_task(known.get("a"))
    await soon()
    known.drop("a")
    database.may_answer.set()
    assert await early == 2
    assert (known.known("a"), known.known("b")) == (None, 1)


async def test_the_oldest_goes_when_there_is_too_much():
    database = Database()
    database.may_answer.set()
    known = Remembered(database.answer, weight_max=2)
    for key in "abc":
        await known.get(key)
    assert [known.known(key) for key in "abc"] == [None, 2, 3]
