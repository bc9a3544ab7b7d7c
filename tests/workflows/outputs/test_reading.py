"""What frameworks put out is read as they mean it; what cannot be is named."""

from types import SimpleNamespace

import numpy as np
import pytest

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidInputError, InvalidPredictionError
from picsellia_jupyter.domain.predictions import Classification, Detections, ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.outputs.labelling import Labelling
from picsellia_jupyter.workflows.outputs.reading import Reading

SIZE = ImageSize(200, 100)
LABELS = {0: "cat", 1: "dog"}
DETECTION = InferenceType.OBJECT_DETECTION
BOX = [[10.0, 20.0, 110.0, 60.0]]


def reading(kind=DETECTION, *, renamed=None, **how):
    return Reading(kind, Labelling(LABELS, renamed), **how)


def refusal(given, kind=DETECTION, **how):
    with pytest.raises(InvalidPredictionError) as caught:
        reading(kind, **how).prediction(given, SIZE)
    return str(caught.value)


def is_the_dog(found):
    assert isinstance(found, Detections)
    assert found.boxes_xyxy.tolist() == BOX
    assert found.classes.tolist() == [1]
    assert found.scores.tolist() == [0.5]
    return True


class Tensor:
    """As PyTorch's on a GPU with gradients: not an array before it is detached and copied."""

    def __init__(self, values, step=0):
        self.values, self.step = values, step

    def _next(self, at):
        assert self.step == at
        return Tensor(self.values, at + 1)

    def detach(self):
        return self._next(0)

    def cpu(self):
        return self._next(1)

    def numpy(self):
        assert self.step == 2
        return np.asarray(self.values)


class Boxes:
    """As Ultralytics has them."""

    def __init__(self):
        self.xyxy, self.conf, self.cls = Tensor(BOX), Tensor([0.5]), Tensor([7.0])

    def __len__(self):
        return 1


@pytest.mark.parametrize(
    "given",
    [
        {"boxes": Tensor(BOX), "labels": Tensor([1]), "scores": Tensor([0.5])},
        (BOX, [0.5], ["dog"]),
        (np.array(BOX), np.array([0.5]), np.array([1])),
        [(BOX[0], 0.5, "dog")],
        [{"box": {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 60}, "score": 0.5, "label": "dog"}],
        np.array([[*BOX[0], 0.5, 1]]),
        SimpleNamespace(boxes=Boxes(), names={7: "dog"}),
        [SimpleNamespace(boxes=Boxes(), names={7: "dog"})],
        Detections(np.array([1]), np.array([0.5], np.float32), np.array(BOX, np.float32)),
    ],
    ids=["torchvision", "columns", "arrays", "rows", "pipeline", "(N, 6)", "Ultralytics",
         "Ultralytics' list", "our own"],
)  # fmt: skip
def test_boxes_of_every_framework_are_the_same(given):
    assert is_the_dog(reading().prediction(given, SIZE))


@pytest.mark.parametrize(
    ("convention", "box"),
    [("xyxy", [10, 20, 110, 60]), ("yxyx", [20, 10, 60, 110]), ("xywh", [10, 20, 100, 40]),
     ("cxcywh", [60, 40, 100, 40])],
)  # fmt: skip
def test_boxes_of_every_convention_are_the_same_in_pixels_and_in_fractions(convention, box):
    plain = reading(convention=convention)
    assert is_the_dog(plain.prediction(([box], [0.5], [1]), SIZE))
    sides = (100, 200, 100, 200) if convention == "yxyx" else (200, 100, 200, 100)
    fractions = [[value / side for value, side in zip(box, sides, strict=True)]]
    scaled = reading(convention=convention, normalized=True).prediction(
        (fractions, [0.5], [1]), SIZE
    )
    assert np.allclose(scaled.boxes_xyxy, BOX, atol=1e-4)


def test_what_a_framework_is_known_to_mean_is_not_overruled():
    odd = reading(convention="xywh", normalized=True)
    assert is_the_dog(odd.prediction(SimpleNamespace(boxes=Boxes(), names={7: "dog"}), SIZE))


