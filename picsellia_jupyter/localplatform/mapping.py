"""The heatmap of predicted shapes, made when it is asked for."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.predictions import Detections, Points, Prediction, considered
from picsellia_jupyter.domain.registry import InferenceType, label_name
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.statistics import Selection, chosen_predictions, is_tagged
from picsellia_jupyter.localplatform.tables.deployments import Prediction as Row
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json, from_raw
from picsellia_jupyter.workflows.heatmaps import heatmap

NEWEST = 5_000
"""Images that are looked at: geometry is not added up, and reading it takes a while."""
WITHOUT = (InferenceType.CLASSIFICATION, InferenceType.MASK)
"""Types whose predictions have no place in their image."""


def shapes_map(
    session: Session, chosen: Selection, *, label: str | None, newest: int = NEWEST
) -> Json:
    """How many shapes over the threshold touch each cell, of the newest images chosen.

    Args:
        session: reads.
        chosen: which predictions.
        label: only shapes of this label; None takes all.
        newest: images that are looked at.

    Raises:
        InvalidInputError: the deployment's predictions have no places in their images.
        NotFoundError: there is no such label.
    """
    kind = InferenceType(chosen.deployment.type)
    if kind in WITHOUT:
        raise InvalidInputError(
            f"Predictions of type {kind.value} have no rectangle in their image.",
            "Ask for the heatmap of a deployment that finds boxes, polygons, lines or points.",
        )
    version = session.get_one(ModelVersion, chosen.deployment.model_version_id)
    names = label_names(version)
    if label is not None and label not in names.values():
        raise NotFoundError.named("label", label, list(names.values()))
    query = select(Row.raw, Row.width, Row.height, Row.tags).where(*chosen_predictions(chosen))
    found_rows = session.execute(query.order_by(Row.at.desc()).limit(newest))
    rows = [row for row in found_rows if is_tagged(row.tags, chosen.tags)]
    found = [
        considered(from_raw(kind, row.raw), threshold=chosen.deployment.min_threshold)
        for row in rows
    ]
    if label is not None:
        found = [
            one.take(np.array([label_name(names, int(c)) == label for c in one.classes], bool))
            for one in found
        ]
    cells = heatmap([extents(one) for one in found], [(row.width, row.height) for row in rows])
    return {
        "label": label,
        "cells": cells.tolist(),
        "images": len(rows),
        "shapes": sum(map(len, found)),
    }


def extents(found: Prediction) -> NDArray[np.float64]:
    """(N, 4) left, top, right, bottom of the upright rectangles around N shapes."""
    if isinstance(found, Detections):
        return found.boxes_xyxy.astype(np.float64)
    if isinstance(found, Points):
        return np.tile(found.points.astype(np.float64), 2)
    paths = cast("tuple[NDArray[np.float32], ...]", getattr(found, str(found.geometry)))
    corners = [(*path[:, :2].min(axis=0), *path[:, :2].max(axis=0)) for path in paths]
    return np.array(corners, np.float64).reshape(-1, 4)
