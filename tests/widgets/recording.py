"""Predictions recorded through the unmodified SDK, as a user's own server does."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from picsellia_jupyter.session import Session


def record_pages(session: Session, name: str, folder: Path, count: int, **options) -> None:
    """Have a detector's deployment record images `page-0.png`, … each with one box of class 3."""
    from picsellia.types.schemas_prediction import DetectionPredictionFormat

    deployment = session.sdk.get_deployment(name)
    for number in range(count):
        path = folder / f"page-{number}.png"
        Image.new("RGB", (64, 48), (200, 9 * number % 255, 90)).save(path)
        found = DetectionPredictionFormat(
            detection_classes=[3],
            detection_scores=[0.05 + 0.9 * number / max(count - 1, 1)],
            detection_boxes=[[4, 5, 30, 40]],
        )
        deployment.monitor(
            str(path), latency=0.02, height=48, width=64, prediction=found, sample=True, **options
        )
