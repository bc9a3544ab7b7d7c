"""Figures of windows out of counters, against counting by hand."""

import pytest

from picsellia_jupyter.domain.alerts import AlertMetric
from picsellia_jupyter.domain.cloud_figures import Told
from picsellia_jupyter.wire.cloud_figures import MOST, told_from_json
from picsellia_jupyter.workflows.local_looks import Counted, followed, measured, told_by

LATENCY, ERRORS, SILENCE = (
    AlertMetric.AVERAGE_LATENCY, AlertMetric.ERROR_RATE, AlertMetric.NO_TRAFFIC,
)  # fmt: skip


def looks(*rows, longest_s=1_000.0):
    seen = []
    for row in rows:
        seen = followed(seen, Counted(*row), longest_s=longest_s)
    return seen


def test_a_figure_is_of_what_came_within_the_window():
    seen = looks((0, 10, 0, 90.0), (60, 12, 1, 90.4), (120, 20, 3, 92.0))
    assert measured(LATENCY, seen, 60)[0] == pytest.approx(1.6 / 8)
    assert measured(LATENCY, seen, 120)[0] == pytest.approx(2.0 / 10)
    assert measured(ERRORS, seen, 60)[0] == pytest.approx(2 / 10)
    # A window longer than what was watched is as much of it as was.
    assert measured(ERRORS, seen, 9_999)[0] == pytest.approx(3 / 13)


def test_what_cannot_be_told_says_why():
    assert measured(LATENCY, looks((0, 5, 0, 1.0)), 60) == (
        None, "it was looked at once; the next look tells",
    )  # fmt: skip
    still = looks((0, 5, 0, 1.0), (60, 5, 0, 1.0))
    assert measured(LATENCY, still, 60) == (None, "nothing was predicted")
    assert measured(ERRORS, still, 60) == (None, "nothing was asked")
    failing = looks((0, 5, 0, 1.0), (60, 5, 2, 1.0))
    assert measured(ERRORS, failing, 60) == (1.0, "")


def test_silence_is_counted_from_the_last_image():
    seen = looks((0, 5, 0, 1.0), (60, 6, 0, 1.1), (90, 6, 0, 1.1), (200, 6, 0, 1.1))
    assert measured(SILENCE, seen, 0)[0] == 140
    assert measured(SILENCE, looks((0, 5, 0, 1.0), (70, 5, 0, 1.0)), 0)[0] == 70


def test_counters_that_begin_anew_are_another_kernels():
    seen = looks((0, 50, 5, 9.0), (60, 60, 5, 10.0), (120, 4, 0, 0.4))
    assert measured(LATENCY, seen, 60)[0] == pytest.approx(0.1)
    assert measured(ERRORS, seen, 600)[0] == 0.0


def test_no_more_looks_are_kept_than_the_longest_window_needs():
    seen = looks(*((at, at, 0, 0.0) for at in range(0, 500, 10)), longest_s=60)
    assert [one.at for one in seen] == [430, 440, 450, 460, 470, 480, 490]


def test_a_platforms_own_figure_is_taken_by_its_name():
    told = (told_from_json("A", {"result": {"stats": {"ap_50_95": 0.61, "ap_50": 0.9}}}),)
    assert told_by(AlertMetric.AVERAGE_PRECISION, told, "h") == (0.61, "")
    assert told_by(AlertMetric.DRIFT, told, "h") == (None, "the statistics of h have no 'is_drift'")
    twice = (*told, Told("B", (("ap_50_95", 0.2),)))
    assert told_by(AlertMetric.AVERAGE_PRECISION, twice, "h")[0] is None
    flag = (told_from_json("A", {"is_drift": True}),)
    assert told_by(AlertMetric.DRIFT, flag, "h") == (1.0, "")


def test_statistics_of_any_form_are_read_as_their_plain_values():
    raw = {"infos": {"info": "old"}, "a": [1, 2, 3], "b": {"c": None, "d": "x" * 100}, "e": 2.5}
    told = told_from_json("S", raw)
    assert told.is_outdated
    assert told.figures == (
        ("infos.info", "old"), ("a", "3 values"), ("b.c", None), ("b.d", "x" * 80), ("e", 2.5),
    )  # fmt: skip
    many = told_from_json("S", {str(n): n for n in range(MOST + 7)})
    assert (len(many.figures), many.left_out) == (MOST, 7)
    assert told_from_json("S", [1, 2]).figures == (("items", "2 values"),)
    assert told_from_json("S", 7).figures == (("value", 7),)
