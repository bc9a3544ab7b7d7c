import numpy as np
import pytest

from picsellia_jupyter.demo.evaluation import matches, mean_average_precision, precision_recall
from picsellia_jupyter.domain.predictions import Detections

HERE, THERE, NOWHERE = (0, 0, 10, 10), (20, 0, 30, 10), (50, 50, 60, 60)


def detections(*objects):
    boxes = np.array([box for box, _, _ in objects], np.float32).reshape(-1, 4)
    classes = np.array([label for _, label, _ in objects], np.int64)
    return Detections(classes, np.array([score for _, _, score in objects], np.float32), boxes)


def truth(*objects):
    return detections(*((box, label, 1.0) for box, label in objects))


def test_finding_everything_and_nothing_else_scores_one():
    known = truth((HERE, 0), (THERE, 1))

    assert mean_average_precision([detections((HERE, 0, 0.9), (THERE, 1, 0.2))], [known]) == 1.0


def test_finding_nothing_scores_zero():
    assert mean_average_precision([detections()], [truth((HERE, 0))]) == 0.0


def test_precision_is_interpolated_at_all_points():
    # Right, wrong, right: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    found = detections((HERE, 0, 0.9), (NOWHERE, 0, 0.8), (THERE, 0, 0.7))

    curve = precision_recall([found], [truth((HERE, 0), (THERE, 0))], 0)

    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3])
    np.testing.assert_allclose(curve.recall, [1 / 2, 1 / 2, 1])
    assert curve.average_precision() == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


def test_confidence_is_ranked_across_images_and_not_within_each():
    found = [detections((HERE, 0, 0.3)), detections((NOWHERE, 0, 0.9))]

    curve = precision_recall(found, [truth((HERE, 0)), truth((THERE, 0))], 0)

    np.testing.assert_allclose(curve.precision, [0, 1 / 2])


def test_a_second_box_on_one_object_is_wrong():
    found = detections((HERE, 0, 0.9), ((1, 0, 10, 10), 0, 0.8))

    assert matches(found, truth((HERE, 0))) == [True, False]


def test_a_box_with_the_wrong_label_finds_nothing():
    assert mean_average_precision([detections((HERE, 1, 0.9))], [truth((HERE, 0))]) == 0.0


@pytest.mark.parametrize(("right", "counts"), [(6, True), (4, False)])
def test_a_box_counts_from_the_overlap_asked_for(right, counts):
    found = detections(((0, 0, right, 10), 0, 0.9))

    assert matches(found, truth((HERE, 0)), iou=0.5) == [counts]
