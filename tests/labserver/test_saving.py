"""What a saved notebook holds of a live panel."""

from __future__ import annotations

from picsellia_jupyter.labserver.saving import WIDGET_VIEW, keep_cards

VIEW = {"model_id": "a", "version_major": 2, "version_minor": 0}
OURS = {"picsellia": {"id": "1"}}


def saved(data, metadata):
    output = {"output_type": "display_data", "data": dict(data), "metadata": metadata}
    model = {"type": "notebook", "content": {"cells": [{"outputs": [output]}, {}, {"outputs": []}]}}
    keep_cards(model=model, path="a.ipynb", contents_manager=None)
    return set(output["data"])


def test_the_card_of_a_panel_is_saved_without_its_widget():
    assert saved({WIDGET_VIEW: VIEW, "text/html": "card"}, OURS) == {"text/html"}


def test_other_widgets_and_a_form_without_a_card_are_left_alone():
    assert saved({WIDGET_VIEW: VIEW, "text/html": "card"}, {}) == {WIDGET_VIEW, "text/html"}
    assert saved({WIDGET_VIEW: VIEW, "text/plain": "form"}, OURS) == {WIDGET_VIEW, "text/plain"}


def test_other_files_and_broken_notebooks_are_left_alone():
    for model in ({"type": "file", "content": "text"}, {"type": "notebook", "content": None}, {}):
        before = dict(model)
        keep_cards(model=model)
        assert model == before
    keep_cards(model={"type": "notebook", "content": {"cells": [{"outputs": None}, "x"]}})
