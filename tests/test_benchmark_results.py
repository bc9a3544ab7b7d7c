"""The table that all benchmarks make together."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import BENCHMARKS, ROOT
from benchmarks.results import Said, summary, table
from benchmarks.serving.goals import Goals


def printed(capsys: pytest.CaptureFixture[str], goals: Goals) -> str:
    goals.show()
    return f"some table\n| a | b |\n{capsys.readouterr().out}the last line"


@pytest.fixture
def fast(capsys):
    goals = Goals()
    goals.at_most(
        "V1", "an image of 1,000 shapes (CPU)", 31.25, 50.0, " ms", beside="matplotlib 1,904 ms"
    )
    goals.at_least("caller", "rows: kept | durable", 1234.5, 1000, "/s")
    return Said("viewer", printed(capsys, goals), 0, 30.0)


@pytest.fixture
def slow(capsys):
    goals = Goals(left_out=["Ray Serve, which is not installed"], reasons={"G1": "it is Python"})
    goals.at_least("G1", "x limit at c=8", 0.61, 0.9)
    return Said("serving", printed(capsys, goals), 1, 90.0)


def test_each_goal_is_a_row_with_its_figure_and_its_peers(fast):
    rows = table([fast], date="1 May 2026", quick=False).splitlines()
    assert (
        "| viewer V1 | an image of 1,000 shapes (CPU) | 31.25 ms | <= 50 ms | yes "
        "| matplotlib 1,904 ms |" in rows
    )
    assert "| viewer caller | rows: kept \\| durable | 1234.50/s | >= 1000/s | yes |  |" in rows
    assert not any("falls short" in row for row in rows)


def test_what_falls_short_is_said_plainly_with_the_reason(fast, slow):
    text = table([fast, slow], date="1 May 2026", quick=True)
    assert "2 of 3 goals held in 2.0 minutes. FALLS SHORT: x limit at c=8." in text
    assert "| serving G1 | x limit at c=8 | 0.61 | >= 0.9 | **NO** |  |" in text
    assert "- serving G1 falls short: it is Python" in text
    assert "- serving, not measured: Ray Serve, which is not installed" in text


@pytest.mark.parametrize(("text", "status"), [("Traceback\nOSError", 1), ("", 0), ("", 124)])
def test_a_benchmark_that_breaks_off_is_not_taken_for_one_without_goals(fast, text, status):
    broken = Said("lab", text, status, 1.0)
    assert "BROKE OFF: lab." in summary([fast, broken])
    assert f"lab broke off (exit status {status})" in table([broken], date="", quick=True)


def test_one_that_shows_goals_and_then_fails_has_broken_off(fast):
    assert Said("lab", fast.text + "\nTraceback", 1, 1.0).is_broken


def test_every_benchmark_is_run():
    folder = ROOT / "benchmarks"
    modules = {path.parent.name for path in folder.glob("*/__main__.py")}
    modules |= {path.stem for path in folder.glob("*.py") if "def main(" in path.read_text()}
    # Those for graphics cards and for hours are started by hand.
    assert modules - {"__main__", "gpu", "soak"} == set(BENCHMARKS)
