import pytest

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import manifest
from picsellia_jupyter.serving.signature import InputSignature
from tests.serving import models

DETECTION = InferenceType.OBJECT_DETECTION


def refusal(raw, kind=DETECTION, **sides):
    with pytest.raises(ModelLoadError) as caught:
        manifest.parse(raw, kind, InputSignature(**sides))
    return str(caught.value)


def test_everything_that_is_said_is_taken():
    said = {
        "format": 1,
        "input": {
            "width": 640,
            "height": 320,
            "resize": "letterbox",
            "channels": "BGR",
            "scale": 1,
            "mean": [1, 2, 3],
            "std": [4, 5, 6],
            "pad": 255,
            "anchor": "top_left",
            "filter": "nearest",
            "crop": 0.875,
        },
        "head": "boxes_scores",
        "score_floor": 0.2,
        "iou_threshold": 0.7,
        "max_objects": 10,
        "activation": "sigmoid",
        "top_k": 3,
        "label_offset": 1,
        "background": None,
        "mask_threshold": 0.4,
        "box_format": "cxcywh",
        "normalised": True,
        "keypoints": 5,
        "keypoint_values": 2,
        "channels_last": True,
        "architecture": "torchvision.resnet18",
    }
    mean, std = (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)
    assert manifest.parse(said, DETECTION, None) == manifest.Manifest(
        input=manifest.InputSpec(
            640, 320, "letterbox", "BGR", 1.0, mean, std, 255, "top_left", "nearest", crop=0.875
        ),
        head="boxes_scores",
        kind=DETECTION,
        score_floor=0.2,
        iou_threshold=0.7,
        max_objects=10,
        activation="sigmoid",
        top_k=3,
        label_offset=1,
        background=None,
        mask_threshold=0.4,
        box_format="cxcywh",
        normalised=True,
        keypoints=5,
        keypoint_values=2,
        channels_last=True,
    )


def test_the_model_tells_its_size_where_nothing_is_said():
    read = manifest.parse(
        {}, InferenceType.CLASSIFICATION, InputSignature(channels=3, height=20, width=30)
    )
    assert (read.input.width, read.input.height, read.input.channels) == (30, 20, "RGB")
    assert (read.head, read.input.resize) == ("class_scores", "stretch")


def test_a_grey_model_takes_grey_photos():
    assert (
        manifest.parse(
            {}, DETECTION, InputSignature(channels=1, height=20, width=30)
        ).input.channels
        == "L"
    )


def test_a_size_that_nobody_tells_is_asked_for():
    told = refusal({}, channels=3)
    assert "serving.json: input.width is missing" in told


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"format": 2}, "serving.json: format is 2"),
        ({"input": 3}, "serving.json: input is 3"),
        ({"input": {"width": "64", "height": 48}}, "input.width is '64'"),
        ({"input": {"width": True, "height": 48}}, "input.width is True"),
        ({"input": {"width": 0, "height": 48}}, "input.width is 0"),
        ({"input": {"width": 64, "height": 48, "channels": "RGBA"}}, "input.channels is 'RGBA'"),
        ({"input": {"width": 64, "height": 48, "resize": "crop"}}, "input.resize is 'crop'"),
        ({"input": {"width": 64, "height": 48, "scale": 0}}, "input.scale is 0"),
        ({"input": {"width": 64, "height": 48, "mean": [0.5]}}, "input.mean is [0.5]"),
        ({"input": {"width": 64, "height": 48, "std": [0, 0, 0]}}, "input.std is [0, 0, 0]"),
        ({"input": {"width": 64, "height": 48, "pad": 256}}, "input.pad is 256"),
        ({"input": {"width": 64, "height": 48, "widht": 3}}, "Did you mean 'width'?"),
        ({**models.DETECTOR, "score_floor": 5}, "score_floor is 5"),
        ({**models.DETECTOR, "iou_threshold": float("nan")}, "iou_threshold is nan"),
        ({**models.DETECTOR, "max_objects": 0}, "max_objects is 0"),
        ({**models.DETECTOR, "activation": "relu"}, "activation is 'relu'"),
        ({**models.DETECTOR, "threshold": 0.3}, "no key threshold"),
        ({**models.DETECTOR, "head": "class_scores"}, "takes one of: boxes_scores"),
        ({**models.DETECTOR, "head": ["yolo8"]}, "head is ['yolo8']"),
        ({**models.DETECTOR, "normalised": 1}, "normalised is 1"),
        ({**models.DETECTOR, "background": -1}, "background is -1"),
        ({**models.DETECTOR, "box_format": "xyhw"}, "box_format is 'xyhw'"),
        ({**models.DETECTOR, "keypoint_values": 4}, "keypoint_values is 4"),
        ({"input": {"width": 64, "height": 48, "anchor": "left"}}, "input.anchor is 'left'"),
        ({"input": {"width": 64, "height": 48, "filter": "area"}}, "input.filter is 'area'"),
    ],
)
def test_a_bad_value_is_refused_by_its_key(raw, named):
    assert named in refusal(raw)


def test_a_type_without_a_head_is_refused_with_what_can_be_served():
    told = refusal({}, InferenceType.MULTI)
    assert "MULTI cannot be served" in told
    assert "OBJECT_DETECTION, CLASSIFICATION, MASK" in told


@pytest.mark.parametrize("kind", PREDICTION_TYPES)
def test_every_prediction_type_has_a_head(kind):
    assert any(kind in kinds for kinds in manifest.HEADS.values())


def test_bytes_are_not_scaled():
    read = manifest.parse({}, DETECTION, InputSignature(height=20, width=30, dtype="uint8"))
    assert read.input.scale == 1.0


def test_photos_as_they_are_contradict_a_model_of_one_size():
    raw = {"input": {"resize": "none"}}
    assert "the model takes 30 x 20" in refusal(raw, channels=3, height=20, width=30)


def test_a_size_that_contradicts_the_model_is_refused_with_both():
    told = refusal(models.DETECTOR, channels=3, height=640, width=640)
    assert "takes 3 x 640 x 640" in told
    assert "says 1 x 48 x 64" in told


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "serving.json"
    path.write_text("{format: 1}")
    with pytest.raises(ModelLoadError, match=r"serving\.json cannot be read"):
        manifest.read(path)


def test_a_file_that_holds_a_list_is_refused(tmp_path):
    path = tmp_path / "serving.json"
    path.write_text("[]")
    with pytest.raises(ModelLoadError, match="holds a list, not an object"):
        manifest.read(path)


def test_no_file_says_nothing():
    assert manifest.read(None) == {}


def test_only_a_classification_is_shown_the_centre_alone():
    told = refusal({"input": {"resize": "crop"}}, height=8, width=8)
    assert "Only a classification may leave out what lies at the edges." in told
    made = manifest.parse(
        {"input": {"resize": "crop"}},
        InferenceType.CLASSIFICATION,
        InputSignature(height=8, width=8),
    )
    assert (made.input.resize, made.input.crop) == ("crop", 1.0)
