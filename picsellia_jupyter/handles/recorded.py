"""A prediction that the platform has recorded, and the wait for one."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.predictions import PredictedImage, Prediction, considered
from picsellia_jupyter.handles.live import LiveOutput

if TYPE_CHECKING:
    from picsellia_jupyter.display.embedding import Shown

ASK_EVERY_S = 1.0


class Recorder(Protocol):
    """The platform, as far as it is asked for recorded predictions."""

    def newest_prediction(self, record: DeploymentRecord) -> tuple[PredictedImage, bytes] | None:
        """What was found last, and the encoded image it is about."""

    def deployment(self, deployment_id: str) -> DeploymentRecord:
        """The deployment as it is now."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedPrediction:
    """One prediction of a deployment, with its image; shows itself as a picture."""

    image: PredictedImage
    """Everything that was found, with raw scores."""
    photo: bytes = field(repr=False)
    """The encoded image."""
    labels: Mapping[int, str]
    threshold: float | None

    @property
    def found(self) -> Prediction:
        """What was scored over the deployment's threshold."""
        return considered(self.image.found, threshold=self.threshold)

    def __repr__(self) -> str:
        from picsellia_jupyter.display import captions

        return captions.caption_text(self.image, self.labels, self.threshold)

    def shown(self) -> Shown:
        """What pictures are made of."""
        from picsellia_jupyter.display.embedding import Shown

        return Shown(self.image, functools.partial(bytes, self.photo))

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import pictures

        html = pictures.predicted_image_html(self.shown(), self.labels, self.threshold)
        return {"text/html": html, "text/plain": repr(self)}


def wait_for_prediction(
    platform: Recorder,
    record: DeploymentRecord,
    timeout_s: float,
    *,
    ask_every_s: float = ASK_EVERY_S,
) -> RecordedPrediction:
    """The newest prediction of a deployment; the first one is waited for.

    Raises:
        NotFoundError: none has come in time.
    """
    from picsellia_jupyter.display import guides

    output, began = LiveOutput(), time.monotonic()
    while (newest := platform.newest_prediction(record)) is None:
        waited_s = time.monotonic() - began
        if waited_s >= timeout_s:
            raise _none_came(platform.deployment(record.id), timeout_s)
        said = guides.waiting_text(record.name, waited_s, timeout_s)
        output.show(guides.waiting_html(said), said)
        time.sleep(min(ask_every_s, timeout_s - waited_s))
    said = guides.arrived_text(record.name)
    output.show(guides.waiting_html(said), said, last=True)
    return RecordedPrediction(*newest, labels=record.labels, threshold=record.threshold)


def _none_came(record: DeploymentRecord, timeout_s: float) -> NotFoundError:
    from picsellia_jupyter.display import guides

    name = record.name
    if record.inferences:
        return NotFoundError(
            f"{name!r} has {record.inferences:,} predictions, but none was stored with its image.",
            "Its sample rate leaves images out; raise it, or send with sample=True.",
        )
    return NotFoundError(
        f"No prediction of {name!r} has come in {timeout_s:g} s.",
        f"Run the code of {guides.line(name)} where your model runs; it prints what went wrong.",
    )
