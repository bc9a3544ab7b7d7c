"""Predictions straight into the database, as recording them leaves it; much faster."""

import uuid

import numpy as np
from sqlalchemy import insert as inserting

from picsellia_jupyter.localplatform.folding import note_pending
from picsellia_jupyter.localplatform.tables.base import table_of
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction


def insert(world, deployment, at, scores, classes, *, size=(48, 32)):
    """One shape in each prediction; `scores` and `classes` are (N,) or one number."""
    at = np.asarray(at, float)
    scores, classes = np.broadcast_to(scores, at.shape), np.broadcast_to(classes, at.shape)
    with world.platform.store.writing() as session:
        version = session.get_one(Deployment, deployment["id"]).model_version_id
        rows = [
            {
                "id": str(uuid.uuid4()), "oracle_prediction_id": str(uuid.uuid4()),
                "deployment_id": deployment["id"], "model_version_id": version,
                "is_shadow": False, "predicted_asset_id": None, "at": float(moment),
                "latency": 0.01, "width": size[0], "height": size[1], "source": None, "tags": [],
                "classes": np.int64([index]).tobytes(),
                "scores": np.float64([score]).tobytes(), "created_at": float(moment),
                "raw": {
                    "detection_classes": [int(index)], "detection_scores": [float(score)],
                    "detection_boxes": [[2, 1, 20, 30]],
                },
            }
            for moment, score, index in zip(at, scores, classes, strict=True)
        ]  # fmt: skip
        session.connection().execute(inserting(table_of(Prediction)), rows)
        note_pending(session, [row["id"] for row in rows])
