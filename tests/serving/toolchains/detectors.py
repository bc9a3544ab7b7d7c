"""torchvision's own detectors, with random weights, exported as its documentation and ours say."""

from __future__ import annotations

import functools
import warnings

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.case import ONNX, TORCHSCRIPT, Case
from tests.serving.toolchains.objects import torchvision
from tests.serving.toolchains.view import View

CLASSES, JOINTS = 3, 4
SMALL = {"min_size": 64, "max_size": 64}


def ssd():
    import torch
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    torch.manual_seed(3)
    model = ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=CLASSES + 1
    )
    return _decided(model, model.head.classification_head)


def faster_rcnn():
    from torchvision.models.detection import FasterRCNN

    model = FasterRCNN(_backbone(), CLASSES + 1, **_anchors(), **SMALL)
    return _decided(model, model.roi_heads.box_predictor)


def mask_rcnn():
    from torchvision.models.detection import MaskRCNN

    model = MaskRCNN(_backbone(), CLASSES + 1, **_anchors(), **SMALL)
    return _decided(model, model.roi_heads.box_predictor, model.roi_heads.mask_predictor)


def keypoint_rcnn():
    from torchvision.models.detection import KeypointRCNN

    model = KeypointRCNN(_backbone(), 2, num_keypoints=JOINTS, **_anchors(), **SMALL)
    return _decided(model, model.roi_heads.box_predictor)


def _backbone():
    import torch
    from torchvision.models.detection.backbone_utils import mobilenet_backbone

    torch.manual_seed(3)
    return mobilenet_backbone(
        backbone_name="mobilenet_v3_large", weights=None, fpn=True, trainable_layers=6
    )


def _anchors():
    from torchvision.models.detection.anchor_utils import AnchorGenerator

    sizes = ((16, 32, 48),) * 3
    return {"rpn_anchor_generator": AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 3)}


def _decided(model, *heads, gain=1.0):
    """With weights that keep signals alive: untrained, all objects score the same.

    Args:
        model: a detector.
        heads: those of its modules that tell classes, masks or joints.
        gain: how far apart they are told.
    """
    import torch

    torch.manual_seed(5)
    for module in (model.backbone, *heads):
        for layer in module.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear | torch.nn.ConvTranspose2d):
                torch.nn.init.kaiming_normal_(layer.weight)
                layer.weight.data *= gain if module is not model.backbone else 1
    return model


def export(case, how, path):
    """Scripted, they take a list of images; traced to ONNX, what they are given for it."""
    import torch

    model = case.make().eval()
    batch = torch.from_numpy(case.view.input())
    given = [batch[0]] if case.make is ssd else batch  # torchvision's own way, and ours
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        if how == TORCHSCRIPT:
            torch.jit.save(torch.jit.script(model), str(path))
        else:
            torch.onnx.export(model, (given,), str(path), dynamo=False)
    return path


def _case(name, task, outputs, kind, labels, make, **extra):
    return Case(
        f"torchvision {name}", task, outputs, kind, labels, make,
        functools.partial(torchvision, **extra), View(), formats=(ONNX, TORCHSCRIPT), real=True,
        needs="torchvision", export=export,
    )  # fmt: skip


BOXES = "`boxes` (N, 4), `labels`, `scores`"
ALONE = "`boxes` (N, 4), `scores`, `labels`, of one image (C, H, W)"
CASES = [
    _case(
        "SSDLite", "object detection", ALONE, InferenceType.OBJECT_DETECTION, CLASSES, ssd
    ),
    _case(
        "Faster R-CNN", "object detection", BOXES, InferenceType.OBJECT_DETECTION, CLASSES,
        faster_rcnn,
    ),
    _case(
        "Mask R-CNN", "instance segmentation, masks", "the same, `masks` (N, 1, H, W)",
        InferenceType.MASK, CLASSES, mask_rcnn, extra="masks",
    ),
    _case(
        "Keypoint R-CNN", "keypoints", "the same, `keypoints` (N, K, 3)",
        InferenceType.KEYPOINT, 1, keypoint_rcnn, extra="keypoints",
    ),
]  # fmt: skip
