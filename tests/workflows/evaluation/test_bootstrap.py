from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from picsellia_jupyter.domain.evaluation import Interval
from picsellia_jupyter.domain.ground_truth import ClassifiedImages, EvaluationSet, Objects, Overlap
from picsellia_jupyter.workflows.evaluation import bootstrap, coco
from tests.workflows.evaluation.random_sets import random_set


def drawn_set(data, weights):
    """The set in which each image stands as often as a draw takes it."""
    order = [image for image, n in enumerate(weights) for _ in range(int(n))]

    def drawn(side):
        rows = [np.flatnonzero(side.image_of == image) for image in order]
        image_of = np.repeat(np.arange(len(order)), [len(one) for one in rows])
        kept = np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64)
        crowd = None if side.crowd is None else side.crowd[kept]
        shapes = np.asarray(side.shapes)[kept]
        return Objects(image_of, side.classes[kept], side.scores[kept], shapes, None, crowd)

    sizes = [data.sizes[image] for image in order]
    return EvaluationSet(sizes, data.labels, drawn(data.truth), drawn(data.found), Overlap.BOX)


def without_ties(data, seed):
    """Of equal scores in one image, an image that is drawn twice has them twice in turn."""
    side = data.found
    scores = np.random.default_rng(seed).permutation(len(side)) / 100
    found = Objects(side.image_of, side.classes, scores, side.shapes)
    return EvaluationSet(data.sizes, data.labels, data.truth, found, Overlap.BOX)


@pytest.mark.parametrize("seed", range(40))
def test_the_precision_of_a_draw_is_cocos_of_the_images_drawn(seed):
    data = without_ties(random_set(seed, Overlap.BOX), seed)
    images = len(data.sizes)
    weights = np.vstack(
        [np.ones(images), np.random.default_rng(seed).multinomial(images, [1 / images] * images, 3)]
    )
    got = bootstrap.average_precision(coco.evaluate(data).matches(), weights)
    for row, taken in enumerate(weights):
        again = drawn_set(data, taken)
        figures = coco.summary(again, coco.evaluate(again))
        for name in ("ap_50_95", "ap_50"):
            expected = np.nan if figures[name] is None else figures[name]
            assert got[name][row] == pytest.approx(expected, nan_ok=True, abs=1e-12), (name, row)


def test_a_draw_without_ground_truth_has_no_precision():
    data = random_set(1, Overlap.BOX)
    got = bootstrap.average_precision(coco.evaluate(data).matches(), np.zeros((1, len(data.sizes))))
    assert np.isnan(got["ap_50"]).all()
    assert bootstrap.interval(0.5, got["ap_50"]) is None


def test_the_interval_of_an_accuracy_is_that_of_theory():
    rng = np.random.default_rng(0)
    truth = np.zeros(400, np.int64)
    right = rng.random(400) < 0.8
    scores = np.where(right[:, None], [0.9, 0.1], [0.2, 0.8])
    images = ClassifiedImages(("a", "b"), truth, scores)
    weights = bootstrap.weights(400, 400)
    draws = bootstrap.classification(images, weights)
    got = bootstrap.interval(float(right.mean()), draws["accuracy"])
    half = norm.ppf(0.975) * np.sqrt(right.mean() * (1 - right.mean()) / 400)
    assert (got.low, got.high) == pytest.approx(
        (right.mean() - half, right.mean() + half), abs=0.006
    )
    assert got.level == 0.95


def test_an_interval_holds_the_truth_nineteen_times_in_twenty():
    rng, held = np.random.default_rng(7), 0
    for seed in range(200):
        right = rng.random(150) < 0.7
        weights = bootstrap.weights(150, 150, seed=seed)
        got = bootstrap.interval(float(right.mean()), weights @ right / 150)
        held += got.low <= 0.7 <= got.high
    assert 182 <= held <= 198


def test_draws_of_macro_f1_are_those_of_the_images_drawn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(2)
    images = ClassifiedImages(tuple("abc"), rng.integers(0, 3, 30), rng.random((30, 3)))
    weights = bootstrap.weights(30, 30)[:20]
    got = bootstrap.classification(images, weights)["macro_f1"]
    for row, taken in enumerate(weights.astype(int)):
        truth = np.repeat(images.truth, taken)
        answers = np.repeat(images.scores.argmax(axis=1), taken)
        assert got[row] == pytest.approx(f1_score(truth, answers, average="macro"))


def test_too_few_images_have_no_interval():
    assert bootstrap.weights(bootstrap.FEWEST_IMAGES - 1, 100) is None
    assert bootstrap.weights(bootstrap.FEWEST_IMAGES, 100).shape == (1000, 20)
    assert bootstrap.weights(100, 50_000).shape == (200, 100)


def test_the_same_images_give_the_same_interval():
    assert np.array_equal(bootstrap.weights(50, 50), bootstrap.weights(50, 50))


@pytest.mark.parametrize(
    ("low", "high", "clear"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False)]
)
def test_a_difference_is_clear_where_its_interval_leaves_zero_out(low, high, clear):
    assert Interval(0.0, low, high).excludes_zero is clear
