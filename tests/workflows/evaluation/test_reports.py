from __future__ import annotations

import numpy as np
import pytest

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.evaluation import Coverage
from picsellia_jupyter.domain.ground_truth import Named
from picsellia_jupyter.domain.predictions import ImageSize, Keypoints, Masks, Segmentation
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.evaluation import reports
from tests.workflows.evaluation.reviewed import SIZE, boxes, classes, image, many, subject

ONE = ("one", 0.9, 10, 10, 60, 60)
TWO = ("two", 0.8, 100, 100, 150, 150)


def test_a_report_counts_what_is_over_the_threshold_and_ranks_everything():
    low = ("two", 0.3, 100, 100, 150, 150)
    made = reports.report([image(boxes(ONE, TWO), boxes(ONE, low))], subject())
    assert (made.kind, made.truth, made.found) == ("bbox", 2, 2)
    assert made.scores["ap_50_95"] == pytest.approx(1.0)
    one, two = made.labels
    assert (one.label, one.at_threshold.right, one.at_threshold.recall) == ("one", 1, 1.0)
    assert (two.at_threshold.precision, two.at_threshold.recall) == (None, 0.0)
    assert two.best.threshold == pytest.approx(0.15)
    assert made.confusion.labels == ("one", "two", "background")
    assert made.confusion.counts.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert made.evaluator.startswith("hotcoco")


def test_labels_are_matched_by_name_whatever_the_version_calls_them_inside():
    other = image(boxes(TWO), boxes(TWO), champion_model="digits:1")
    made = reports.report([image(boxes(ONE), boxes(ONE)), other], subject())
    assert made.scores["ap_50_95"] == pytest.approx(1.0)
    assert "2 model versions: digits:0, digits:1" in made.notices[0]


def test_a_label_that_only_reviews_have_counts_as_missed_and_is_named():
    strange = ("Ones", 1.0, 100, 100, 150, 150)
    made = reports.report([image(boxes(ONE, strange), boxes(ONE))], subject())
    assert made.scores["ap_50_95"] == pytest.approx(0.5)
    assert made.labels[2].at_threshold.missed == 1
    assert made.notices[0] == (
        "Reviews have the label 'Ones' (once), which the model does not know: it counts as "
        "missed. Is it 'one'?"
    )


def test_a_class_that_the_version_has_no_label_for_is_named():
    stray = ("class 7", 0.9, 1, 1, 5, 5)
    made = reports.report([image(boxes(ONE), boxes(ONE, stray))], subject())
    assert "The model found 'class 7' (once)" in made.notices[0]
    assert made.labels[2].ap is None


def test_nothing_reviewed_is_said_and_has_no_figures():
    made = reports.report([], subject(n=0))
    assert made.scores == {}
    assert made.notices == ("Nothing is reviewed yet: there are no figures.",)


def test_images_where_nothing_is_have_no_figures_but_their_false_alarms_count():
    made = reports.report([image(boxes(), boxes(ONE))], subject())
    assert set(made.scores.values()) == {None}
    assert made.labels[0].at_threshold.wrong == 1
    assert made.intervals == {}


def test_few_images_have_no_interval_and_it_is_said():
    few = reports.report(many(19), subject())
    assert few.intervals == {}
    assert few.comparison is None
    assert any("Under 20 reviewed images no intervals" in notice for notice in few.notices)


def test_a_better_shadow_model_is_called_better_on_the_same_images():
    made = reports.report(many(60), subject())
    compared = made.comparison
    assert (compared.champion, compared.shadow, compared.images) == ("digits:0", "digits:1", 60)
    gain = compared.scores["ap_50"]
    assert gain.champion.value < gain.shadow.value
    assert gain.gain.value == pytest.approx(gain.shadow.value - gain.champion.value)
    assert gain.verdict == "shadow better"
    interval = made.intervals["ap_50"]
    assert interval.low < made.scores["ap_50"] < interval.high


def test_a_shadow_model_that_is_the_champion_makes_no_difference():
    images = [image(one.truth, one.champion, one.champion, id=one.id) for one in many(30)]
    compared = reports.report(images, subject()).comparison
    assert compared.scores["ap_50_95"].verdict == "no clear difference"
    assert compared.scores["ap_50_95"].gain.value == 0.0


def test_each_image_is_counted():
    counts = reports.each_image(
        [image(boxes(ONE, TWO), boxes(ONE)), image(boxes(), boxes(ONE))], subject()
    )
    assert [(one.right, one.wrong, one.missed) for one in counts] == [(1, 0, 1), (0, 1, 0)]
    assert reports.each_image([], subject()) == []