def test_supervision_is_read_by_its_names_and_by_its_class_ids():
    sv = pytest.importorskip("supervision")
    how = {"xyxy": np.array(BOX), "confidence": np.array([0.5])}
    by_name = sv.Detections(class_id=np.array([9]), data={"class_name": np.array(["dog"])}, **how)
    assert is_the_dog(reading().prediction(by_name, SIZE))
    assert is_the_dog(reading().prediction(sv.Detections(class_id=np.array([1]), **how), SIZE))
    assert len(reading().prediction(sv.Detections.empty(), SIZE)) == 0
    mask = np.zeros((1, 100, 200), bool)
    mask[:, 20:60, 10:110] = True
    masked = sv.Detections(class_id=np.array([1]), mask=mask, **how)
    found = reading(InferenceType.MASK).prediction(masked, SIZE)
    assert (rle.decode(found.masks[0], SIZE) == mask[0]).all()


@pytest.mark.parametrize("nothing", [[], ([], [], []), np.zeros((0, 6))])
def test_nothing_is_nothing(nothing):
    found = reading().prediction(nothing, SIZE)
    assert found.boxes_xyxy.shape == (0, 4)


def test_labels_of_the_model_are_those_of_the_deployment_where_that_is_said():
    how = reading(renamed={17: "cat", "hound": "dog"})
    found = how.prediction((BOX * 3, [0.5] * 3, [np.int64(17), "hound", 1.0]), SIZE)
    assert found.classes.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("dog", 0.5), ([1], [0.5])),
        ([("cat", 0.25), ("dog", 0.5)], ([1, 0], [0.5, 0.25])),
        ([{"label": "dog", "score": 0.5}], ([1], [0.5])),
        ({"cat": 0.25, "dog": 0.75}, ([1, 0], [0.75, 0.25])),
        (Tensor([0.25, 0.75]), ([1, 0], [0.75, 0.25])),
        (SimpleNamespace(probs=SimpleNamespace(data=Tensor([0.25, 0.75])), names=["cat", "dog"]),
         ([1, 0], [0.75, 0.25])),
    ],
)  # fmt: skip
def test_classes_are_ordered_by_their_scores(given, said):
    found = reading(InferenceType.CLASSIFICATION).prediction(given, SIZE)
    assert isinstance(found, Classification)
    assert (found.classes.tolist(), found.scores.tolist()) == said


def test_outlines_lines_points_and_skeletons_are_read():
    corner = [[0, 0], [100, 0], [100, 50]]
    half = [[0, 0], [0.5, 0], [0.5, 0.5]]
    for kind, field in ((InferenceType.SEGMENTATION, "polygons"), (InferenceType.LINE, "lines")):
        found = reading(kind).prediction([(corner, 0.5, "dog")], SIZE)
        scaled = reading(kind, normalized=True).prediction([(half, 0.5, "dog")], SIZE)
        for one in (found, scaled):
            assert getattr(one, field)[0].tolist() == corner
    point = reading(InferenceType.POINT).prediction(([[5, 6]], [0.5], ["dog"]), SIZE)
    assert point.points.tolist() == [[5, 6]]
    skeleton = [[5, 6, 2], [7, 8, 0]]
    found = reading(InferenceType.KEYPOINT).prediction(([skeleton], [0.5], ["dog"]), SIZE)
    assert found.keypoints[0].tolist() == skeleton


