"""The code that connects a user's own serving infrastructure to a deployment."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.registry import InferenceType

_WIDTH, _HEIGHT = 640, 480
"""Of the image that the curl commands are written for, pixels."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What connects a user's own server to a deployment."""

    deployment_id: str
    name: str
    type: InferenceType
    labels: Mapping[int, str]
    host: str
    """The platform's address."""
    monitoring_host: str
    """Address of its monitoring service."""
    organization: str | None = None
    """Its name, where it is not the token's default one."""

    @classmethod
    def of(
        cls, record: DeploymentRecord, host: str, monitoring_host: str, organization: str | None
    ) -> Wiring:
        """What connects to a deployment of a platform.

        Raises:
            InvalidInputError: the SDK has no format for what it predicts.
        """
        if record.type not in _FORMATS:
            raise InvalidInputError(
                f"{record.name!r} is of the type {record.type.title}, whose predictions the SDK "
                "cannot send.",
                f"It sends {', '.join(kind.title for kind in _FORMATS)}.",
            )
        return cls(
            record.id, record.name, record.type, record.labels, host, monitoring_host, organization
        )


@dataclass(frozen=True, slots=True)
class _Format:
    """How the SDK wants the predictions of a type."""

    name: str
    """Of the SDK's class."""
    geometry: str = ""
    """The list that holds the shapes."""
    example: object = None
    """One shape, within any image of 220 x 110 pixels."""
    comment: str = ""
    before: tuple[str, ...] = field(default=())
    """Lines that make the shape."""


_FORMATS = {
    InferenceType.CLASSIFICATION: _Format("ClassificationPredictionFormat"),
    InferenceType.OBJECT_DETECTION: _Format(
        "DetectionPredictionFormat",
        "detection_boxes",
        [10, 20, 110, 220],
        "[top, left, bottom, right]",
    ),
    InferenceType.SEGMENTATION: _Format(
        "SegmentationPredictionFormat",
        "detection_masks",
        [[20, 10], [220, 10], [120, 110]],
        "[x, y] of each corner",
    ),
    InferenceType.LINE: _Format(
        "LinePredictionFormat", "lines", [[20, 10], [120, 110], [220, 10]], "[x, y] of each point"
    ),
    InferenceType.POINT: _Format("PointPredictionFormat", "points", [120, 60], "[x, y]"),
    InferenceType.KEYPOINT: _Format(
        "KeypointPredictionFormat",
        "keypoints",
        [[20, 10, 2], [120, 110, 1], [220, 10, 0]],
        "[x, y, visibility]: 2 visible, 1 hidden, 0 absent",
    ),
    InferenceType.MASK: _Format(
        "MaskPredictionFormat",
        "detection_masks",
        None,
        "COCO run-length code",
        (
            "mask = numpy.zeros((image.height, image.width), numpy.uint8, order='F')",
            "mask[10:110, 20:220] = 1",
            "code = encode(mask)['counts'].decode()",
        ),
    ),
}