# Other types ----------------------------------------------------------------------------------


def test_classes_have_accuracy_a_report_and_a_comparison():
    right, wrong = classes(("one", 0.8), ("two", 0.2)), classes(("two", 0.7), ("one", 0.3))
    truth = classes(("one", 1.0))
    images = [image(truth, right if n % 2 else wrong, right, id=str(n)) for n in range(40)]
    made = reports.report(images, subject(InferenceType.CLASSIFICATION, threshold=None))
    assert (made.kind, made.truth, made.found) == ("classification", 40, 40)
    assert made.scores["accuracy"] == 0.5
    assert made.intervals["accuracy"].low < 0.5 < made.intervals["accuracy"].high
    assert made.confusion.counts.tolist() == [[20, 20], [0, 0]]
    assert made.comparison.scores["accuracy"].verdict == "shadow better"
    assert made.calibration.ece == pytest.approx(20 / 40 * 0.2 + 20 / 40 * 0.7)


def test_a_review_of_several_classes_is_left_out_and_said():
    both, one = classes(("one", 1.0), ("two", 1.0)), classes(("one", 0.9))
    made = reports.report(
        [image(both, one), image(classes(), one), image(one, one)],
        subject(InferenceType.CLASSIFICATION, threshold=None),
    )
    assert made.truth == 1
    assert "1 reviewed image left out: a review names 2 classes, not one." in made.notices
    assert "1 reviewed image left out: a review names 0 classes, not one." in made.notices


def mask(left, right):
    pixels = np.zeros((50, 50), bool)
    pixels[:, left:right] = True
    return rle.encode(pixels, ImageSize(50, 50))


def masks(*codes):
    scores = np.full(len(codes), 0.9, np.float32)
    return Named(("one",) * len(codes), Masks(np.zeros(len(codes), np.int64), scores, codes))


def test_masks_are_compared_with_outlines_that_a_person_drew():
    outline = np.array([[0, 0], [20, 0], [20, 50], [0, 50]], np.float32)
    drawn = Segmentation(np.zeros(1, np.int64), np.ones(1, np.float32), (outline,))
    small = ImageSize(50, 50)
    reviewed = image(Named(("one",), drawn), masks(mask(0, 20)), size=small)
    made = reports.report([reviewed], subject(InferenceType.MASK))
    assert (made.kind, made.scores["ap_50_95"]) == ("segm", pytest.approx(1.0))


def test_a_mask_of_another_size_leaves_its_image_out_by_name():
    reviewed = image(masks(mask(0, 20)), masks(mask(0, 20)), size=SIZE)
    made = reports.report([reviewed], subject(InferenceType.MASK))
    assert made.scores == {}
    assert "1 reviewed image left out: A mask's code covers 2500 pixels" in made.notices[0]


def test_skeletons_of_different_lengths_leave_their_image_out():
    def skeleton(points):
        shape = np.ones((points, 3), np.float32)
        return Named(("one",), Keypoints(np.zeros(1, np.int64), np.ones(1, np.float32), (shape,)))

    made = reports.report(
        [image(skeleton(4), skeleton(5)), image(skeleton(4), skeleton(4))],
        subject(InferenceType.KEYPOINT),
    )
    assert made.kind == "keypoints"
    assert made.truth == 1
    assert "different numbers of keypoints" in made.notices[0]


@pytest.mark.parametrize("kind", [InferenceType.LINE, InferenceType.POINT])
def test_types_without_an_agreed_measure_are_refused(kind):
    with pytest.raises(InvalidInputError, match=f"no supervised metrics for the type {kind.title}"):
        reports.report([], subject(kind))


# Coverage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coverage", "fair", "said"),
    [
        (Coverage(0, 9, {}), False, "0 of 9 predicted images are reviewed."),
        (Coverage(9, 9, {"unknown": 9}), True, "9 of 9 predicted images are reviewed."),
        (Coverage(3, 9, {"random": 3}), True, "are reviewed, chosen at random."),
        (Coverage(3, 9, {"random": 1, "uncertain": 2}), False, "chosen: random 1, uncertain 2."),
        (Coverage(3, 9, {"unknown": 3}), False, "only a random choice speaks for all."),
    ],
)
def test_how_images_were_chosen_decides_for_what_the_figures_speak(coverage, fair, said):
    assert coverage.is_fair is fair
    assert said in coverage.in_words()
