"""The filter and the pages of the Predictions tab as plain values."""

from __future__ import annotations

from datetime import date

import pytest

from picsellia_jupyter.widgets.predictions_filter import Filter, Trail


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Filter(), "d.recorded()"),
        (Filter(label="3", over=0.5), "d.recorded(label='3', score=0.5)"),
        (Filter(up_to=0.5), "d.recorded(score=(0.0, 0.5))"),
        (
            Filter(since=date(2026, 11, 1), tag=" night "),
            "d.recorded(since='2026-11-01', tag='night')",
        ),
    ],
)
def test_a_filter_has_its_python(asked, code):
    assert asked.line() == code


def test_pages_are_turned_over_and_back():
    first = Trail().leading_to("a")
    second = first.older().leading_to("b")

    assert (first.has_newer, first.has_older) == (False, True)
    assert (second.place, second.has_newer) == ("a", True)
    assert second.newer().place == ""
    assert second.older().leading_to("").older().place == "b"


def test_a_page_says_what_it_shows():
    assert Trail().title(0, Filter()) == "None was recorded yet."
    assert Trail().title(0, Filter(tag="a")) == "None are as you ask for."
    assert Trail().leading_to("a").title(24, Filter()) == "1 to 24, newest first."
    second = Trail().leading_to("a").older()
    assert second.title(3, Filter()) == "25 to 27, newest first; there are no older ones."
    assert "Older looks further" in Trail().leading_to("a").title(0, Filter(label="3"))
