from __future__ import annotations

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import InvalidInputError, MissingExtraError
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Objects, Overlap
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.workflows.evaluation import coco
from picsellia_jupyter.workflows.evaluation.with_hotcoco import HotcocoEvaluation
from picsellia_jupyter.workflows.evaluation.with_pycocotools import PycocotoolsEvaluation
from tests.workflows.evaluation.random_sets import (
    BOX_STATS,
    KEYPOINT_STATS,
    box_set,
    boxes,
    random_set,
    reference,
)

SETS = 500
KINDS = pytest.mark.parametrize("overlap", list(Overlap), ids=lambda kind: kind.name.lower())
EVALUATORS = pytest.mark.parametrize("evaluator", [HotcocoEvaluation, PycocotoolsEvaluation])
ON_IT = (0, 0, 0.9, 10, 10, 40, 40)
FAR_AWAY = (0, 0, 0.8, 90, 90, 40, 40)


@KINDS
def test_figures_of_five_hundred_random_sets_are_those_of_pycocotools_to_the_last_bit(overlap):
    names = KEYPOINT_STATS if overlap is Overlap.KEYPOINT else BOX_STATS
    different, without_truth = [], 0
    for seed in range(SETS):
        data = random_set(seed, overlap)
        got = coco.summary(data, HotcocoEvaluation(data))
        expected = reference(data)
        assert list(got) == list(names)
        without_truth += got["ap_50_95"] is None
        told = [-1.0 if value is None else value for value in got.values()]
        different += [seed] if told != expected else []
    assert different == []
    assert 0 < without_truth < SETS / 2


@KINDS
def test_both_libraries_match_the_same_objects(overlap):
    for seed in range(40):
        data = random_set(seed, overlap)
        first, second = HotcocoEvaluation(data), PycocotoolsEvaluation(data)
        one, other = first.matches(), second.matches()
        assert np.array_equal(one.counted, other.counted), seed
        assert np.array_equal(one.right & one.counted, other.right), seed
        assert np.array_equal(one.truth_counts, other.truth_counts), seed
        assert coco.summary(data, first) == coco.summary(data, second), seed
        assert coco.per_label(first) == coco.per_label(second), seed


@pytest.mark.parametrize("overlap", [Overlap.BOX, Overlap.MASK])
def test_both_libraries_confuse_the_same_labels(overlap):
    for seed in range(40):
        data = random_set(seed, overlap)
        truth = data.truth
        plain = Objects(truth.image_of, truth.classes, truth.scores, truth.shapes)
        data = EvaluationSet(data.sizes, data.labels, plain, data.found, overlap)
        one, other = HotcocoEvaluation(data).confusion(), PycocotoolsEvaluation(data).confusion()
        assert np.array_equal(one, other), seed
        assert one[:-1].sum() == len(plain)
        assert one[:, :-1].sum() == len(data.found)


@EVALUATORS
def test_the_first_object_counts_like_any_other(evaluator):
    data = box_set([ON_IT], [ON_IT])
    figures = coco.summary(data, evaluator(data))
    assert figures["ap_50_95"] == pytest.approx(1.0)
    assert figures["ar_50_95_det1"] == pytest.approx(1.0)


@EVALUATORS
def test_nothing_found_is_an_average_precision_of_zero(evaluator):
    data = box_set([ON_IT], [])
    figures = coco.summary(data, evaluator(data))
    assert (figures["ap_50_95"], figures["ar_50_95_det100"]) == (0.0, 0.0)
    assert evaluator(data).matches().truth_counts.tolist() == [[1]]


@EVALUATORS
def test_no_ground_truth_is_no_figure_rather_than_zero(evaluator):
    data = box_set([], [ON_IT])
    assert set(coco.summary(data, evaluator(data)).values()) == {None}
    assert coco.per_label(evaluator(data)) == [(None, None)]


@EVALUATORS
def test_nothing_at_all_is_no_figure_either(evaluator):
    data = box_set([], [])
    assert set(coco.summary(data, evaluator(data)).values()) == {None}


@EVALUATORS
def test_a_label_without_ground_truth_does_not_lower_the_mean(evaluator):
    stray = (0, 1, 0.7, 90, 90, 40, 40)
    data = box_set([ON_IT], [ON_IT, stray], labels=("cat", "dog"))
    done = evaluator(data)
    assert coco.summary(data, done)["ap_50_95"] == pytest.approx(1.0)
    assert coco.per_label(done)[1] == (None, None)


