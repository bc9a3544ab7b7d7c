"""What is said of a deployment that no serving kernel serves."""

from __future__ import annotations

from dataclasses import replace

from picsellia_jupyter.domain.deployments import (
    DeploymentRecord,
    ServingKernel,
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.handles.deployed import not_served

KERNEL = ServingKernel("http://127.0.0.1:1", "k", "gpu1")
STOPPED = DeploymentRecord(
    "d", "line", InferenceType.OBJECT_DETECTION, Strategy.SERVING, ServingState.STOPPED, "v", "m:1",
    0.1, "lake", serving=KERNEL, reason="stopped",
)  # fmt: skip


def test_it_is_served_again_where_it_was_served():
    error = not_served(STOPPED)

    assert error.fact == "'line' has no serving kernel (stopped)."
    assert error.remedy == "Serve it with: %deploy m:1 --strategy serving --on gpu1 --name line"


def test_a_reason_that_says_more_than_the_state_is_told():
    error = not_served(replace(STOPPED, reason="idle for 12h", serving=None))

    assert error.fact == "'line' has no serving kernel (stopped: idle for 12h)."
    assert "--on local" in error.remedy
