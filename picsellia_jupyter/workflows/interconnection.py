"""The code that connects a user's own serving infrastructure to a deployment."""

from __future__ import annotations

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.registry import InferenceType

_FORMATS = {
    InferenceType.CLASSIFICATION: ("ClassificationPredictionFormat", ""),
    InferenceType.OBJECT_DETECTION: (
        "DetectionPredictionFormat",
        "detection_boxes=boxes,  # [[top, left, bottom, right], …], whole pixels",
    ),
    InferenceType.SEGMENTATION: (
        "SegmentationPredictionFormat",
        "detection_masks=polygons,  # [[[x, y], …], …], whole pixels",
    ),
    InferenceType.LINE: ("LinePredictionFormat", "lines=lines,  # [[[x, y], …], …], whole pixels"),
    InferenceType.POINT: ("PointPredictionFormat", "points=points,  # [[x, y], …], whole pixels"),
    InferenceType.KEYPOINT: (
        "KeypointPredictionFormat",
        "keypoints=keypoints,  # [[[x, y, visibility], …], …], whole pixels",
    ),
    InferenceType.MASK: ("MaskPredictionFormat", "detection_masks=masks,  # COCO RLE strings"),
}


def interconnection_code(record: DeploymentRecord, host: str) -> str:
    """Python that sends each prediction of a user's own infrastructure to the deployment.

    It needs the official SDK alone and reads the API token from `PICSELLIA_TOKEN`.
    """
    name, geometry = _FORMATS[record.type]
    lines = [
        "from picsellia import Client  # reads the token from PICSELLIA_TOKEN",
        f"from picsellia.types.schemas_prediction import {name}",
        "",
        f"client = Client(host={host!r})",
        f"deployment = client.get_deployment({record.name!r})",
        "",
        "# after each prediction of your own model:",
        "deployment.monitor(",
        "    image_path,  # a JPEG or PNG file",
        "    latency=float(seconds),",
        "    height=height,",
        "    width=width,",
        f"    prediction={name}(",
        "        detection_classes=classes,  # [0, 3, …]: indices of the model's labels",
        "        detection_scores=scores,  # [0.98, 0.71, …]",
        *([f"        {geometry}"] if geometry else []),
        "    ),",
        ")",
    ]
    return "\n".join(lines)
