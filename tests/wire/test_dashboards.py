import json

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.wire.dashboards import dashboard_from_json, dashboard_to_json
from picsellia_jupyter.workflows.metrics import summarize


def made():
    log = PredictionLog(
        np.array([1.0, 2.0]), np.array([0.1, 0.3]), np.array([0, 1]), np.array([0, 5]),
        np.array([0.9, 0.2]),
    )  # fmt: skip
    return summarize(
        log, deployment="d", labels={0: "zero"}, threshold=0.1, since=0.0, until=9.0, bins=3
    )


def test_a_dashboard_comes_back_whole():
    raw = dashboard_to_json(made())
    assert dashboard_to_json(dashboard_from_json(json.loads(json.dumps(raw)))) == raw
    assert raw["label_counts"] == [["zero", 1], ["class 5", 1]]
    assert raw["predictions_over_time"] == {"edges": [0, 3, 6, 9], "counts": [2, 0, 0]}


def test_another_shape_is_refused_with_a_remedy():
    with pytest.raises(PlatformError, match="dashboard has an unknown shape") as refused:
        dashboard_from_json({"deployment": "d"})
    assert "picsellia-jupyter platform stop" in refused.value.remedy
