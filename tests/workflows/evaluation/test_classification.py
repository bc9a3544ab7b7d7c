from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    classification_report,
    confusion_matrix,
    top_k_accuracy_score,
)

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.ground_truth import ClassifiedImages
from picsellia_jupyter.workflows.evaluation import classification

LABELS = tuple("abcdefg")


def random_images(seed, *, images=120, used=7):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, used, images)
    logits = rng.normal(0, 1, (images, len(LABELS)))
    logits[np.arange(images), truth] += 1.0
    logits[:, used:] = -20
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return ClassifiedImages(LABELS, truth, scores)


@pytest.mark.parametrize("used", [7, 5])
@pytest.mark.parametrize("seed", range(10))
def test_the_report_is_that_of_scikit_learn(seed, used):
    images = random_images(seed, used=used)
    answers = classification.answers(images)
    expected = classification_report(
        images.truth, answers, labels=range(used), target_names=LABELS[:used], output_dict=True,
        zero_division=0,
    )  # fmt: skip
    each = classification.per_label(images)
    for one in each[:used]:
        theirs = expected[one.label]
        assert one.at_threshold.recall == pytest.approx(theirs["recall"])
        assert one.at_threshold.f1 == pytest.approx(theirs["f1-score"])
        assert (one.at_threshold.precision or 0) == pytest.approx(theirs["precision"])
        assert one.truth == theirs["support"]
    got = classification.summary(images, each)
    assert got["accuracy"] == pytest.approx((images.truth == answers).mean())
    for mean in ("macro", "weighted"):
        assert got[f"{mean}_f1"] == pytest.approx(expected[f"{mean} avg"]["f1-score"])
    assert got["macro_precision"] == pytest.approx(expected["macro avg"]["precision"])
    assert got["macro_recall"] == pytest.approx(expected["macro avg"]["recall"])
    for k in (3, 5):
        theirs = top_k_accuracy_score(images.truth, images.scores, k=k, labels=range(7))
        assert got[f"top_{k}"] == pytest.approx(theirs)


@pytest.mark.parametrize("seed", range(10))
def test_confusion_and_average_precision_are_those_of_scikit_learn(seed):
    images = random_images(seed)
    got = classification.confusion(images)
    theirs = confusion_matrix(images.truth, classification.answers(images), labels=range(7))
    assert np.array_equal(got.counts, theirs)
    assert got.labels == LABELS
    for row, one in enumerate(classification.per_label(images)):
        expected = average_precision_score(images.truth == row, images.scores[:, row])
        assert one.ap == pytest.approx(expected)


def test_an_image_of_which_the_model_says_nothing_is_wrong_and_taken_for_nothing():
    scores = np.array([[0.9, 0.1], [0.0, 0.0]])
    images = ClassifiedImages(("yes", "no"), np.array([0, 0]), scores)
    got = classification.confusion(images)
    assert got.labels == ("yes", "no", "nothing")
    assert got.counts[0].tolist() == [1, 0, 1]
    assert classification.summary(images, classification.per_label(images))["accuracy"] == 0.5
    assert classification.top(images, 1) == 0.5


def test_without_images_there_are_no_figures():
    images = ClassifiedImages(("yes", "no"), np.zeros(0, np.int64), np.zeros((0, 2)))
    figures = classification.summary(images, classification.per_label(images))
    assert set(figures.values()) == {None}
    assert [one.ap for one in classification.per_label(images)] == [None, None]


def test_scores_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match=r"shape \(1, 2\), not \(1, 3\)"):
        ClassifiedImages(("a", "b", "c"), np.array([0]), np.zeros((1, 2)))
    with pytest.raises(InvalidInputError, match="score of image 0 and label 0 is nan"):
        ClassifiedImages(("a",), np.array([0]), np.array([[np.nan]]))
    with pytest.raises(InvalidInputError, match="of label 4; there are 1"):
        ClassifiedImages(("a",), np.array([4]), np.array([[0.5]]))