def test_outlines_and_skeletons_of_ultralytics_are_read():
    outline = np.array([[0, 0], [100, 0], [100, 50]])
    answer = SimpleNamespace(
        boxes=Boxes(), names={7: "dog"}, masks=SimpleNamespace(xy=[outline]),
        keypoints=SimpleNamespace(data=Tensor([[[5, 6, 0.9], [7, 8, 0.1]]])),
    )  # fmt: skip
    found = reading(InferenceType.SEGMENTATION).prediction([answer], SIZE)
    assert found.polygons[0].tolist() == outline.tolist()
    found = reading(InferenceType.KEYPOINT).prediction([answer], SIZE)
    assert found.keypoints[0].tolist() == [[5, 6, 2], [7, 8, 0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([[10, 60, 110, 20]], [0.5], [1]),
         "Box 0 is [10, 60, 110, 20], read as xyxy, whose bottom is"),
        (([[110, 20, 10, 60]], [0.5], [1]), "right is left of its left (x2 < x1)"),
        (([[0, 0, 1, 1], [0, float("nan"), 1, 1]], [0.5] * 2, [1, 1]), "Box 1 is [0, nan, 1, 1]"),
        (([[10, 20, 110]], [0.5], [1]), "Box 0 has 3 numbers, not 4: [10, 20, 110]."),
        ((np.zeros((2, 5)), [0.5] * 2, [1, 1]), "The shapes have the shape (2, 5), not (N, 4)."),
        (np.zeros((2, 7)), "An array of shape (2, 7) holds 7 numbers for each object, not 6."),
        ((BOX, [0.5, 0.4], [1]), "There are 1 shapes, 2 scores and 1 labels."),
        ((BOX, [1.5], [1]), "Score 0 is 1.5, which is not in [0, 1]."),
        ((BOX, [float("nan")], [1]), "Score 0 is nan"),
        ((BOX, [0.5], ["dig"]),
         "1 is 'dog'. Say what it stands for: monitor(…, labels={'dig': 'dog'})"),
        ((BOX, [0.5], [2]), "The class index 2 is none of the deployment's."),
        ((BOX, [0.5], [1.5]), "1.5 is no label."),
        ((BOX, [0.5], [True]), "True is no label."),
        ((BOX, ["much"], [1]), "The scores cannot be read as numbers"),
        ((BOX, 0.5, [1]), "0.5 is no column"),
        (([["a", 0, 1, 1]], [0.5], [1]), "The boxes cannot be read as numbers"),
        ({"boxes": BOX, "scores": [0.5]}, "has no 'labels'; it has 'boxes', 'scores'."),
        ([(BOX[0], 0.5)], "Object 0 is ([10.0, 20.0, 110.0, 60.0], 0.5)."),
        ("a dog", "'a dog' is no prediction of the type object detection."),
        (None, "None is no prediction"),
        (Classification(np.array([1]), np.array([0.5], np.float32)),
         "of the type classification, the deployment of"),
    ],
)  # fmt: skip
def test_a_prediction_that_cannot_be_is_refused_with_its_value(given, said):
    assert said in refusal(given)


def test_what_the_other_types_cannot_be_is_refused_with_its_value():
    assert "which is not normalized" in refusal((BOX, [0.5], [1]), normalized=True)
    assert "its numbers" in refusal(([[0, 0, 9, 1]], [0.5], [1]), normalized=True)
    masks = InferenceType.MASK
    assert "Mask 0 has shape (5, 5), the image (100, 200)." in refusal(
        ([np.zeros((5, 5))], [0.5], [1]), masks
    )
    lines = InferenceType.LINE
    assert "Line 0 has shape (4,), not (K, 2)" in refusal(([[1, 2, 3, 4]], [0.5], [1]), lines)
    assert "Line 0 has NaN" in refusal(([[[1, 2], [np.nan, 4]]], [0.5], [1]), lines)
    assert "lines[0] has 1 points" in refusal(([[[1, 2]]], [0.5], [1]), lines)
    classes = InferenceType.CLASSIFICATION
    assert "'0.5' is no classification" in refusal(0.5, classes)
    assert "'much' is no score of 'dog'" in refusal(("dog", "much"), classes)
    answer = SimpleNamespace(boxes=Boxes(), names={7: "dog"}, masks=None)
    assert "have not all that the deployment's type takes, which is segmentation" in refusal(
        answer, InferenceType.SEGMENTATION
    )


def test_ways_to_read_that_cannot_be_are_refused_at_once():
    with pytest.raises(InvalidInputError, match=r"boxes='ltrb' .*Known: xyxy, yxyx, xywh, cxcywh"):
        reading(convention="ltrb")
    with pytest.raises(InvalidInputError, match="names 'dig', which is no label"):
        reading(renamed={3: "dig"})
    with pytest.raises(InvalidPredictionError, match="no form for predictions of the type multi"):
        reading(InferenceType.MULTI)


def test_a_version_without_labels_takes_any_index():
    free = Reading(DETECTION, Labelling({}))
    assert free.prediction((BOX, [0.5], [41]), SIZE).classes.tolist() == [41]
    with pytest.raises(InvalidPredictionError, match="'dog' is none of the deployment's"):
        free.prediction((BOX, [0.5], ["dog"]), SIZE)
