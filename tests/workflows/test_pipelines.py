"""The parts of the circle, told from facts."""

import dataclasses

import pytest

from picsellia_jupyter.domain.pipelines import TONES, Newest, PipelineFacts, RunNow
from picsellia_jupyter.handles.pipelines import PipelineView
from picsellia_jupyter.workflows.pipelines import parts_of

FRESH = PipelineFacts(
    deployment="line", state="ready", predictions=0, images=0, to_review=0, reviewed=0,
    submitted=0, feedback=None, champion="digits:0", champion_predictions=0,
)  # fmt: skip


def told(key, **changes):
    parts = parts_of(dataclasses.replace(FRESH, **changes))
    part = next(one for one in parts if one.key == key)
    return part.state, part.tone, part.figure, part.note, part.line


def test_the_parts_lead_from_predictions_to_the_champion():
    keys = [part.key for part in parts_of(FRESH)]
    assert keys == [
        "predictions", "reviews", "dataset", "training", "version", "shadow", "champion",
    ]  # fmt: skip
    assert {part.tone for part in parts_of(FRESH)} <= set(TONES)


@pytest.mark.parametrize(
    ("key", "changes", "expected"),
    [
        ("predictions", {"predictions": 1200, "images": 30},
         ("ready", "good", "1,200", "30 are kept with their image.", "%monitor line")),
        ("reviews", {"to_review": 3, "submitted": 2, "reviewed": 1},
         ("to review", "warn", "2 submitted", "1 reviewed and not submitted, 3 to review.",
          "%review line")),
        ("reviews", {"submitted": 2},
         ("all reviewed", "good", "2 submitted", "0 reviewed and not submitted, 0 to review.",
          "%review line")),
        ("dataset", {"feedback": True, "datasets": {"digits/v2": 1}},
         ("on", "good", "1 image", "Submitted reviews go into digits/v2 (1).",
          's.feed("line", "DATASET/VERSION")')),
        ("dataset", {"feedback": True},
         ("no dataset", "warn", "0 images", "Submitted reviews go nowhere yet.",
          's.feed("line", "DATASET/VERSION")')),
        ("training", {"training": True, "threshold": 150, "untrained": 40,
                      "run": RunNow("RUNNING", "training", 0.42)},
         ("running", "busy", "0 runs", "training, 42 % of its notebook. 40 of 150 submitted "
          "reviews until the next run.", "%retrain line --show")),
        ("training", {"training": True, "runs": 1, "run": RunNow("FAILED", error="Cell 7.")},
         ("failed", "bad", "1 run", "Cell 7. No number of reviews sets it off.",
          "%retrain line --show")),
        ("training", {"training": False, "threshold": 5, "run": RunNow("SUCCESS")},
         ("paused", "warn", "0 runs", "0 of 5 submitted reviews until the next run.",
          "%retrain line --show")),
        ("version", {},
         ("not set up", "off", "none yet", "Nothing is said of new versions: they wait for a "
          "person.", 'd.policy = "DEPLOY_SHADOW"')),
        ("version", {"policy": "DEPLOY_MANUAL", "is_policy_active": True,
                     "newest": Newest("digits:2", "offer", "served")},
         ("waits for you", "warn", "digits:2", "New versions wait for a person.",
          "%promote line 2")),
        ("version", {"policy": "DEPLOY_CHAMPION",
                     "newest": Newest("d:2", "champion", "failed", "E.")},
         ("failed", "bad", "d:2", "E. Paused: new versions wait for a person.",
          'd.policy = "DEPLOY_SHADOW"')),
        ("shadow", {"shadow": "d:1", "shadow_predictions": 1, "compared": 20, "gate": "G."},
         ("predicts beside", "good", "d:1", "1 prediction; 20 images reviewed that both predicted "
          "on. G.", "%promote line")),
        ("champion", {"champion_wanted": "d:0"},
         ("taking over", "busy", "digits:0", "d:0 predicts until it is loaded. 0 predictions of "
          "this version.", "d.rollouts()")),
        ("champion", {"state": "stopped", "champion_before": "d:0", "deployment": "my line"},
         ("not served", "off", "digits:0", "0 predictions of this version. Before it: d:0.",
          '%rollback "my line"')),
    ],
)  # fmt: skip
def test_a_part_says_how_it_is_and_what_to_type(key, changes, expected):
    assert told(key, **changes) == expected


def test_a_terminal_shows_each_part_with_its_line():
    said = repr(PipelineView(FRESH)).splitlines()
    assert said[0] == "Pipeline of line"
    assert said[1:3] == [
        "  Predictions: 0 (ready). 0 are kept with their image.", "    %monitor line",
    ]  # fmt: skip
    assert len(said) == 15


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ({"shadow": "digits:2"}, ("in shadow", "good")),
        ({"champion": "digits:2"}, ("champion", "good")),
        ({"champion": "digits:1"}, ("put aside", "off")),
    ],
)
def test_a_new_version_is_told_by_where_it_is_now(now, state):
    newest = Newest("digits:2", "shadow", "served")
    assert told("version", newest=newest, **now)[:2] == state
