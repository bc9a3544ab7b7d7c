from datetime import datetime, timedelta, timezone

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.workflows.ranges import Range, range_of

NOW = 1_790_000_000.0


def test_a_span_is_counted_back_from_now_or_from_the_end():
    assert range_of("24h", None, None, now=NOW) == Range(NOW - 86_400, None)
    assert range_of("all", None, None, now=NOW) == Range(None, None)
    assert range_of("1h", None, NOW - 50, now=NOW) == Range(NOW - 3_650, NOW - 50)


def test_a_start_takes_the_place_of_a_span():
    local = datetime.fromtimestamp(NOW - 7_200).replace(microsecond=0)
    assert range_of("24h", local.isoformat(), None, now=NOW) == Range(NOW - 7_200, None)
    aware = datetime.fromtimestamp(NOW - 60, tz=timezone(timedelta(hours=5)))
    assert range_of("24h", aware, NOW, now=NOW) == Range(NOW - 60, NOW)
    assert range_of("24h", "2026-09-21T00:00:00Z", None, now=NOW).since == 1_789_948_800.0


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [("yesterday", None, "'yesterday' is not a moment"), (NOW + 5, None, "not before its end")],
)
def test_what_is_no_range_is_refused(since, until, said):
    with pytest.raises(InvalidInputError, match=said):
        range_of("24h", since, until, now=NOW)
