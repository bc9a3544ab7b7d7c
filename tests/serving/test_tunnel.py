"""The kernel's end of a tunnel: what it runs, keeps, refuses and drops."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from picsellia_jupyter import __version__
from picsellia_jupyter.serving import tunnel as kernel_end
from picsellia_jupyter.wire import tunnel
from picsellia_jupyter.wire.windows import WINDOW_BYTES

MIB = 1024 * 1024


class Wire:
    """Stands for ipykernel's session and control stream: keeps what is sent."""

    def __init__(self, app: Any) -> None:
        self.sent: list[tuple[Any, tunnel.Message]] = []
        self._changed = asyncio.Event()
        self.kernel = SimpleNamespace(control_handlers={}, session=self)
        loop = asyncio.get_running_loop()
        self.end = kernel_end.answer_over_control(self.kernel, app, loop, "http://127.0.0.1:9")
        self.incarnation = self.end.incarnation

    @property
    def io_loop(self) -> Wire:
        return self

    def add_callback(self, call: Callable[..., None], *args: Any) -> None:
        call(*args)

    def send(self, stream: Any, kind: str, content: Any, parent: Any, ident: Any) -> None:
        assert kind == tunnel.REPLY
        self.sent.append((ident, tunnel.from_content(content)))
        self._changed.set()

    def say(self, message: tunnel.Message, ident: Any = "notebook") -> None:
        handler = self.kernel.control_handlers[tunnel.REQUEST]
        handler(self, ident, {"content": tunnel.to_content(message)})

    async def hear(self, count: int) -> list[tunnel.Message]:
        """The next so many messages that are sent."""
        while len(self.sent) < count:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 10)
        heard = [message for _, message in self.sent[:count]]
        del self.sent[:count]
        return heard

    def request(self, name: str = "1", *, body: bytes = b"", more: bool = False) -> tunnel.Open:
        return tunnel.Open(name, self.incarnation, 60.0, "POST", "/", (), body, more)


def run(case: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(case(), 30))


async def turn() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


