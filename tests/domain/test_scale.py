"""How many replicas are asked for."""

from __future__ import annotations

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.scale import Scale


@pytest.mark.parametrize(
    ("text", "scale"),
    [(None, Scale(1, 1)), ("2", Scale(2, 2)), ("1..4", Scale(1, 4)), (" 3..3 ", Scale(3, 3))],
)
def test_a_number_or_two_bounds_are_read(text: str | None, scale: Scale):
    assert Scale.parse(text) == scale


@pytest.mark.parametrize(("scale", "word"), [(Scale(2, 2), "2"), (Scale(1, 4), "1..4")])
def test_it_is_spelled_as_it_is_typed(scale: Scale, word: str):
    assert scale.word == word
    assert Scale.parse(word) == scale


@pytest.mark.parametrize("text", ["", "two", "1-4", "1...4", "-1", "1.5"])
def test_what_is_no_number_is_refused_with_an_example(text: str):
    with pytest.raises(InvalidInputError) as caught:
        Scale.parse(text)

    assert caught.value.fact == f"--replicas is {text!r}, which is no number of replicas."
    assert "--replicas 1..4" in caught.value.remedy


@pytest.mark.parametrize("text", ["0", "4..1", "0..2", "1..2000"])
def test_bounds_that_are_out_of_order_or_range_are_refused(text: str):
    with pytest.raises(InvalidInputError) as caught:
        Scale.parse(text)

    assert caught.value.fact == f"--replicas is {text!r}: bounds go up, from 1 to 1000 at most."
    assert caught.value.remedy == "Give the smaller one first, as in --replicas 1..4."
