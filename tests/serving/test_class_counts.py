"""Which labels a model may give, told by the shapes of its outputs."""

import pytest

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import class_counts, manifest
from picsellia_jupyter.serving.signature import InputSignature, TensorSignature

DETECTION, SEGMENTATION = InferenceType.OBJECT_DETECTION, InferenceType.SEGMENTATION
CLASSIFICATION, KEYPOINT = InferenceType.CLASSIFICATION, InferenceType.KEYPOINT
MASK, POINT = InferenceType.MASK, InferenceType.POINT


def labels(kind, head, shapes, **said):
    settled = manifest.parse({"head": head, **said}, kind, InputSignature(height=64, width=64))
    given = (TensorSignature(name, "float32", shape) for name, shape in shapes.items())
    return class_counts.labels_of(settled, tuple(given))


@pytest.mark.parametrize(
    ("kind", "head", "shapes", "classes"),
    [
        (CLASSIFICATION, "class_scores", {"logits": (None, 5)}, 5),
        (CLASSIFICATION, "class_scores", {"logits": (None, None)}, 0),
        (CLASSIFICATION, "class_scores", {"a": (1, 5), "b": (1, 5)}, 0),
        (DETECTION, "yolo8", {"output0": (1, 84, 8400)}, 80),
        (DETECTION, "yolo8", {"output0": (1, 8400, 84)}, 80),
        (DETECTION, "yolo8", {"output0": (1, None, None)}, 0),
        (DETECTION, "yolo8", {"output0": (84, 8400)}, 0),
        (SEGMENTATION, "yolo8", {"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}, 80),
        (SEGMENTATION, "yolo8", {"output1": (1, 32, 160, 160), "output0": (1, 116, 8400)}, 80),
        (SEGMENTATION, "yolo8", {"output0": (1, 116, 8400), "output1": (1, None, 9, 9)}, 0),
        (KEYPOINT, "yolo8", {"output0": (1, 56, 8400)}, 1),
        (DETECTION, "yolo5", {"output0": (1, 25200, 85)}, 80),
        (DETECTION, "yolox", {"output": (1, 8400, 85)}, 80),
        (DETECTION, "yolox", {"boxes": (8400, 85)}, 0),
        (DETECTION, "yolox_raw", {"output": (1, 8400, 85)}, 80),
        (DETECTION, "boxes_scores", {"boxes": (1, 9, 4), "scores": (1, 9, 80)}, 80),
        (DETECTION, "boxes_scores", {"scores": (1, 9, 80), "boxes": (1, 9, 4)}, 80),
        (DETECTION, "boxes_scores", {"a": (1, 9, 4), "b": (1, 9, 80)}, 80),
        (DETECTION, "boxes_scores", {"a": (1, 9, 4), "b": (None, None, None)}, 0),
        (DETECTION, "detr", {"logits": (None, 100, 92), "pred_boxes": (None, 100, 4)}, 91),
        (DETECTION, "detr", {"pred_boxes": (1, 100, 4), "logits": (1, 100, 92)}, 91),
        (DETECTION, "rt_detr", {"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}, 80),
        (DETECTION, "rt_detr", {"output0": (1, 300, 84)}, 80),
        (DETECTION, "rt_detr", {"output0": (300, 84)}, 0),
        (DETECTION, "tf_detection", {"detection_boxes": (1, 100, 4)}, 0),
        (DETECTION, "yolo8", {}, 0),
        (POINT, "heatmaps", {"maps": (1, 6, 16, 16)}, 6),
        (POINT, "heatmaps", {"maps": (1, None, 16, 16)}, 0),
        (KEYPOINT, "heatmaps", {"maps": (1, 17, 64, 48)}, 1),
    ],
)
def test_classes_are_counted_where_the_outputs_tell_of_them(kind, head, shapes, classes):
    assert labels(kind, head, shapes) == tuple(range(classes))


@pytest.mark.parametrize(
    ("shapes", "said", "expected"),
    [
        ({"logits": (1, 4, 16, 16)}, {}, (1, 2, 3)),
        ({"aux": (1, 9, 8, 8), "out": (1, 4, 16, 16)}, {}, (1, 2, 3)),
        ({"logits": (1, 4, 16, 16)}, {"background": None}, (0, 1, 2, 3)),
        ({"logits": (1, 4, 16, 16)}, {"label_offset": -1}, (0, 1, 2)),
        ({"logits": (1, 16, 16, 4)}, {"channels_last": True}, (1, 2, 3)),
        ({"logits": (1, 1, 16, 16)}, {"activation": "sigmoid", "background": None}, (0,)),
        ({"classes": (1, 1, 16, 16)}, {}, ()),
        ({"classes": (1, 16, 16)}, {}, ()),
        ({"logits": (1, None, 16, 16)}, {}, ()),
    ],
)
def test_the_background_of_a_segmentation_needs_no_label(shapes, said, expected):
    assert labels(MASK, "semantic_segmentation", shapes, **said) == expected


def test_prototypes_with_their_channels_last_are_no_classes():
    shapes = {"output1": (1, 160, 160, 32), "output0": (1, 116, 8400)}
    assert labels(MASK, "yolo8", shapes, channels_last=True) == tuple(range(80))


def test_labels_lie_where_serving_json_puts_them():
    assert labels(DETECTION, "yolo8", {"o": (1, 8, 8400)}, label_offset=1) == (1, 2, 3, 4)


def test_a_skeletons_own_keypoints_are_no_classes():
    said = {"keypoints": 5, "keypoint_values": 2}
    assert labels(KEYPOINT, "yolo8", {"o": (1, 4 + 3 + 10, 8400)}, **said) == (0, 1, 2)
