from __future__ import annotations

import pytest

from picsellia_jupyter.display import forms
from picsellia_jupyter.domain.checklist import Item, Mark
from tests.display.html_reading import PAYLOAD, Reading, assert_only_ours

ITEMS = [Item("Labels", "10", Mark.GOOD), Item("Sandbox", "process", Mark.WARNING, "Use Linux.")]


@pytest.mark.parametrize(
    "page",
    [
        forms.hint(PAYLOAD),
        forms.status(PAYLOAD),
        forms.problem(PAYLOAD, PAYLOAD),
        forms.log([PAYLOAD, PAYLOAD]),
        forms.checklist([Item(PAYLOAD, PAYLOAD, Mark.WRONG, PAYLOAD)]),
        forms.line(PAYLOAD),
        forms.unopened(PAYLOAD, PAYLOAD),
        forms.given_up(PAYLOAD, PAYLOAD),
    ],
)
def test_what_comes_from_others_is_only_ever_text(page: str):
    reading = Reading(page)

    assert "alert('x')" in "".join(reading.text)
    assert not {"script", "img"} & set(reading.tags)


@pytest.mark.parametrize(
    "page", [forms.unopened("Deploy", "%deploy MODEL"), forms.given_up("Deploy", "%deploy pets:0")]
)
def test_what_is_saved_in_a_notebook_runs_nothing(page: str):
    assert_only_ours(page)


def test_a_hint_that_says_nothing_is_nothing():
    assert (forms.hint(""), forms.checklist([]), forms.log([])) == ("", "", "")


def test_an_error_is_read_out_with_what_to_do():
    reading = Reading(forms.problem("The name is taken.", "Choose another."))

    assert reading.values("role") == ["alert"]
    assert "".join(reading.text) == "The name is taken. Choose another."


def test_each_mark_of_the_checklist_is_also_a_word():
    reading = Reading(forms.checklist(ITEMS))

    assert reading.values("aria-label") == ["Checklist", "passed", "warning"]
    assert "Use Linux." in reading.text


def test_the_line_can_be_copied_by_one_button():
    reading = Reading(forms.line("%deploy pets:0 --name 'my line'"))

    assert "".join(reading.text) == "%deploy pets:0 --name 'my line'Copy"
    assert reading.tags.count("button") == 1
    # The only code in it is ours, and the line is no part of that.
    assert [value for value in reading.values("onclick") if "pets" in value] == []


def test_terminals_get_the_same_in_a_line():
    assert "%deploy MODEL" in forms.unopened_text("Deploy", "%deploy MODEL")
    assert "nothing was deployed" in forms.given_up_text("Deploy", "%deploy pets:0")
