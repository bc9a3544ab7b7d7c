"""Filters of recorded predictions, and settings, as the platforms spell them."""

from __future__ import annotations

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError, PlatformError
from picsellia_jupyter.domain.loops import Part
from picsellia_jupyter.domain.recorded import Wanted
from picsellia_jupyter.wire.recorded import query_language, wanted_to_query
from picsellia_jupyter.wire.settings import loop_from_json

PAGE = "https://app.picsellia.com/deployment/1"


def test_the_local_platform_is_asked_for_what_is_given_alone():
    assert wanted_to_query(Wanted(label="3", over=0.0)) == {"label": "3", "over": "0.0"}
    assert wanted_to_query(Wanted()) == {}


def test_the_cloud_is_asked_in_its_query_language():
    wanted = Wanted(tag="night", source='the "old" camera')

    query = query_language(wanted, PAGE)["q"]

    assert query == 'data.tags.name = "night" and data.data_source.name = \'the "old" camera\''
    assert query_language(Wanted(), PAGE) == {}


def test_what_the_cloud_is_not_known_to_filter_by_is_on_its_page():
    with pytest.raises(PlatformError, match="filtered here by label, over") as told:
        query_language(Wanted(label="3", over=0.5), PAGE)
    assert PAGE in told.value.remedy

    with pytest.raises(InvalidInputError, match="both kinds of quotes"):
        query_language(Wanted(tag="'\""), PAGE)


def test_scores_that_are_none_are_refused():
    with pytest.raises(InvalidInputError, match=r"in \[0, 1\]; got 40"):
        Wanted(over=40)
    with pytest.raises(InvalidInputError, match=r"No score is over 0\.5 and at most 0\.2") as told:
        Wanted(over=0.5, up_to=0.2)
    assert "(0.2, 0.5)" in told.value.remedy


def test_a_part_of_the_pipeline_that_is_not_set_up_neither_runs_nor_pauses():
    told = {
        "feedback_loop": {"set_up": True, "active": False},
        "continuous_training": {"settings": None, "active": False},
        "continuous_deployment": {"policy": "DEPLOY_MANUAL", "active": True},
    }

    assert loop_from_json(told) == {
        Part.FEEDBACK_LOOP: False,
        Part.CONTINUOUS_TRAINING: None,
        Part.CONTINUOUS_DEPLOYMENT: True,
    }
