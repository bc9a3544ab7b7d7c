"""Calls and workers: who gets what, what becomes of it, and what is counted."""

import os
import signal
from concurrent.futures import CancelledError

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import (
    DeadlineError,
    InvalidImageError,
    InvalidPredictionError,
    NotServingError,
    ServingError,
)
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import seat
from tests.serving import fakes


def test_every_image_gets_its_own_answer_though_they_overtake_each_other(make_pool):
    pool = make_pool(workers=2)
    slow = pool.ask("sleep:0.5")
    for _ in range(5):
        assert pool.ask("fine").result(5).found.classes.tolist() == [1]
    assert not slow.done()
    assert slow.result(5).found.scores.tolist() == [1.0]


def test_a_corrupt_image_fails_alone_and_does_not_wait_for_the_model(make_pool):
    pool = make_pool()
    others = [pool.ask("sleep:0.2") for _ in range(7)]
    corrupt = pool.ask("corrupt")
    with pytest.raises(InvalidImageError, match=r"'a\.jpg' is no image"):
        corrupt.result(5)
    assert not all(reply.done() for reply in others)
    assert [reply.result(5).found.classes.tolist() for reply in others] == [[1]] * 7


def test_a_model_that_raises_fails_the_image_alone(make_pool):
    pool = make_pool("batches:8")
    asked = [pool.ask("sleep:0.1"), *(pool.ask(word) for word in ("fine", "fail", "unreadable"))]
    assert "the model says no" in str(asked[2].exception(5))
    assert isinstance(asked[3].exception(5), InvalidPredictionError)
    assert asked[1].result(5)
    assert pool.ask("fine").result(5)


def test_a_batch_that_takes_too_much_memory_is_predicted_on_one_by_one(make_pool):
    pool = make_pool("batches:8")
    first = pool.ask("sleep:0.1")
    asked = [pool.ask("memory:1") for _ in range(4)]
    assert [reply.result(5).found.classes.tolist() for reply in asked] == [[1]] * 4
    assert isinstance(pool.ask("memory:0").exception(5), ServingError)
    assert first.result(5)


def test_batches_are_no_larger_than_the_worker_found_room_for(make_pool):
    pool = make_pool("batches:8")
    pool.ask("shrink:2").result(5)
    asked = [pool.ask("sleep:0.04") for _ in range(7)]
    assert max(reply.result(5).timing.batch for reply in asked) == 2


def test_images_that_wait_for_a_busy_device_share_a_batch(make_pool):
    pool = make_pool("batches:8")
    asked = [pool.ask("sleep:0.04") for _ in range(6)]
    assert max(reply.result(5).timing.batch for reply in asked) >= 3
    batches = pool.numbers().batches
    assert sum(batches.values()) == 6
    assert all(count % size == 0 for size, count in batches.items())


def test_tensors_go_through_the_same_workers(make_pool):
    pool = make_pool()
    answer = pool.submit_tensors({"x": np.arange(3, dtype=np.int64)}).result(5)
    assert answer["x"].tolist() == [1, 2, 3]


def test_tensors_and_photos_take_turns_in_the_order_they_came(make_pool):
    pool = make_pool()
    order = []
    first = pool.ask("sleep:0.2")
    for number in range(3):
        for call in (pool.ask("fine"), pool.submit_tensors({"x": np.zeros(1)})):
            call.add_done_callback(lambda _, number=number: order.append(number))
    assert first.result(5)
    fakes.wait_for(lambda: len(order) == 6)
    assert order == [0, 0, 1, 1, 2, 2]


def test_a_worker_is_not_given_more_bytes_than_it_can_hold(make_pool, monkeypatch):
    monkeypatch.setattr(seat, "_WINDOW_BYTES", 20)
    pool = make_pool()
    asked = [pool.ask("sleep:0.10"), pool.ask("sleep:0.01"), pool.ask("sleep:0.01")]
    assert (pool.numbers().in_flight, pool.numbers().queued) == (2, 1)
    assert all(reply.result(5) for reply in asked)
    assert pool.ask("sleep:0.0" + "0" * 40).result(5)


def test_a_call_goes_to_the_worker_with_the_fewest(make_pool):
    pool = make_pool(workers=2)
    asked = [pool.ask("sleep:0.3") for _ in range(4)]
    assert [len(seat) for seat in pool._seats] == [2, 2]
    assert all(reply.result(5) for reply in asked)


