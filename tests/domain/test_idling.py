"""The time after which a serving kernel ends by itself."""

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.idling import idle_in_words, parse_idle


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("2h", 7200.0), ("90m", 5400.0), ("30 s", 30.0), ("1.5D", 129600.0), ("never", None)],
)
def test_what_is_typed_is_read(typed, seconds):
    assert parse_idle(typed) == seconds


@pytest.mark.parametrize("typed", ["", "2", "-1h", "h", "2 weeks", "nan", "0.5s", "0h"])
def test_what_is_no_time_is_refused_with_what_to_type(typed):
    with pytest.raises(InvalidInputError, match="--idle 2h") as caught:
        parse_idle(typed)
    assert repr(typed) in caught.value.fact


@pytest.mark.parametrize("words", ["12h", "1d", "90m", "7s", "never"])
def test_words_are_read_back_as_the_same(words):
    assert idle_in_words(parse_idle(words)) == words
