"""An event loop that waits for other threads."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from picsellia_jupyter.serving.awaiting import Awaiter


def test_results_and_errors_of_another_thread_arrive():
    async def main():
        awaiter, good, bad = Awaiter(), Future(), Future()
        waiting = [asyncio.create_task(awaiter.result(future)) for future in (good, bad)]
        await asyncio.sleep(0)
        threading.Thread(
            target=lambda: (good.set_result(7), bad.set_exception(ValueError("no")))
        ).start()
        assert await waiting[0] == 7
        with pytest.raises(ValueError, match="no"):
            await waiting[1]

    asyncio.run(main())


def test_a_burst_of_results_wakes_the_loop_once(monkeypatch):
    async def main():
        loop, calls = asyncio.get_running_loop(), []
        real = loop.call_soon_threadsafe
        monkeypatch.setattr(
            loop, "call_soon_threadsafe", lambda *a, **k: calls.append(a) or real(*a, **k)
        )
        awaiter, futures = Awaiter(), [Future() for _ in range(20)]
        waiting = [asyncio.create_task(awaiter.result(future)) for future in futures]
        await asyncio.sleep(0)
        for number, future in enumerate(futures):
            future.set_result(number)
        assert await asyncio.gather(*waiting) == list(range(20))
        assert len(calls) == 1

    asyncio.run(main())


def test_what_was_done_before_is_had_at_once():
    async def main():
        future = Future()
        future.set_result(1)
        assert await asyncio.wait_for(Awaiter().result(future), 5) == 1

    asyncio.run(main())


def test_a_task_that_is_cancelled_cancels_what_it_waited_for():
    async def main():
        future = Future()
        task = asyncio.create_task(Awaiter().result(future))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert future.cancelled()

    asyncio.run(main())
