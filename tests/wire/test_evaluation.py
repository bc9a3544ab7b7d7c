from __future__ import annotations

import json

import pytest

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire.evaluation import report_from_json, report_to_json
from picsellia_jupyter.workflows.evaluation import reports
from tests.workflows.evaluation.reviewed import classes, image, many, subject

CLASSES = [image(classes(("one", 1.0)), classes(("two", 0.6), ("one", 0.4))) for _ in range(20)]


@pytest.mark.parametrize(
    ("images", "kind"),
    [
        (many(30), InferenceType.OBJECT_DETECTION),
        (CLASSES, InferenceType.CLASSIFICATION),
        ([], InferenceType.OBJECT_DETECTION),
    ],
)
def test_a_report_comes_back_as_it_went(images, kind):
    report = reports.report(images, subject(kind, threshold=None))
    spelled = json.dumps(report_to_json(report), allow_nan=False)
    again = report_from_json(json.loads(spelled))
    assert json.dumps(report_to_json(again)) == spelled
    assert again.coverage == report.coverage
    assert again.comparison == report.comparison
    assert [one.best for one in again.labels] == [one.best for one in report.labels]


@pytest.mark.parametrize("missing", ["stats", "coverage", "labels"])
def test_another_shape_is_said_to_be_unknown(missing):
    raw = report_to_json(reports.report(many(3), subject()))
    del raw[missing]
    with pytest.raises(PlatformError, match=f"unknown shape .*{missing}"):
        report_from_json(raw)
