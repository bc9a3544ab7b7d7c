"""The settings of a panel as plain values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from picsellia_jupyter.domain.deployments import Strategy
from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.domain.loops import Part
from picsellia_jupyter.widgets.settings_model import Phase, Setting, SettingState, line, stored
from tests.widgets.examples import CLASSIFIER, DETECTOR, record

TAKEN = ConflictError("A deployment is called 'a' already.", "Choose another name.")


def test_what_is_typed_is_on_its_way_until_the_platform_has_it():
    state = SettingState("line", "line").typed("other")

    assert (state.phase, state.wanted, state.stored) == (Phase.SAVING, "other", "line")
    assert state.saved("other", "other") == SettingState("other", "other", Phase.SAVED)


def test_a_value_that_was_typed_meanwhile_is_still_on_its_way():
    state = SettingState(0.1, 0.1).typed(0.2).typed(0.3).saved(0.2, 0.2)

    assert (state.phase, state.wanted, state.stored) == (Phase.SAVING, 0.3, 0.2)


def test_what_the_platform_makes_of_a_value_stands_in_the_field():
    state = SettingState("line", "line").typed(" other ")

    assert state.saved(" other ", "other") == SettingState("other", "other", Phase.SAVED)


def test_what_is_refused_stays_in_the_field_with_the_reason():
    state = SettingState("line", "line").typed("a").failed("a", TAKEN)

    assert (state.phase, state.wanted, state.error) == (Phase.FAILED, "a", TAKEN)
    assert state.learned("line").wanted == "a"
    assert state.typed("line") == SettingState("line", "line")


def test_a_refusal_of_an_older_value_says_nothing_of_the_newer_one():
    state = SettingState("line", "line").typed("a").typed("b")

    assert state.failed("a", TAKEN) is state


def test_what_another_notebook_has_set_is_learned():
    saved = SettingState(0.1, 0.1).typed(0.2).saved(0.2, 0.2)

    assert saved.learned(0.2).phase is Phase.SAVED
    assert saved.learned(0.5) == SettingState(0.5, 0.5)


def test_a_classification_has_no_threshold():
    assert Setting.THRESHOLD in stored(record("a", DETECTOR), None)
    assert Setting.THRESHOLD not in stored(record("a", CLASSIFIER), None)


def test_parts_of_the_pipeline_that_are_not_set_up_cannot_be_switched():
    loop = {Part.FEEDBACK_LOOP: True, Part.CONTINUOUS_TRAINING: None}

    values = stored(replace(record("a", DETECTOR, Strategy.MONITORING), sample_rate=0.5), loop)

    assert values[Setting.FEEDBACK_LOOP] is True
    assert values[Setting.SAMPLE_RATE] == 0.5
    assert Setting.CONTINUOUS_TRAINING not in values


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        (Setting.NAME, "press line", "d.name = 'press line'"),
        (Setting.THRESHOLD, 0.4, "d.threshold = 0.4"),
        (Setting.SAMPLE_RATE, 1.0, "d.sample_rate = 1"),
        (Setting.SHADOW, "detector:1", "d.shadow = 'detector:1'"),
        (Setting.SHADOW, "", "d.shadow = None"),
        (Setting.FEEDBACK_LOOP, True, 'd.resume("feedback_loop")'),
        (Setting.CONTINUOUS_TRAINING, False, 'd.pause("continuous_training")'),
    ],
)
def test_every_setting_has_its_python(setting, value, code):
    assert line(setting, value) == code
