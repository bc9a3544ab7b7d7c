"""DETR and RT-DETR: contracts, and the models of Hugging Face transformers themselves."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.case import ONNX, TORCH_EXPORT, Case, Expected
from tests.serving.toolchains.reference import FLOOR, corners, likeliest, seen, sigmoid, softmax
from tests.serving.toolchains.view import View

CLASSES, QUERIES = 3, 20
BOXES = InferenceType.OBJECT_DETECTION
NAMES = ("logits", "pred_boxes")


class Queries(nn.Module):
    """Boxes and class logits with random weights from the photo's own pixels."""

    classes = CLASSES

    def __init__(self):
        super().__init__()
        torch.manual_seed(11)
        self.logits = nn.Linear(3 * 64, QUERIES * self.classes)
        self.boxes = nn.Linear(3 * 64, QUERIES * 4)
        nn.init.normal_(self.logits.weight, std=0.3)
        nn.init.normal_(self.boxes.weight, std=0.2)

    def forward(self, images):
        seen = functional.avg_pool2d(images, 8).flatten(1)
        logits = self.logits(seen).reshape(1, QUERIES, -1)
        return logits, self.boxes(seen).sigmoid().reshape(1, QUERIES, 4)


class WithNoObject(Queries):
    classes = CLASSES + 1


class Together(Queries):
    def forward(self, images):
        logits, boxes = super().forward(images)
        return torch.cat([boxes, logits.sigmoid()], -1)


class EndToEnd(Queries):
    """As RT-DETR, D-FINE and DEIM are deployed: told the size that boxes are wanted in."""

    def forward(self, images, orig_target_sizes):
        logits, boxes = super().forward(images)
        scores, labels = logits.sigmoid().max(-1)
        half = boxes[..., 2:] / 2
        corners = torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)
        return labels, corners * orig_target_sizes.repeat(1, 2)[:, None], scores


class Named(nn.Module):
    """A transformers model, with the two outputs that are read."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        found = self.model(pixel_values=images)
        return {"logits": found.logits, "pred_boxes": found.pred_boxes}


def detr_of_transformers():
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic",
        out_features=["stage2"],
    )  # fmt: skip
    torch.manual_seed(2)
    return Named(
        DetrForObjectDetection(
            DetrConfig(
                use_timm_backbone=False, use_pretrained_backbone=False, backbone=None,
                backbone_config=backbone, d_model=32, encoder_layers=1, decoder_layers=1,
                encoder_ffn_dim=32, decoder_ffn_dim=32, encoder_attention_heads=2,
                decoder_attention_heads=2, num_queries=QUERIES, num_labels=CLASSES,
            )
        )
    )  # fmt: skip


def rt_detr_of_transformers():
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

    backbone = RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16], depths=[1, 1, 1], layer_type="basic",
        out_features=["stage1", "stage2", "stage3"],
    )  # fmt: skip
    torch.manual_seed(2)
    return _decided(
        RTDetrForObjectDetection(
            RTDetrConfig(
                backbone_config=backbone, d_model=32, encoder_hidden_dim=32,
                encoder_in_channels=[8, 16, 16], feat_strides=[4, 8, 16],
                decoder_in_channels=[32, 32, 32], encoder_ffn_dim=32, decoder_ffn_dim=32,
                encoder_attention_heads=2, decoder_attention_heads=2, decoder_layers=1,
                num_queries=QUERIES, num_labels=CLASSES, num_denoising=0, num_feature_levels=3,
                anchor_image_size=None, eval_size=None,
            )
        )
    )  # fmt: skip


def _decided(model):
    """With larger weights: untrained, all queries score the same, and rounding sorts them."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    for layer in (model.model.enc_score_head, *model.model.decoder.class_embed):
        nn.init.normal_(layer.weight, std=1.0)
    return Named(model)


def _placed(rows, classes, scores, boxes, view):
    drawn = view.boxes_back(np.array([corners(boxes[row]) for row in rows]) * view.side)
    order = sorted(range(len(rows)), key=lambda k: -scores[k])
    kept = [k for k in order if k in set(seen(drawn))]
    return Expected([classes[k] for k in kept], [scores[k] for k in kept], drawn[kept])


def detr(outputs, view):
    probable = softmax(outputs["logits"][0])[:, :-1]
    return _placed(*likeliest(probable), outputs["pred_boxes"][0], view)


def rt_detr(outputs, view):
    return _every(sigmoid(outputs["logits"][0]), outputs["pred_boxes"][0], view)


def together(outputs, view):
    rows = outputs["output0"][0]
    return _every(rows[:, 4:], rows[:, :4], view)


def end_to_end(outputs, view):
    scores = outputs["scores"][0]
    rows = np.flatnonzero(scores >= FLOOR)
    drawn = view.boxes_back(outputs["boxes"][0][rows])
    order = sorted(range(len(rows)), key=lambda k: -scores[rows[k]])
    kept = [k for k in order if k in set(seen(drawn))]
    classes = outputs["labels"][0][rows]
    return Expected([int(classes[k]) for k in kept], [scores[rows[k]] for k in kept], drawn[kept])


def target_sizes(view):
    return {"orig_target_sizes": np.array([[view.side, view.side]], np.int64)}


def _every(scores, boxes, view):
    rows, classes = np.nonzero(scores >= FLOOR)
    return _placed(rows.tolist(), classes.tolist(), scores[rows, classes].tolist(), boxes, view)


STRETCHED, NORMALISED = View(resize="stretch"), View(resize="stretch", imagenet=True)
DETECT, HF = "object detection", "transformers"


def _case(toolchain, outputs, make, expected, view, **more):
    names = more.pop("names", NAMES)
    return Case(toolchain, DETECT, outputs, BOXES, CLASSES, make, expected, view, names, **more)


PAIR, SINGLE = "`logits` (1, Q, {}), `pred_boxes` (1, Q, 4)", "(1, Q, 4 + C)"
CASES = [
    _case(
        "Hugging Face DETR", PAIR.format("C + 1"), detr_of_transformers, detr, NORMALISED,
        real=True, needs=HF, formats=(ONNX, TORCH_EXPORT),
    ),
    _case(
        "Hugging Face RT-DETR", PAIR.format("C"), rt_detr_of_transformers, rt_detr, STRETCHED,
        real=True, needs=HF, formats=(ONNX, TORCH_EXPORT),
    ),
    _case("DETR", PAIR.format("C + 1"), WithNoObject, detr, NORMALISED),
    _case("RT-DETR", PAIR.format("C"), Queries, rt_detr, STRETCHED),
    _case(
        "Ultralytics RT-DETR", SINGLE, Together, together, STRETCHED, names=("output0",)
    ),
    _case(
        "RT-DETR, D-FINE, DEIM as deployed", "`labels` (1, Q), `boxes` (1, Q, 4), `scores` (1, Q)",
        EndToEnd, end_to_end, STRETCHED, names=("labels", "boxes", "scores"), formats=(ONNX,),
        beside=target_sizes,
    ),
]  # fmt: skip
