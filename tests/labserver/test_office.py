"""A clerk: one thread, one session, and everybody who asks is answered."""

from __future__ import annotations

import asyncio
import threading

import pytest

from picsellia_jupyter.domain.errors import DeadlineError, InvalidInputError, NotFoundError
from picsellia_jupyter.labserver.office import Clerk, Office


class Opened:
    """Counts the sessions that were made; what a session is does not matter here."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def __call__(self) -> str:
        self.threads.append(threading.get_ident())
        return "the session"


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def clerk(opened) -> Clerk:
    return Clerk("a-clerk", opened)


def test_all_questions_are_asked_of_one_session_in_one_thread(clerk, opened):
    async def ask() -> list[tuple[str, int]]:
        asked = [
            clerk.ask(f"question {n}", lambda s: (s, threading.get_ident()), timeout_s=10)
            for n in range(3)
        ]
        return await asyncio.gather(*asked)

    assert opened.threads == []
    answers = asyncio.run(ask())
    assert answers == [("the session", opened.threads[0])] * 3
    assert len(opened.threads) == 1
    assert opened.threads[0] != threading.get_ident()


def test_who_asks_the_same_meanwhile_gets_the_same_answer(clerk):
    go, times = threading.Event(), []

    def question(_session: str) -> int:
        assert go.wait(10)
        times.append(1)
        return len(times)

    async def ask() -> list[int]:
        asked = [asyncio.ensure_future(clerk.ask("same", question, timeout_s=10)) for _ in range(2)]
        await asyncio.sleep(0)  # both have asked
        go.set()
        together = await asyncio.gather(*asked)
        return [*together, await clerk.ask("same", question, timeout_s=10)]

    assert asyncio.run(ask()) == [1, 1, 2]


def test_a_failure_is_told_and_the_next_question_is_answered(clerk):
    def failing(_session: str) -> None:
        raise NotFoundError("There is no model named 'x'.")

    async def ask() -> str:
        with pytest.raises(NotFoundError, match="no model named 'x'"):
            await clerk.ask("failing", failing, timeout_s=10)
        return await clerk.ask("next", str, timeout_s=10)

    assert asyncio.run(ask()) == "the session"


def test_a_silent_platform_is_told_after_the_time_to_wait(clerk):
    go = threading.Event()

    async def ask() -> None:
        with pytest.raises(DeadlineError) as told:
            await clerk.ask("silent", lambda _session: go.wait(10), timeout_s=0.01)
        assert told.value.fact == "The platform did not answer within 0.01 s."
        assert "%picsellia" in told.value.remedy
        go.set()

    asyncio.run(ask())


def test_each_platform_has_clerks_of_its_own_and_they_are_not_without_number():
    office = Office()
    assert office.clerks("") is office.clerks("")
    assert office.clerks("https://one.test/") is office.clerks("https://one.test")
    for number in range(6):
        office.clerks(f"https://{number}.test")
    with pytest.raises(InvalidInputError, match="asks 8 platforms already"):
        office.clerks("https://another.test")