def test_a_full_queue_refuses_and_says_when_to_come_back(make_pool):
    pool = make_pool()
    assert pool.ask("sleep:0.1").result(5)
    asked = [pool.ask("sleep:0.02") for _ in range(8 + 64)]
    with pytest.raises(QueueFullError, match="64 images wait for the model already") as refused:
        pool.ask("fine")
    assert refused.value.retry_after_s > 0
    assert all(reply.result(10) for reply in asked)
    assert pool.numbers().refused == 1


def test_what_could_not_be_answered_by_its_deadline_is_refused_at_once(make_pool):
    pool = make_pool()
    for _ in range(30):
        assert pool.ask("sleep:0.02").result(5)
    asked = [pool.ask("sleep:0.02") for _ in range(60)]
    with pytest.raises(QueueFullError):
        pool.submit(b"fine", "a.jpg", record=False, timeout_s=0.01)
    assert all(reply.result(10) for reply in asked)


def test_every_caller_is_answered_by_its_deadline_and_what_waits_is_not_run(make_pool):
    pool = make_pool()
    running = pool.ask("sleep:1.0", timeout_s=0.3)
    behind = [pool.ask("fine", timeout_s=30) for _ in range(7)]
    queued = pool.ask("fine", timeout_s=0.3)
    with pytest.raises(
        DeadlineError, match=r"had no answer after 0\.3 s: its worker is still busy"
    ):
        running.result(0.9)
    with pytest.raises(DeadlineError, match="no worker had time for it"):
        queued.result(0.9)
    assert all(reply.result(5) for reply in behind)
    assert (pool.numbers().late, pool.numbers().answered) == (2, 7)


def test_a_call_that_nobody_waits_for_any_more_is_not_run(make_pool):
    pool = make_pool()
    asked = [pool.ask("sleep:0.1") for _ in range(8)]
    gone = pool.ask("fail")
    assert gone.cancel()
    assert pool.numbers().queued == 0
    with pytest.raises(CancelledError):
        gone.result(0)
    assert all(reply.result(5) for reply in asked)
    assert (pool.numbers().cancelled, pool.numbers().failed) == (1, 0)


def test_a_drained_pool_has_answered_everything_and_takes_no_more(make_pool):
    pool = make_pool(workers=2)
    asked = [pool.ask("sleep:0.05") for _ in range(12)]
    assert pool.drain(10)
    assert all(reply.done() for reply in asked)
    with pytest.raises(NotServingError, match="no model worker now"):
        pool.ask("fine")


def test_a_stop_answers_what_waits_and_leaves_no_worker(make_pool):
    pool = make_pool(workers=2)
    pids = pool.worker_pids
    asked = [pool.ask("sleep:5") for _ in range(20)]
    pool.stop()
    assert len(pids) == 2
    assert all("Serving was stopped" in str(reply.exception(1)) for reply in asked)
    assert all(fakes.is_gone(pid) for pid in pids)


def test_a_pool_tells_what_it_has_done(make_pool):
    pool = make_pool(workers=2)
    assert all(pool.ask("sleep:0.01").result(5) for _ in range(5))
    assert pool.ask("fail").exception(5)
    numbers = pool.numbers()
    assert (numbers.workers, numbers.ready, numbers.queued, numbers.in_flight) == (2, 2, 0, 0)
    assert (numbers.answered, numbers.failed, numbers.restarts) == (5, 1, 0)
    assert 0.05 <= numbers.run_s < 1
    assert numbers.batches == {1: 5}


def test_a_worker_that_dies_costs_no_answer(make_pool):
    pool = make_pool(workers=2)
    asked = [pool.ask("sleep:0.05") for _ in range(30)]
    os.kill(pool.worker_pids[0], signal.SIGKILL)
    assert all(reply.result(10).found for reply in asked)
    fakes.wait_for(lambda: pool.numbers().ready == 2)
    assert pool.numbers().restarts == 1


def test_a_pool_that_was_stopped_starts_no_worker(make_pool):
    pool = make_pool()
    pool.stop()
    pool._workers = 2
    pool.grow()
    with pytest.raises(NotServingError, match="Serving was stopped"):
        pool.start()
    assert pool.worker_pids == ()
