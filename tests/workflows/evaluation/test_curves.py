from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.workflows.evaluation.calibration import calibration
from picsellia_jupyter.workflows.evaluation.coco import evaluate
from picsellia_jupyter.workflows.evaluation.curves import (
    at_threshold,
    best_threshold,
    curve,
    image_counts,
    label_curve,
    thinned,
)
from tests.workflows.evaluation.random_sets import box_set

TRUTH = [(0, 0, 1, 10, 10, 20, 20), (0, 0, 1, 60, 60, 20, 20), (1, 0, 1, 10, 10, 20, 20)]
FOUND = [
    (0, 0, 0.9, 10, 10, 20, 20),
    (0, 0, 0.8, 100, 100, 20, 20),  # on nothing
    (1, 0, 0.6, 10, 10, 20, 20),
    (0, 0, 0.3, 60, 60, 20, 20),
    (1, 0, 0.2, 60, 60, 20, 20),  # on nothing
]


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    right, scores = rng.random(60) < 0.4, rng.integers(1, 30, 60) / 30
    got = curve(scores, right, truth=int(right.sum()))
    precision, recall, thresholds = precision_recall_curve(right, scores)
    # Its points come in ascending order, and end with one of no threshold.
    assert np.allclose(got.scores, thresholds[::-1])
    assert np.allclose(got.precision, precision[:-1][::-1])
    assert np.allclose(got.recall, recall[:-1][::-1])


def test_objects_that_nobody_found_lower_the_recall():
    got = curve(np.array([0.9, 0.4]), np.array([True, True]), truth=4)
    assert got.recall.tolist() == [0.25, 0.5]
    assert got.f1 == pytest.approx([0.4, 2 / 3])


@pytest.mark.parametrize(("found", "truth"), [(0, 5), (3, 0)])
def test_without_truth_or_anything_found_there_is_no_curve(found, truth):
    got = curve(np.full(found, 0.5), np.ones(found, bool), truth=truth)
    assert got is None
    assert best_threshold(got) is None


def test_the_curve_and_best_threshold_of_a_hand_made_case():
    found = evaluate(box_set(TRUTH, FOUND, images=2)).matches()
    points = label_curve(found, 0)
    assert points.precision == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5])
    assert points.recall == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1, 1])
    best = best_threshold(points)
    assert (best.f1, best.precision, best.recall) == pytest.approx((6 / 7, 3 / 4, 1))
    assert best.threshold == pytest.approx(0.25)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_threshold_gives_its_f1_and_no_other_gives_more(seed):
    rng = np.random.default_rng(seed)
    right = rng.random(80) < 0.5
    scores = rng.random(80).astype(np.float32).astype(np.float64)
    best = best_threshold(curve(scores, right, truth=60))

    def f1(threshold):
        kept = over_threshold(scores, threshold)
        return 2 * (right & kept).sum() / (kept.sum() + 60)

    assert f1(best.threshold) == pytest.approx(best.f1)
    assert max(f1(threshold) for threshold in np.linspace(0, 1, 500)) <= best.f1 + 1e-12


def test_a_best_threshold_lies_below_scores_that_are_neighbours_as_float32():
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    scores = np.array([high, low], np.float64)
    best = best_threshold(curve(scores, np.array([True, False]), truth=1))
    assert over_threshold(scores, best.threshold).tolist() == [True, False]


def test_scores_of_zero_are_under_every_threshold():
    assert best_threshold(curve(np.zeros(2), np.ones(2, bool), truth=2)) is None


def test_a_threshold_counts_what_is_strictly_over_it():
    found = evaluate(box_set(TRUTH, FOUND, images=2)).matches()
    (over,) = at_threshold(found, 0.6)
    assert (over.right, over.wrong, over.missed) == (1, 1, 2)
    (every,) = at_threshold(found, None)
    assert (every.precision, every.recall, every.f1) == (3 / 5, 1.0, 3 / 4)
    assert [(one.right, one.wrong, one.missed) for one in image_counts(found, 0.25)] == [
        (2, 1, 0), (1, 0, 0),
    ]  # fmt: skip


def test_a_label_of_which_nothing_is_there_has_no_recall_and_no_f1():
    found = evaluate(box_set([], [], images=1)).matches()
    (one,) = at_threshold(found, 0.5)
    assert (one.precision, one.recall, one.f1) == (None, None, None)


def test_a_thinned_curve_keeps_its_ends_and_its_best_point():
    rng = np.random.default_rng(3)
    whole = curve(rng.random(5000), rng.random(5000) < 0.5, truth=4000)
    thin = thinned(whole, most=101)
    assert len(thin.scores) <= 101
    assert thin.f1.max() == whole.f1.max()
    assert (thin.scores[0], thin.scores[-1]) == (whole.scores[0], whole.scores[-1])


def test_calibration_is_that_of_scikit_learn_and_hotcoco():
    from hotcoco.metrics import calibration_error
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(5)
    scores = rng.random(2000)
    right = rng.random(2000) < scores**2
    got = calibration(scores, right)
    accuracy, confidence = calibration_curve(right, scores, n_bins=10)
    assert np.allclose(got.accuracy, accuracy)
    assert np.allclose(got.confidence, confidence)
    assert got.ece == pytest.approx(calibration_error(scores, right, 10)[0])
    # E |x^2 - x| of uniform scores is 1/6.
    assert got.ece == pytest.approx(1 / 6, abs=0.02)


def test_a_certain_score_is_in_the_last_bin_and_nothing_has_no_error():
    got = calibration(np.array([1.0, 0.0]), np.array([True, False]))
    assert got.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert got.ece == 0.0
    assert calibration(np.zeros(0), np.zeros(0, bool)).ece is None
