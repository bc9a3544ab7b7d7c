"""Workers that die, hang, lie, or cannot be started; each state is told, each caller answered."""

import os
import signal
import threading

import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import NotServingError, ServingError
from picsellia_jupyter.serving import messages, sandbox
from picsellia_jupyter.serving.supervisor import Limits
from tests.serving import fakes

READY, DEGRADED, UNHEALTHY = ServingState.READY, ServingState.DEGRADED, ServingState.UNHEALTHY


def kill(pool, pid=None):
    os.kill(pid or pool.worker_pid, signal.SIGKILL)


@pytest.fixture
def no_spawn(monkeypatch):
    """Have no further worker start; a call ends that."""
    allowed, real = threading.Event(), sandbox.spawn

    def spawn(*args, **how):
        if allowed.is_set():
            return real(*args, **how)
        raise OSError(11, "Resource temporarily unavailable")

    def begin():
        monkeypatch.setattr(sandbox, "spawn", spawn)
        return allowed.set

    return begin


@pytest.mark.parametrize(
    ("photo", "how"),
    [
        ("segfault", "was ended by SIGSEGV"),
        ("kill", "was ended by SIGKILL; out of memory, perhaps"),
        ("exit:3", "ended with status 70"),
        ("spin", "did not answer within"),
        ("sleep:60", "did not answer within"),
        ("hold:60", "gave no sign of life for 0.5 s and was ended"),
        ("garbage", "answered what cannot be read"),
    ],
)
def test_an_image_that_ends_its_worker_is_tried_once_more_and_never_again(make_pool, photo, how):
    pool = make_pool()
    asked = [pool.ask("fine"), pool.ask(photo), *(pool.ask("fine") for _ in range(4))]
    error = asked[1].exception(20)
    assert "The model worker died over 'a.jpg' 2 times" in str(error)
    assert not isinstance(error, NotServingError)  # a client would repeat it
    others = [reply for reply in asked if reply is not asked[1]]
    assert all(reply.result(10).found for reply in others)
    with pytest.raises(ServingError, match="Leave this image out"):
        pool.ask(photo)
    fakes.wait_for(lambda: pool.state == (READY, ""))
    assert {state for state, _ in pool.told} == {DEGRADED, READY}
    assert any(how in reason for _, reason in pool.told), pool.told


def test_a_worker_that_stands_still_is_ended_though_nobody_asks_it_anything(make_pool):
    pool = make_pool()
    before = pool.worker_pid
    os.kill(before, signal.SIGSTOP)
    fakes.wait_for(lambda: pool.worker_pid not in (None, before))
    assert fakes.is_gone(before)
    assert pool.ask("fine").result(10)
    assert pool.told[0] == (
        DEGRADED,
        "The model worker gave no sign of life for 0.5 s and was ended.",
    )


def test_a_slow_model_is_given_the_time_it_needs(make_pool):
    pool = make_pool(photo=b"sleep:0.1")  # ten times the limit of 0.5 s is 1 s
    before = pool.worker_pid
    assert pool.ask("sleep:1.0").result(10)
    assert pool.worker_pid == before


def test_a_dead_worker_is_noticed_at_once_while_others_serve(make_pool):
    pool = make_pool(workers=2, limits=Limits(backoff_s=(30.0,)))
    kill(pool)
    fakes.wait_for(lambda: pool.told, within_s=3)
    assert pool.state == (
        DEGRADED,
        "The model worker was ended by SIGKILL; out of memory, perhaps.",
    )
    assert pool.numbers().ready == 1
    assert all(pool.ask("fine").result(5) for _ in range(3))


def test_kills_and_stops_under_load_cost_no_answer(make_pool):
    limits = Limits(tick_s=0.05, pulse_s=0.5, stall_s=1, backoff_s=(0.05,), deaths=1000)
    pool = make_pool(workers=2, limits=limits)
    asked, over = [], threading.Event()

    def ask():
        while not over.is_set():
            asked.append(pool.ask("sleep:0.002"))
            asked[-1].exception(20)

    clients = [threading.Thread(target=ask) for _ in range(6)]
    for client in clients:
        client.start()
    for number, how in enumerate((signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV) * 2, start=1):
        os.kill(pool.worker_pids[-1], how)
        fakes.wait_for(lambda restarts=number: pool.numbers().restarts == restarts)
    over.set()
    for client in clients:
        client.join(20)
    assert len(asked) > 50
    assert all(reply.result(0).found for reply in asked)