class App:
    """Counts its calls and answers with `size` bytes, once it may."""

    def __init__(self, size: int = 3, pieces: int = 1) -> None:
        self.calls = 0
        self.said = 0
        self.events: list[dict[str, Any]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._size, self._pieces = size, pieces

    async def __call__(self, scope, receive, send) -> None:
        self.calls += 1
        event = await receive()
        self.events.append(event)
        while event.get("more_body"):
            event = await receive()
            self.events.append(event)
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for left in reversed(range(self._pieces)):
            body = bytes(self._size // self._pieces)
            await send({"type": "http.response.body", "body": body, "more_body": left > 0})
            self.said += 1


def test_a_greeting_is_answered_with_what_is_here():
    async def case() -> None:
        wire = Wire(App())
        wire.say(tunnel.Hello())
        (welcome,) = await wire.hear(1)
        assert welcome == tunnel.Welcome(wire.incarnation, "http://127.0.0.1:9", __version__)

    run(case)


def test_a_request_for_an_earlier_start_of_the_kernel_is_refused_and_not_run():
    async def case() -> None:
        app = App()
        wire = Wire(app)
        wire.say(dataclasses.replace(wire.request(), incarnation="another"))
        (refused,) = await wire.hear(1)
        assert isinstance(refused, tunnel.Refused)
        assert (refused.status, refused.incarnation) == (tunnel.STALE, "another")
        assert refused.fact == "The request was for an earlier start of this kernel, which is gone."
        assert app.calls == 0

    run(case)


def test_a_request_that_is_said_again_runs_once_and_its_reply_comes_again():
    async def case() -> None:
        app = App()
        wire = Wire(app)
        wire.say(wire.request())
        first = await wire.hear(1)
        wire.say(wire.request(), "the same notebook, connected anew")
        wire.say(tunnel.Ack("1", wire.incarnation, 0, resume=True), "the same notebook")
        await turn()
        assert wire.sent == [("the same notebook", first[0])]
        assert app.calls == 1

    run(case)


def test_a_request_that_is_over_does_not_run_again_when_an_echo_of_it_comes_late():
    async def case() -> None:
        app = App()
        wire = Wire(app)
        wire.say(wire.request())
        await wire.hear(1)
        wire.say(tunnel.Close(wire.incarnation, ("1",)))
        wire.say(wire.request())
        wire.say(tunnel.Ack("1", wire.incarnation, 0, resume=True))
        (refused,) = await wire.hear(1)
        assert isinstance(refused, tunnel.Refused)
        assert refused.fact == "The kernel does not know this request, or gave it up."
        assert app.calls == 1

    run(case)


def test_a_reply_runs_ahead_of_its_reader_by_one_window_at_most():
    async def case() -> None:
        app = App(64 * MIB, pieces=64)
        wire = Wire(app)
        wire.say(wire.request())
        await turn()
        ahead = sum(len(message.body) for _, message in wire.sent)
        assert ahead == WINDOW_BYTES
        assert app.said == WINDOW_BYTES // MIB
        wire.say(tunnel.Ack("1", wire.incarnation, 2))
        await turn()
        assert app.said == WINDOW_BYTES // MIB + 2

    run(case)


def test_one_large_piece_is_cut_into_small_ones():
    async def case() -> None:
        wire = Wire(App(3 * MIB + 1))
        wire.say(wire.request())
        heard = await wire.hear(4)
        assert [len(message.body) for message in heard] == [MIB, MIB, MIB, 1]
        assert [message.more for message in heard] == [True, True, True, False]

    run(case)


def test_a_sender_that_does_not_wait_is_refused():
    async def case() -> None:
        app = App()
        wire = Wire(app)
        wire.say(wire.request(more=True))
        for seq in range(1, 10):
            wire.say(tunnel.Body("1", wire.incarnation, seq, bytes(MIB), more=True))
        (refused,) = await wire.hear(1)
        assert isinstance(refused, tunnel.Refused)
        assert (refused.status, refused.fact) == (413, "More of the body came than was asked for.")

    run(case)


def test_a_closed_request_is_told_to_the_app_as_a_client_that_went():
    async def case() -> None:
        app = App()
        wire = Wire(app)
        wire.say(wire.request(more=True))
        await turn()
        wire.say(tunnel.Close(wire.incarnation, ("1",)))
        await turn()
        assert app.events[-1] == {"type": "http.disconnect"}
        assert wire.sent == []

    run(case)


def test_a_request_in_which_nothing_moves_is_over_at_its_deadline():
    async def case() -> None:
        app = App()
        app.may_answer.clear()
        wire = Wire(app)
        wire.say(dataclasses.replace(wire.request(), deadline_s=0.05))
        (refused,) = await wire.hear(1)
        assert isinstance(refused, tunnel.Refused)
        assert (refused.status, refused.fact) == (504, "The time for this request is over.")

    run(case)


def test_so_many_requests_run_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernel_end, "MAX_RUNNING", 2)

    async def case() -> None:
        app = App()
        app.may_answer.clear()
        wire = Wire(app)
        for name in "123":
            wire.say(wire.request(name))
        (refused,) = await wire.hear(1)
        assert isinstance(refused, tunnel.Refused)
        assert (refused.id, refused.status) == ("3", 503)
        assert refused.fact == "The serving kernel answers 2 requests already."
        app.may_answer.set()
        assert {message.id for message in await wire.hear(2)} == {"1", "2"}
        wire.say(wire.request("4"))
        assert [message.id for message in await wire.hear(1)] == ["4"]

    run(case)


def test_replies_that_nobody_confirms_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernel_end, "MAX_KEPT_BYTES", 5 * MIB)

    async def case() -> None:
        wire = Wire(App(2 * MIB))
        for name in "123":
            wire.say(wire.request(name))
            await wire.hear(2)
        await turn()
        for name in "13":
            wire.say(tunnel.Ack(name, wire.incarnation, 0, resume=True))
        refused, *again = await wire.hear(3)
        assert (refused.id, type(refused)) == ("1", tunnel.Refused)
        assert [message.id for message in again] == ["3", "3"]

    run(case)


def test_what_is_no_message_is_passed_over():
    async def case() -> None:
        wire = Wire(App())
        wire.kernel.control_handlers[tunnel.REQUEST](wire, "x", {"content": {"op": "dance"}})
        wire.say(tunnel.Hello())
        assert len(await wire.hear(1)) == 1

    run(case)


def test_an_end_that_was_closed_answers_nothing_and_leaves_its_successor_alone():
    async def case() -> None:
        wire = Wire(App())
        loop = asyncio.get_running_loop()
        after = kernel_end.answer_over_control(wire.kernel, App(), loop, "http://127.0.0.1:8")
        wire.end.close()
        wire.say(tunnel.Hello())
        (welcome,) = await wire.hear(1)
        assert isinstance(welcome, tunnel.Welcome)
        assert welcome.incarnation == after.incarnation != wire.incarnation
        after.close()
        assert wire.kernel.control_handlers == {}

    run(case)
