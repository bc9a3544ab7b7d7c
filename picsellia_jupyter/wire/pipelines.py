"""The circle of a deployment as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.pipelines import Newest, PipelineFacts, RunNow


def facts_from_json(raw: Mapping[str, Any]) -> PipelineFacts:
    """Read what the platform knows; what a newer one adds is passed over."""
    known = {field.name for field in dataclasses.fields(PipelineFacts)}
    told = {name: value for name, value in raw.items() if name in known}
    run, newest = raw.get("run"), raw.get("newest")
    told["run"] = RunNow(**run) if run else None
    told["newest"] = Newest(**newest) if newest else None
    return PipelineFacts(**told)
