"""What serving.json leaves out, told by a trial run."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidPredictionError, ModelLoadError
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES, ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import conventions, manifest, pixels
from picsellia_jupyter.serving.heads import Trial, head_of, recognise
from picsellia_jupyter.serving.signature import InputSignature

BOXES, CLASSES = InferenceType.OBJECT_DETECTION, InferenceType.CLASSIFICATION
MASK, KEYPOINT = InferenceType.MASK, InferenceType.KEYPOINT
RNG = np.random.default_rng(1)
PLACE = pixels.Placement(0, 0, 64, 64, ImageSize(64, 64), ImageSize(64, 64))


class Runtime:
    """Gives the same for every input, and remembers its shape."""

    def __init__(self, outputs, **signature):
        self.signature = InputSignature(**signature) if signature else None
        self.outputs = outputs
        self.seen = None

    def run(self, batch):
        self.seen = batch.shape
        return [self.outputs]


def settle(outputs, kind, said=None, labels=0, **signature):
    return conventions.settle(said or {}, kind, labels, Runtime(outputs, **signature))


def logits(count=4, low=-3, high=3):
    return {"scores": RNG.uniform(low, high, (1, count)).astype(np.float32)}


# The input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "side"), [(CLASSES, 224), (BOXES, 640)])
def test_a_size_that_nobody_tells_is_assumed_and_said(kind, side):
    outputs = logits() if kind is CLASSES else {"o": np.ones((1, 7, 8400), np.float32) * 9}
    made = settle(outputs, kind)
    assert (made.input.width, made.input.height) == (side, side)
    assert f"{side} x {side} pixels is assumed" in made.notes[0]


def test_one_free_side_is_filled_in():
    made = settle(logits(), CLASSES, height=32)
    assert (made.input.width, made.input.height) == (224, 32)


def test_a_size_that_is_said_is_not_assumed():
    made = settle(logits(), CLASSES, {"input": {"width": 10, "height": 12}})
    assert (made.input.width, made.input.height) == (10, 12)
    assert not any("assumed" in note for note in made.notes)


def test_tensorflows_detectors_get_photos_as_they_are():
    outputs = {
        "detection_boxes": np.zeros((1, 3, 4), np.float32),
        "detection_scores": np.zeros((1, 3), np.float32),
        "detection_classes": np.ones((1, 3), np.float32),
    }
    made = settle(outputs, BOXES, channels=3, layout="NHWC", dtype="uint8")
    assert (made.head, made.label_offset) == ("tf_detection", -1)
    assert (made.input.resize, made.input.scale) == ("none", 1.0)
    photo = ImageSize(123, 45)
    assert pixels.place(photo, made.input).input == photo


def test_detectors_that_resize_by_themselves_get_photos_as_they_are():
    outputs = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
    made = settle(outputs, BOXES, resizes=True)
    assert (made.head, made.input.resize) == ("torchvision_detection", "none")
    assert "Photos are given to the model unresized." in made.notes


def test_a_grey_model_is_not_given_colours_to_normalise():
    made = settle({"out": RNG.normal(size=(1, 3, 8, 8))}, MASK, channels=1)
    assert (made.input.channels, made.input.mean) == ("L", (0.0,))


def test_what_serving_json_says_of_the_input_overrules_the_family():
    said = {"head": "yolox", "input": {"width": 64, "height": 64, "channels": "RGB"}}
    made = settle({"o": np.zeros((1, 84, 8), np.float32)}, BOXES, said)
    assert (made.input.channels, made.input.anchor, made.input.scale) == ("RGB", "top_left", 1)


def test_a_model_that_fails_on_the_trial_is_told_with_the_size():
    class Fixed(Runtime):
        def run(self, batch):
            raise RuntimeError(f"expected 320, got {batch.shape[2]}\nmore")

    with pytest.raises(ModelLoadError) as caught:
        conventions.settle({}, BOXES, 0, Fixed({}))
    assert "photo of 640 x 640 pixels: expected 320, got 640" in caught.value.fact
    assert '"width"' in caught.value.remedy


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"input": 3}, "input is 3"),
        ({"head": ["yolo8"]}, r"head is \['yolo8'\]"),
        ({"head": "yolo9"}, "head is 'yolo9'"),
        ({"head": "yolo8"}, "takes one of: class_scores"),
        ({"input": {"width": 10, "height": 12}, "treshold": 1}, "no key treshold"),
    ],
)
def test_mistakes_are_told_before_and_after_the_trial(said, told):
    with pytest.raises(ModelLoadError, match=told):
        settle(logits(), CLASSES, said)


@pytest.mark.parametrize(
    ("shape", "layout", "last"),
    [
        ((1, 16, 24, 4), "NHWC", True),
        ((1, 4, 16, 24), "NHWC", False),  # a model of torch's behind a transposed input
        ((1, 4, 16, 24), "NCHW", False),
        ((1, 16, 24, 4), "NCHW", False),
    ],
)
def test_maps_have_their_channels_last_where_the_input_has(shape, layout, last):
    given = {"height": 64, "width": 96, "channels": 3, "layout": layout}
    made = settle({"o": RNG.normal(size=shape)}, MASK, labels=4, **given)
    assert made.channels_last is last


@pytest.mark.parametrize("said", [True, False])
def test_serving_json_says_where_the_channels_of_maps_are(said):
    given = {"height": 64, "width": 64, "channels": 3, "layout": "NHWC"}
    made = settle({"o": RNG.normal(size=(1, 8, 8, 8))}, MASK, {"channels_last": said}, **given)
    assert made.channels_last is said


CROP = '("input": {"resize": "crop", "mean": …, "std": …}).'


@pytest.mark.parametrize(("dtype", "scale"), [("float32", 255), ("uint8", 1)])
def test_how_a_classifier_is_given_photos_is_said_where_nobody_says_it(dtype, scale):
    (note,) = settle(logits(), CLASSES, height=32, width=32, dtype=dtype).notes[-1:]
    assert note.startswith(f"Photos are stretched and divided by {scale};")
    assert note.endswith(CROP)


@pytest.mark.parametrize("said", [{"resize": "crop"}, {"mean": [0.5] * 3}, {"scale": 1}])
def test_nothing_is_assumed_of_photos_that_serving_json_prepares(said):
    notes = settle(logits(), CLASSES, {"input": said}, height=32, width=32).notes
    assert not any("stretched" in note for note in notes)


def test_how_a_segmentation_is_given_photos_is_said_where_its_outputs_do_not_tell():
    assert settle({"o": np.ones((1, 4, 8, 8))}, MASK, labels=4, height=32, width=32).notes[-1] == (
        "Photos are padded to the input's shape and divided by 255; many segmentations are "
        'trained on normalised photos ("input": {"mean": …, "std": …}).'
    )
    told = settle({"out": np.ones((1, 4, 8, 8))}, MASK, labels=4, height=32, width=32)
    assert not any("divided" in note for note in told.notes)  # torchvision's: known


# The outputs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "activation"),
    [
        ([[-3.0, 1.0, 4.0]], "softmax"),
        ([[0.2, 0.3, 0.5]], "none"),
        ([[0.9, 0.8, 0.7]], "softmax"),
        ([[0.4]], "none"),
        ([[-4.0]], "sigmoid"),
    ],
)
def test_logits_and_probabilities_are_told_apart(scores, activation):
    made = settle({"scores": np.array(scores, np.float32)}, CLASSES)
    assert made.activation == activation
    assert f'"activation": "{activation}"' in made.notes[-2]


def test_scores_of_a_last_pooling_layer_are_read():
    made = settle({"scores": np.ones((1, 4, 1, 1), np.float32) / 4}, CLASSES)
    found = head_of(made)({"scores": np.array([[0.1, 0.2, 0.3, 0.4]]).reshape(1, 4, 1, 1)}, None)
    assert found.classes.tolist() == [3, 2, 1, 0]


SCORES, LABELS = np.array([0.9, 0.6], np.float32), np.array([3, 1])


@pytest.mark.parametrize(
    "unnamed", [(SCORES, LABELS), (LABELS, SCORES), (LABELS.astype(np.float32), SCORES)]
)
def test_torchvisions_outputs_are_known_without_their_names_in_either_order(unnamed):
    boxes = np.array([[1, 2, 30, 40], [5, 6, 7, 8]], np.float32)
    outputs = dict(zip(("2120", "2089", "2090"), (boxes, *unnamed), strict=True))
    made = settle(outputs, BOXES, labels=3, height=64, width=64, alone=True)
    assert made.head == "torchvision_detection"
    found = head_of(made)(outputs, PLACE)
    assert found.classes.tolist() == [2, 0]
    assert found.scores.tolist() == [pytest.approx(0.9), pytest.approx(0.6)]


def test_outputs_of_no_known_form_are_refused_with_the_heads_that_there_are():
    with pytest.raises(ModelLoadError) as caught:
        settle({"a": np.zeros((1, 2, 3, 4, 5)), "b": np.zeros(3)}, BOXES)
    assert "a (1, 2, 3, 4, 5), b (3,)" in caught.value.fact
    assert "yolo8" in caught.value.remedy
    assert "docs/models.md" in caught.value.remedy


def test_classes_that_are_no_labels_are_noted():
    told = recognise(Trial({"o": np.ones((1, 84, 8400)) * 9}, BOXES, 2, 640, 640))
    assert told.said["head"] == "yolo8"
    assert told.notes == ("The model tells 80 classes apart, its version has 2 labels.",)


def test_an_export_in_parts_of_the_sides_is_told():
    told = recognise(Trial({"o": RNG.random((1, 84, 8400))}, BOXES, 80, 640, 640))
    assert (told.said["head"], told.said["normalised"]) == ("yolo8", True)


def test_a_transposed_export_is_told_by_its_labels():
    told = recognise(Trial({"o": np.ones((1, 8400, 84)) * 9}, BOXES, 80, 640, 640))
    assert told.said["head"] == "yolo8"


def test_unnamed_outputs_of_torchvision_are_told_by_their_form():
    outputs = {"a": np.ones((3, 4)) * 9, "b": np.array([1.0, 2, 1]), "c": RNG.random(3)}
    assert recognise(Trial(outputs, BOXES, 2, 64, 64)).said["head"] == "torchvision_detection"


def test_unnamed_queries_are_told_by_boxes_in_parts_of_the_sides():
    outputs = {"a": RNG.normal(size=(1, 100, 92)) * 3, "b": RNG.random((1, 100, 4))}
    assert recognise(Trial(outputs, BOXES, 91, 64, 64)).said["head"] == "detr"
    assert recognise(Trial(outputs, BOXES, 92, 64, 64)).said["head"] == "rt_detr"


def test_keypoints_of_two_numbers_are_told():
    told = recognise(Trial({"o": np.ones((1, 4 + 1 + 10, 8400)) * 9}, KEYPOINT, 1, 640, 640))
    assert (told.said["keypoints"], told.said["keypoint_values"]) == (5, 2)


def test_labels_without_the_background_are_told_by_their_number():
    grid = {"o": RNG.normal(size=(1, 4, 8, 8))}
    assert recognise(Trial(grid, MASK, 3, 64, 64)).said["label_offset"] == -1
    assert "label_offset" not in recognise(Trial(grid, MASK, 4, 64, 64)).said


shapes = st.lists(st.sampled_from([0, 1, 2, 4, 6, 20, 84]), max_size=4)
arrays = shapes.flatmap(
    lambda shape: st.sampled_from([0.0, 0.4, 1.0, 3.0, -9.5, np.nan]).map(
        lambda value: np.full(shape, value, np.float32)
    )
)
names = ("boxes", "scores", "labels", "logits", "pred_boxes", "out", "masks", "keypoints", "points")


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(st.sampled_from(names), arrays, max_size=4),
    st.sampled_from(list(PREDICTION_TYPES)),
    st.integers(0, 3),
)
def test_whatever_a_model_gives_is_read_or_refused_but_raises_nothing_else(outputs, kind, labels):
    with contextlib.suppress(ModelLoadError, InvalidPredictionError):
        told = recognise(Trial(outputs, kind, labels, 64, 64))
        raw = {**told.said, "input": {"width": 64, "height": 64, **told.said.get("input", {})}}
        head_of(manifest.parse(raw, kind, None))(outputs, PLACE)


HEADS_AND_KINDS = [(head, kind) for head, kinds in manifest.HEADS.items() for kind in kinds]


@settings(max_examples=1000, deadline=None)
@given(
    st.dictionaries(st.sampled_from(names), arrays, max_size=4),
    st.sampled_from(HEADS_AND_KINDS),
    st.booleans(),
)
def test_a_head_that_is_named_reads_or_refuses_but_raises_nothing_else(outputs, which, normalised):
    head, kind = which
    raw = {"head": head, "input": {"width": 64, "height": 64}, "normalised": normalised}
    told = recognise(Trial(outputs, kind, 2, 64, 64), head)
    raw = {**told.said, **raw}
    with contextlib.suppress(InvalidPredictionError):
        head_of(manifest.parse(raw, kind, None))(outputs, PLACE)


# Outputs that do not fit their head --------------------------------------------------------

N = np.zeros


@pytest.mark.parametrize(
    ("head", "kind", "outputs", "told"),
    [
        ("yolo8", BOXES, {"o": N((1, 2, 3, 4))}, r"outputs have shapes \(1, 2, 3, 4\)"),
        ("yolo8", BOXES, {"o": N((1, 4, 84))}, "which leaves no class"),
        ("yolo8", BOXES, {"o": np.full((1, 7, 84), np.nan)}, "NaN or infinity"),
        ("yolo8", KEYPOINT, {"o": N((1, 20, 84))}, "which leaves no class"),
        ("yolo8", MASK, {"o": np.ones((1, 7, 84))}, "no mask prototypes"),
        ("yolo5", BOXES, {"o": N((1, 84, 5))}, "which leaves no class"),
        ("yolo_end_to_end", BOXES, {"o": N((1, 300, 5))}, "which leaves no class"),
        ("yolox_raw", BOXES, {"o": N((1, 80, 8))}, "80 boxes, an input of 64 x 64 has 84 or 85"),
        ("detr", BOXES, {"logits": N((1, 9, 4)), "x": N((1, 9, 3))}, r"shape \(1, 9, 3\)"),
        ("detr", BOXES, {}, "outputs are none"),
        ("tf_detection", BOXES, {"detection_boxes": N((1, 9, 4))}, "no 'detection_scores'"),
        ("torchvision_detection", BOXES, {"boxes": N((9, 5))}, r"For one image they are \(1, N"),
        ("semantic_segmentation", MASK, {"o": N(9)}, r"segmentation has shape \(9,\)"),
        ("keypoints", KEYPOINT, {"keypoints": N((1, 2, 3, 4)), "s": N((1, 2))}, "keypoints have"),
        ("heatmaps", KEYPOINT, {"o": N((1, 9))}, r"shape \(1, 9\)"),
    ],
)
def test_outputs_of_another_form_are_refused(head, kind, outputs, told):
    made = manifest.parse({"head": head, "input": {"width": 64, "height": 64}}, kind, None)
    with pytest.raises(InvalidPredictionError, match=told):
        head_of(made)(outputs, PLACE)
