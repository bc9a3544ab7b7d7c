import dataclasses
import json

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.wire.reports import report_from_json, report_to_json
from tests.display.reports import full, report


def plain(value):
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.tolist())
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("one", [full(), report(0), report(3)])
def test_a_report_survives_the_wire(one):
    assert plain(report_from_json(json.loads(json.dumps(report_to_json(one))))) == plain(one)


def test_another_shape_is_said():
    with pytest.raises(PlatformError, match="unknown shape"):
        report_from_json({**report_to_json(report(3)), "alerts": [{"nonsense": 1}]})