def test_a_worker_that_dies_five_times_is_given_up_while_others_serve(make_pool):
    pool = make_pool(workers=2)
    first, kept = pool._seats
    for _ in range(5):
        fakes.wait_for(lambda: first.serving)
        kill(pool, first.supervisor.worker_pid)
        fakes.wait_for(lambda: not first.serving)
    fakes.wait_for(lambda: "died 5 times within 60 s" in pool.state[1])
    assert pool.state[0] is DEGRADED
    assert pool.ask("fine").result(5)
    assert kept.supervisor.worker_pid == pool.worker_pid


def test_a_pool_whose_last_worker_is_given_up_is_unhealthy_and_says_why(make_pool, no_spawn):
    pool = make_pool()
    waiting = [pool.ask("sleep:60") for _ in range(3)]
    no_spawn()
    kill(pool)
    for reply in waiting:
        assert "Resource temporarily unavailable" in str(reply.exception(10))
    fakes.wait_for(lambda: pool.state[0] is UNHEALTHY)
    assert "died 5 times within 60 s. The last time: " in pool.state[1]
    with pytest.raises(NotServingError, match="died 5 times"):
        pool.ask("fine")


def test_a_worker_that_cannot_be_started_is_tried_again(make_pool, no_spawn):
    pool = make_pool()
    allow = no_spawn()
    kill(pool)
    fakes.wait_for(lambda: any("could not be started" in why for _, why in pool.told))
    allow()
    assert pool.ask("fine").result(10)


def test_what_waits_too_long_for_a_worker_is_told(make_pool, no_spawn):
    limits = Limits(tick_s=0.05, backoff_s=(0.05, 30.0))
    pool = make_pool(grace_s=0.3, limits=limits)
    waiting = [pool.ask("sleep:60") for _ in range(2)]
    no_spawn()
    kill(pool)
    for reply in waiting:
        assert "is not back after 0.3 s" in str(reply.exception(10))
    with pytest.raises(NotServingError, match="no model worker now"):
        pool.ask("fine")


def test_an_answer_that_cannot_be_read_fails_its_image_alone(make_pool, monkeypatch):
    pool = make_pool()
    before, real, broken = pool.worker_pid, messages.reply_of, [True]

    def reply_of(message):
        if broken:
            broken.clear()
            raise AttributeError("garbage")
        return real(message)

    monkeypatch.setattr(messages, "reply_of", reply_of)
    assert "AttributeError: garbage" in str(pool.ask("fine").exception(5))
    assert pool.ask("fine").result(5)
    assert pool.worker_pid == before


def test_a_listener_that_fails_does_not_end_the_supervisor(make_pool, monkeypatch):
    pool = make_pool()

    def listen(_state, _reason):
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(pool, "_on_state", listen)
    kill(pool)
    assert pool.ask("fine").result(10)


# Loading -----------------------------------------------------------------------------------


def test_a_worker_that_ends_while_it_loads_is_told_of_at_once(make_pool):
    with pytest.raises(NotServingError, match="ended with status 3"):
        make_pool("exit:3")


def test_a_load_that_takes_too_long_is_ended(make_pool):
    limits = Limits(load_s=0.3)
    with pytest.raises(NotServingError, match=r"did not load the model within 0\.3 s"):
        make_pool("slow:60", limits=limits)


def test_a_load_can_be_cancelled(make_pool, started_pools):
    errors = []

    def begin():
        try:
            make_pool("slow:60", limits=Limits())
        except NotServingError as error:
            errors.append(error)

    loading = threading.Thread(target=begin)
    loading.start()
    [pool] = fakes.wait_for(lambda: [one for one in started_pools if one.worker_pid])
    pid = pool.worker_pid
    pool.stop()
    loading.join(5)
    assert "was stopped" in str(errors[0])
    assert fakes.is_gone(pid)


def test_a_second_worker_that_cannot_load_is_done_without(make_pool, no_spawn):
    pool = make_pool()
    no_spawn()
    pool._workers = 2
    pool.grow()
    fakes.wait_for(lambda: pool.numbers().workers == 1)
    assert pool.state == (READY, "")
    assert pool.ask("fine").result(5)
