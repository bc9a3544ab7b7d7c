"""What the benchmark on a GPU concludes, where there is none; nothing is timed."""

import re
import sys
import time
from dataclasses import replace

import psutil
import pytest

from benchmarks.gpu import card, memory, report, rows, running, workers
from benchmarks.gpu.rows import Fact, Row
from benchmarks.gpu.running import Outcome
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.messages import LoadRequest


class Ballast:
    """Leaves room for one image for each 32 MB, until it is over."""

    def __init__(self, model, *, works=True):
        self._model, self._works = model, works
        self.left = []

    def leave(self, size):
        self.left.append(size >> 20)
        if self._works:
            self._model.write_text(str(size >> 25))
        return size

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._model.write_text("64")


@pytest.fixture
def starve(tmp_path, monkeypatch):
    model = tmp_path / "card"
    model.write_text("64")
    monkeypatch.setattr(memory, "SIDE", 2)
    request = LoadRequest(model, None, InferenceType.CLASSIFICATION)

    def facts(**options):
        ballast = Ballast(model, **options)
        with workers.pooled(request, b"photo", module="tests.serving.cards") as (pool, log):
            found = list(memory.starved(pool, log, lambda: ballast, [b"photo"], 0.3))
        return {fact.what: fact for fact in found}, ballast

    return facts


def test_a_worker_that_runs_out_of_memory_is_seen_to_halve_its_batches_and_serve_on(starve):
    facts, ballast = starve()

    assert all(fact.holds for fact in facts.values()), facts
    halved = facts["a real OutOfMemoryError halves the batch"].found
    # On a busy machine batches may be too small for the first rest.
    assert re.match(r"16 at the warm-up, [1-8] at last with \d+ MB free; the worker: ", halved)
    assert "images do not fit into the memory of cuda:0. Batches have" in halved
    assert ballast.left[:2] == [256, 256]
    assert "0 failed" in facts["every photo is answered while memory is free again"].found


def test_memory_that_does_not_run_out_is_no_proof(starve):
    facts, ballast = starve(works=False)

    assert not facts["a real OutOfMemoryError halves the batch"].holds
    assert ballast.left == [256, 256, 128, 128, 64, 64]


BALLAST = "import sys\nfor line in sys.stdin: print(int(line) + 1, flush=True)"


def test_a_ballast_is_a_process_that_ends_with_its_context():
    with card.Ballast("cuda:0", [sys.executable, "-c", BALLAST]) as ballast:
        assert ballast.leave(64) == 65
        assert ballast.leave(8) == 9
        pid = ballast._process.pid
    assert not psutil.pid_exists(pid)


def test_a_ballast_that_fails_is_told_of(capfd):
    with (
        card.Ballast("cuda:0", [sys.executable, "-c", "raise SystemExit('no card')"]) as ballast,
        pytest.raises(RuntimeError, match="does not answer"),
    ):
        ballast.leave(1)
    assert "no card" in capfd.readouterr().err


HANGS = """
import subprocess, sys, time
from benchmarks.gpu.rows import Fact, tell
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                         start_new_session=True)
tell(Fact("its child", str(child.pid)))
time.sleep(600)
"""


def test_a_step_that_hangs_is_ended_with_all_it_started_and_what_it_found_counts():
    outcome = running.run("hangs", [sys.executable, "-c", HANGS], 2)

    assert outcome.failure == "ended after 2 s"
    assert not outcome.holds
    [fact] = outcome.facts
    assert not _runs(int(fact.found))


def _runs(pid):
    until = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < until:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return False
        time.sleep(0.05)
    return psutil.pid_exists(pid)


def test_a_step_that_fails_says_so_and_one_without_time_is_not_run():
    outcome = running.run("fails", [sys.executable, "-c", "print('why'); exit(3)"], 20)
    assert (outcome.failure, outcome.said) == ("exit status 3", ["why"])
    assert running.run("late", ["true"], 0).failure == "not run: no time is left"


@pytest.mark.parametrize("last", ["12 skipped in 3 s", "9 passed, 3 skipped in 3 s", "no tests"])
def test_tests_that_did_not_run_are_a_failure(last):
    ran, did_not = Outcome("tests", said=["12 passed in 3 s"]), Outcome("tests", said=[last])
    ran.check_tests()
    did_not.check_tests()
    assert (ran.failure, did_not.failure) == ("", f"not every test ran: {last}")


def test_what_a_step_tells_is_heard_and_nothing_else(capsys):
    row, fact = rows.timed("pool", "fp16", 8, [0.01, 0.03], 0.5), Fact("a", "b", holds=False)
    rows.tell(row)
    rows.tell(fact)
    assert [rows.heard(line) for line in capsys.readouterr().out.splitlines()] == [row, fact]
    assert [rows.heard(line) for line in ("{}", "12 passed", '{"Row": {"a": 1}}')] == [None] * 3


KERNEL = Row("kernel", "fp16", 16, 300.0, 50.0, 90.0)


def outcome(*found, failure=""):
    return Outcome("step", rows=[row for row in found if row], failure=failure)


def test_goals_are_held_missed_or_not_measured():
    single = replace(KERNEL, what="kernel, one by one", per_s=100.0)
    one, raw = replace(KERNEL, n=1, p50_ms=6.5), replace(KERNEL, what="raw", n=1, p50_ms=5.0)

    assert [goal.held for goal in report.goals([KERNEL, single, one, raw])] == [True, False]
    assert [goal.held for goal in report.goals([KERNEL])] == [None, None]
    assert not report.all_holds([outcome(one, raw)])
    assert report.all_holds([outcome(KERNEL, single)])


def test_the_last_line_names_what_failed():
    good, bad = outcome(KERNEL), outcome(failure="ended after 60 s")
    assert report.last_line([good]).endswith("0 photos failed; all steps held")
    assert report.last_line([good, bad]).endswith("FAILED: step (ended after 60 s)")
    assert report.last_line([outcome(replace(KERNEL, failed=2))]).endswith("step (see above)")
    assert report.last_line([]).startswith("no figure")
