"""What a deployment goes through, as its serving kernel and its runner would tell the platform."""

from __future__ import annotations

from picsellia_jupyter.clients.runners import RunnerClient
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.session import Session


def report(session: Session, deployment: Deployment, state: str, reason: str) -> None:
    """Say what a serving kernel says of itself."""
    kernel = {"kernel_id": "k", "address": "http://127.0.0.1:1", "place": "gpu1", "pid": 1}
    beat = {"state": state, "reason": reason, "kernel": kernel, "claim": True}
    path = f"/api/local/deployments/{deployment.id}/heartbeat"
    session.platform._send("post", path, beat)


def train(session: Session, deployment: Deployment, place: str) -> RunnerClient:
    """Begin a training run, and be its runner: two cells of five are done."""
    platform = session.platform
    run = platform.start_training(deployment.record, place=place)
    client = RunnerClient.connect(
        platform.host,
        platform.token,
        platform.organization_name,
        run=run.id,
        name="a-runner-of-tests",
    )
    client.claim()
    client.beat(0.4, "training", 1)
    return client
