"""Training runs as cards and as text."""

from dataclasses import replace

import pytest

from picsellia_jupyter.display.training import plan_card, plan_text, run_card, run_text
from picsellia_jupyter.domain.evaluation import Comparison, Difference, Interval
from picsellia_jupyter.domain.training import (
    Cause,
    HeldOut,
    Metric,
    RunState,
    TrainingPlan,
    TrainingRun,
)
from tests.display.html_reading import PAYLOAD, assert_only_ours

COMPARISON = Comparison(
    champion="digits:0",
    shadow="digits:1",
    images=36,
    scores={
        "ap_50": Difference(
            Interval(0.3, 0.2, 0.4, 0.95),
            Interval(0.8, 0.7, 0.9, 0.95),
            Interval(0.5, 0.3, 0.7, 0.95),
        )
    },
)
RUNNING = TrainingRun(
    id="r",
    deployment_id="d",
    cause=Cause.REVIEWS,
    said="150 reviews were submitted since the last run; 150 set it off.",
    state=RunState.RUNNING,
    created_at=1_795_867_200.0,
    started_at=1_795_867_203.0,
    attempt=2,
    progress=0.25,
    step="training",
    experiment="press-line-3",
    base="digits:0",
)
DONE = replace(
    RUNNING,
    state=RunState.SUCCESS,
    ended_at=1_795_867_248.0,
    attempt=1,
    step="",
    version="digits:1",
    held_out=HeldOut("digits/held-out", COMPARISON, "1 images were trained on and left out."),
)
METRICS = (Metric("loss", (4.0, 2.0, 1.0)), Metric("epochs", (3.0,)))
PLAN = TrainingPlan(
    is_set_up=True,
    is_active=True,
    project="retraining",
    threshold=150,
    untrained=20,
    parameters={"steps": 80},
    datasets={"train": "digits/v1", "eval": "digits/held-out"},
)


def shown(html: str) -> str:
    return " | ".join(assert_only_ours(html).text)


def test_a_run_that_goes_on_says_how_far_it_is_and_what_it_printed_last():
    html = run_card(RUNNING, METRICS, ["step 10", "step 20"], now=RUNNING.created_at + 33.0)

    told = shown(html)
    assert "Training of digits:0 | running" in told
    assert "Now | training | Experiment | press-line-3" in told
    assert "Runs for | 30 s | Tries | 2 | loss | 1 " in told
    assert "step 10\nstep 20" in told
    assert 'role="progressbar" aria-valuenow="25"' in html
    assert 'aria-label="loss: 4 at first, 1 now"' in html


def test_a_run_that_went_well_shows_both_versions_with_their_intervals():
    told = shown(run_card(DONE, METRICS, now=0.0))
    assert "Took | 45 s | New version | digits:1" in told
    assert "On digits/held-out, held out, 36 images" in told
    assert "0.300 (0.200 to 0.400) | 0.800 (0.700 to 0.900) | +0.500 (+0.300 to +0.700)" in told
    assert "1 images were trained on and left out." in told
    assert "progressbar" not in run_card(DONE, now=0.0)


def test_the_text_of_a_run_says_the_same():
    told = run_text(DONE, METRICS)
    assert told.startswith("Training of digits:0: success\n")
    assert "ap_50        0.300 (0.200 to 0.400) to 0.800 (0.700 to 0.900): +0.500" in told
    assert "loss         1" in told


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_its_word(state):
    assert state.value.lower() in shown(run_card(replace(RUNNING, state=state), now=0.0))


def test_a_run_that_failed_says_why():
    failed = replace(RUNNING, state=RunState.FAILED, error="Cell 4: ValueError: no data")
    assert "Cell 4: ValueError: no data" in shown(run_card(failed, now=0.0))
    assert "Error" in run_text(failed)


def test_what_a_notebook_prints_and_names_stays_text():
    run = replace(DONE, said=PAYLOAD, error=PAYLOAD, experiment=PAYLOAD, version=PAYLOAD)
    run = replace(run, held_out=HeldOut(PAYLOAD, None, PAYLOAD))
    assert_only_ours(run_card(run, [Metric(PAYLOAD, (1.0, 2.0))], [PAYLOAD], now=0.0))
    assert_only_ours(plan_card(PAYLOAD, replace(PLAN, project=PAYLOAD), [run]))


def test_what_is_set_up_says_how_near_the_next_run_is_and_lists_the_runs():
    told = shown(plan_card("press-line", PLAN, [DONE]))
    assert "Training of press-line | active" in told
    assert "Reviews | 20 since the last run, 150 set off the next one" in told
    assert "Data | train: digits/v1, eval: digits/held-out" in told
    assert "press-line-3" in told
    assert "digits:1" in plan_text("press-line", PLAN, [DONE])


@pytest.mark.parametrize(
    ("plan", "word"),
    [(replace(PLAN, is_active=False), "paused"), (TrainingPlan(False, False), "not set up")],
)
def test_training_that_does_not_run_says_so(plan, word):
    assert word in shown(plan_card("press-line", plan, []))
    assert word in plan_text("press-line", plan, [])
