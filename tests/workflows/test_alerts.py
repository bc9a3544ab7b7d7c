"""Episodes of alerts: hysteresis, cool-down, and no storm."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.alerts import Episode, Rule
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.workflows.alerts import (
    after_look,
    after_values,
    check_hysteresis,
    ended,
    is_met,
)

HIGH = Rule(">", 1.0, clear_limit=0.8, cooldown_s=100)


def looked_at(rule, values, every_s=10):
    """All episodes of a figure that is looked at again and again."""
    episodes, now = [], 0
    for value in values:
        last = episodes[-1] if episodes else None
        seen = after_look(rule, last, value, now)
        if seen is not None:
            same = last is not None and seen.started_at == last.started_at
            episodes[-1 if same else len(episodes) :] = [seen]
        now += every_s
    return episodes


def test_a_condition_that_goes_on_is_one_episode_with_its_count_and_worst():
    assert looked_at(HIGH, [0.5, 1.5, 3.0, 2.0]) == [Episode(10, 30, 1.5, 3.0, 3)]


def test_an_episode_is_over_once_the_cool_down_has_passed_below_the_clear_limit():
    [one] = looked_at(HIGH, [1.5] + [0.5] * 9)
    assert one.ended_at is None
    [one] = looked_at(HIGH, [1.5] + [0.5] * 10)
    assert (one.ended_at, one.count) == (100, 1)


def test_a_figure_that_trembles_at_the_limit_is_one_episode():
    [one] = looked_at(HIGH, [1.1, 0.9] * 50)
    assert (one.count, one.ended_at) == (50, None)


def test_a_figure_that_stays_between_its_limits_keeps_the_episode_open():
    [one] = looked_at(HIGH, [1.1] + [0.9] * 30)
    assert one.ended_at is None


def test_what_comes_back_within_the_cool_down_is_the_same_episode_and_later_a_new_one():
    assert len(looked_at(HIGH, [1.5, *[0.5] * 8, 1.5])) == 1
    first, second = looked_at(HIGH, [1.5, *[0.5] * 11, 1.6, 1.7])
    assert (first.ended_at, second.started_at, second.count) == (100, 120, 2)


@given(st.lists(st.floats(0, 2), max_size=60))
def test_episodes_are_apart_and_count_all_that_was_met(values):
    found = looked_at(HIGH, values)
    assert sum(one.count for one in found) == sum(value > 1.0 for value in values)
    for one, other in pairwise(found):
        assert one.ended_at is not None
        assert other.started_at - one.last_at >= HIGH.cooldown_s


def test_single_predictions_share_an_episode_until_none_has_come_for_a_while():
    one = after_values(HIGH, None, [0.1, 2.0, 3.0], 50)
    assert one == Episode(50, 50, 2.0, 3.0, 2)
    assert ended(HIGH, one, 149) is one
    assert ended(HIGH, one, 150).ended_at == 150
    assert after_values(HIGH, one, [0.5], 500) is one
    assert after_values(HIGH, one, [1.5], 500) == Episode(500, 500, 1.5, 1.5)


@pytest.mark.parametrize(
    ("sign", "expected"),
    [(">", [0, 0, 1]), (">=", [0, 1, 1]), ("<", [1, 0, 0]), ("<=", [1, 1, 0]), ("==", [0, 1, 0])],
)
def test_operators(sign, expected):
    assert [is_met(Rule(sign, 2.0), value) for value in (1.0, 2.0, 3.0)] == expected
    low = after_values(Rule("<", 9.0), None, [5.0, 3.0], 0)
    assert low.worst == 3.0


@pytest.mark.parametrize(("sign", "clear"), [(">", 1.1), ("<", 0.9), ("==", 0.5)])
def test_a_condition_that_is_over_while_it_is_met_is_refused(sign, clear):
    with pytest.raises(InvalidInputError, match=r"cannot be over at") as refused:
        check_hysteresis(sign, 1.0, clear)
    assert "on the other side" in refused.value.remedy
    check_hysteresis(">", 1.0, 0.9)
    check_hysteresis("<", 1.0, 1.1)
    check_hysteresis("==", 1.0, None)
