"""What the platform does by itself."""

import threading

from picsellia_jupyter.localplatform.housekeeping import Housekeeping


def test_chores_are_done_again_and_again_and_one_that_fails_does_not_stop_the_others(caplog):
    done, enough = [], threading.Event()

    def failing():
        done.append("failing")
        raise ValueError("no luck")

    def working():
        done.append("working")
        if done.count("working") == 3:
            enough.set()

    with Housekeeping([failing, working], every_s=0.01):
        assert enough.wait(10)
    assert done[:4] == ["failing", "working", "failing", "working"]
    assert "no luck" in caplog.text
    seen = len(done)
    assert not any(thread.name == "housekeeping" for thread in threading.enumerate())
    assert len(done) == seen


def test_a_chore_that_runs_at_the_end_is_finished_and_the_next_not_begun():
    begun, may_end, done = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        may_end.wait(10)
        done.append("slow")

    housekeeping = Housekeeping([slow, lambda: done.append("next")], every_s=0.01)
    with housekeeping:
        assert begun.wait(10)
        threading.Timer(0.05, may_end.set).start()
    assert done == ["slow"]