def python_code(wiring: Wiring) -> str:
    """A program that sends the predictions of a user's own model to the deployment.

    It needs the official SDK and Pillow (and pycocotools for masks), reads the API token
    from `PICSELLIA_TOKEN`, and sends a made-up prediction of `image.jpg` as it stands.
    """
    form = _FORMATS[wiring.type]
    masks = wiring.type is InferenceType.MASK
    needs = "picsellia pillow pycocotools" if masks else "picsellia pillow"
    organization = (
        f", organization_name={wiring.organization!r}" if wiring.organization is not None else ""
    )
    lines = [
        f"# Sends each prediction of your own server to the deployment {wiring.name!r}.",
        f"# Needs: pip install {needs}; your API token in PICSELLIA_TOKEN.",
        "import time",
        "",
        *(["import numpy"] if masks else []),
        "from picsellia import Client",
        f"from picsellia.types.schemas_prediction import {form.name}",
        "from PIL import Image",
        *(["from pycocotools.mask import encode"] if masks else []),
        "",
        f"client = Client(host={wiring.host!r}{organization})",
        f"deployment = client.get_deployment_by_id({wiring.deployment_id!r})",
        "deployment.retrieve_information()  # fails now, not later, if monitoring is out of reach",
        "",
        "",
        "def predict(image):",
        '    """Put your own model here; this is a made-up object. Coordinates: whole pixels."""',
        *(f"    {line}" for line in form.before),
        f"    return {form.name}(",
        f"        detection_classes=[0],  # {_labels(wiring.labels)}",
        "        detection_scores=[0.9],  # in [0, 1]",
        *([f"        {_geometry(form)}"] if form.geometry else []),
        "    )",
        "",
        "",
        "def predict_and_send(path):",
        '    """Predict on a JPEG or PNG file; monitoring that fails does not stop your server."""',
        "    with Image.open(path) as image:",
        "        began = time.perf_counter()",
        "        prediction = predict(image)",
        "        latency = time.perf_counter() - began",
        "        width, height = image.size",
        "    try:",
        "        sent = deployment.monitor(path, latency, height, width, prediction)",
        "        print(f\"{path} is recorded as prediction {sent['id']}\")",
        "    except Exception as error:",
        '        print(f"{path} is not recorded: {type(error).__name__}: {error}")',
        "    return prediction",
        "",
        "",
        'predict_and_send("image.jpg")',
    ]
    return "\n".join(lines)


def curl_code(wiring: Wiring) -> str:
    """The same as shell commands: `curl`, `base64` and `sed` are all they need.

    They send `image.jpg`, of 640 x 480 pixels, with a made-up prediction. The API token is in
    no command line, where other users of the machine could read it.
    """
    base = wiring.monitoring_host.rstrip("/")
    login = json.dumps({"api_token": "%s", "deployment_id": wiring.deployment_id})
    body = (
        '{"filename": "%s", "content_type": "IMAGE/JPEG", "width": %s, "height": %s, '
        '"latency": %s, "raw_predictions": %s, "image": "%s"}'
    )
    post = (
        "curl --silent --show-error --retry 3 --max-time 60 "
        "--header 'Content-Type: application/json' --data-binary @-"
    )
    lines = [
        f"# Sends one prediction to the deployment {wiring.name!r}.",
        ': "${PICSELLIA_TOKEN:?set it to your API token}"',
        f"image=image.jpg width={_WIDTH} height={_HEIGHT} latency=0.02",
        f"prediction={shlex.quote(json.dumps(_raw(wiring.type)))}",
        "",
        f'reply=$(printf {shlex.quote(login)} "$PICSELLIA_TOKEN" |',
        f"  {post} {shlex.quote(base + '/api/auth/login')})",
        'token=$(printf %s "$reply" | sed -n \'s/.*"jwt": *"\\([^"]*\\)".*/\\1/p\')',
        'if [ -z "$token" ]; then echo "Not logged in: $reply" >&2; else',
        f"printf {shlex.quote(body)} \\",
        '  "$image" "$width" "$height" "$latency" "$prediction" \\',
        '  "$(base64 < "$image" | tr -d \'\\n\')" |',
        f'  {post} --header "Authorization: Bearer $token" \\',
        f"  {shlex.quote(f'{base}/api/deployment/{wiring.deployment_id}/predictions')}; fi",
    ]
    return "\n".join(lines)


def _geometry(form: _Format) -> str:
    shape = "code" if form.before else repr(form.example)
    return f"{form.geometry}=[{shape}],  # {form.comment}"


def _labels(labels: Mapping[int, str]) -> str:
    # Quoted as Python does, so that no name ends the comment that it stands in.
    shown = ", ".join(f"{index} is {labels[index]!r}" for index in sorted(labels)[:3])
    return f"{shown}{', …' if len(labels) > 3 else ''}" or "indices of the model's labels"


def _raw(kind: InferenceType) -> dict[str, object]:
    form = _FORMATS[kind]
    raw: dict[str, object] = {"detection_classes": [0], "detection_scores": [0.9]}
    if kind is InferenceType.MASK:
        mask = np.ones((100, 200), bool)
        raw[form.geometry] = [rle.encode(mask, ImageSize(_WIDTH, _HEIGHT), left=20, top=10)]
    elif form.geometry:
        raw[form.geometry] = [form.example]
    return raw