@EVALUATORS
@pytest.mark.parametrize(("most", "expected"), [(100, 2 / 3), (300, 1.0)])
def test_more_detections_than_usual_can_count(evaluator, most, expected):
    grid = [(0, 0, 0.5, 12 * (n % 12), 10 * (n // 12), 8, 8) for n in range(150)]
    data = box_set(grid, grid, max_detections=most)
    figures = coco.summary(data, evaluator(data))
    assert figures[f"ar_50_95_det{most}"] == pytest.approx(expected, abs=0.001)
    assert figures["ap_50_95"] == pytest.approx(expected, abs=0.01)


@EVALUATORS
def test_keypoints_of_other_skeletons_take_the_mean_of_cocos_tolerances(evaluator):
    skeleton = np.array([[10, 10, 2], [50, 10, 2], [30, 60, 2]], np.float32)
    side = Objects(np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1), (skeleton,))
    moved = Objects(side.image_of, side.classes, side.scores, (skeleton + np.float32([6, 0, 0]),))
    data = EvaluationSet([ImageSize(99, 99)], ["hand"], side, moved, Overlap.KEYPOINT)
    # exp(-d^2 / (2 area (2 sigma)^2)) = exp(-36 / (2 * 2000 * 0.01802)) = 0.607
    figures = coco.summary(data, evaluator(data))
    assert figures["ap_50"] == pytest.approx(1.0)
    assert figures["ap_75"] == 0.0


def test_objects_of_different_skeletons_are_refused():
    two, three = np.ones((2, 3), np.float32), np.ones((3, 3), np.float32)
    side = Objects(np.zeros(2, np.int64), np.zeros(2, np.int64), np.ones(2), (two, three))
    data = EvaluationSet([ImageSize(9, 9)], ["hand"], side, side, Overlap.KEYPOINT)
    with pytest.raises(InvalidInputError, match="objects of 2 and of 3 keypoints"):
        coco.evaluate(data)


def test_outlines_are_compared_by_their_pixels():
    square = np.array([[10, 10], [50, 10], [50, 50], [10, 50]], np.float32)
    half = np.array([[10, 10], [30, 10], [30, 50], [10, 50]], np.float32)
    row = np.zeros(1, np.int64)
    truth, found = (Objects(row, row, np.ones(1), (one,)) for one in (square, half))
    data = EvaluationSet([ImageSize(99, 99)], ["tile"], truth, found, Overlap.MASK)
    for evaluator in (HotcocoEvaluation, PycocotoolsEvaluation):
        # 800 of 1,600 pixels: right at an overlap of 0.5 and at no other.
        assert coco.summary(data, evaluator(data))["ap_50_95"] == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_score_without_a_rank_is_refused(wrong):
    with pytest.raises(
        InvalidInputError, match=r"score of object 1 is (nan|inf), which has no rank"
    ):
        boxes(ON_IT, (0, 0, wrong, 1, 1, 2, 2))


def test_an_object_of_an_image_that_is_not_there_is_refused():
    with pytest.raises(InvalidInputError, match="of image 3; there are 1"):
        box_set([(3, 0, 1, 1, 1, 2, 2)], [])


def test_no_detections_can_be_asked_for_in_vain():
    with pytest.raises(InvalidInputError, match="max_detections is 0"):
        coco.evaluate(box_set([ON_IT], [ON_IT], max_detections=0))


def test_kinds_of_errors_are_told_as_tide_does():
    truth = [ON_IT, (0, 0, 1, 90, 10, 40, 40), (0, 0, 1, 10, 90, 40, 40)]
    found = [
        (0, 0, 0.95, 10, 10, 40, 40),
        (0, 0, 0.9, 11, 10, 40, 40),  # the same object again
        (0, 1, 0.8, 90, 10, 40, 40),  # another label
        (0, 0, 0.7, 30, 90, 40, 40),  # an overlap of a third
        (0, 0, 0.6, 110, 110, 40, 40),  # on nothing
    ]
    errors = HotcocoEvaluation(box_set(truth, found, labels=("cat", "dog"))).errors()
    assert errors.counts == {
        "class": 1, "localization": 1, "both": 0, "duplicate": 1, "background": 1, "missed": 0,
    }  # fmt: skip
    assert errors.ap_lost["class"] > 0


def test_what_a_kind_of_error_costs_is_that_of_the_mended_case():
    missed = (0, 0, 1, 90, 10, 40, 40)
    stray = (0, 0, 0.95, 110, 110, 40, 40)
    errors = HotcocoEvaluation(box_set([ON_IT, missed], [stray, ON_IT])).errors()
    as_it_is = 51 / 101 * 1 / 2  # a precision of 1/2 up to a recall of 1/2
    assert errors.ap_lost["background"] == pytest.approx(51 / 101 - as_it_is)
    assert errors.ap_lost["missed"] == pytest.approx(1 / 2 - as_it_is)
    assert errors.ap_lost["class"] == 0.0


def test_nothing_is_said_on_stdout_or_stderr(capfd):
    for evaluator in (HotcocoEvaluation, PycocotoolsEvaluation):
        data = box_set([ON_IT], [ON_IT, FAR_AWAY])
        done = evaluator(data)
        coco.summary(data, done), done.matches(), done.confusion(), done.errors()
    assert capfd.readouterr() == ("", "")


def test_the_library_is_named_and_what_it_lacks_is_said():
    data = box_set([ON_IT], [ON_IT])
    assert coco.evaluate(data).evaluator.startswith("hotcoco 1.")
    other = PycocotoolsEvaluation(data)
    assert other.evaluator.startswith("pycocotools 2.")
    assert other.errors() is None
    assert "pip install 'picsellia_jupyter[monitoring]'" in other.notices[0]


@pytest.mark.parametrize(
    ("there", "expected"),
    [({"pycocotools"}, "pycocotools"), ({"hotcoco", "pycocotools"}, "hotcoco")],
)
def test_the_faster_library_is_taken_where_it_is_there(monkeypatch, there, expected):
    monkeypatch.setattr(coco, "find_spec", lambda name: name in there or None)
    assert coco.evaluate(box_set([ON_IT], [ON_IT])).evaluator.startswith(expected)


def test_without_any_library_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(coco, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"picsellia_jupyter\[monitoring\]"):
        coco.evaluate(box_set([ON_IT], [ON_IT]))
