"""The wait for a prediction, over a platform that has one after a while."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.predictions import ImageSize, Points, PredictedImage
from picsellia_jupyter.handles.recorded import wait_for_prediction
from tests.workflows.test_interconnection import RECORD

FOUND = PredictedImage(
    "image.jpg",
    ImageSize(640, 480),
    Points(np.array([0, 1]), np.array([0.9, 0.05], np.float32), np.zeros((2, 2), np.float32)),
    0.02,
    "0192",
)


class Recorder:
    """Has a prediction when it was asked often enough."""

    def __init__(self, asked_before: float, inferences: int = 0) -> None:
        self.asked = 0
        self._asked_before = asked_before
        self._inferences = inferences

    def newest_prediction(self, record):
        self.asked += 1
        return (FOUND, b"jpeg") if self.asked > self._asked_before else None

    def deployment(self, deployment_id):
        return replace(RECORD, inferences=self._inferences)


def test_the_first_prediction_is_waited_for():
    recorder = Recorder(asked_before=2)

    recorded = wait_for_prediction(recorder, RECORD, 60, ask_every_s=0)

    assert recorder.asked == 3
    assert recorded.image is FOUND
    assert recorded.found.scores.tolist() == [np.float32(0.9)]
    assert repr(recorded) == (
        "image.jpg · 640 × 480 px · 1 of 2 objects over threshold 0.1 · 20 ms"  # noqa: RUF001
    )


def test_predictions_without_images_are_told_from_none_at_all():
    with pytest.raises(NotFoundError, match="has 3 predictions, but none was stored") as told:
        wait_for_prediction(Recorder(float("inf"), inferences=3), RECORD, 0)
    assert "sample=True" in told.value.remedy

    with pytest.raises(NotFoundError, match="No prediction of 'my-line' has come in 0 s"):
        wait_for_prediction(Recorder(float("inf")), RECORD, 0)
