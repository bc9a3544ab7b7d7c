"""Deploying and serving against a quota of MPU, with real serving kernels."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import QuotaSpentError
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey

A_SECOND = 3600.0
"""MPU an hour: one a second."""


def awaited(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def session(home: Path) -> Session:
    made = Session(home=home)
    made.set_rate(A_SECOND)
    return made


def test_with_no_quota_left_serving_is_refused_and_monitoring_is_not(session: Session):
    session.set_quota(session.usage().used)

    with pytest.raises(QuotaSpentError) as refused:
        session.deploy("digits-detector", name="refused")

    assert refused.value.fact.startswith("No MPU is left for Picsellia Serving: ")
    assert "--strategy monitoring" in refused.value.remedy
    assert [record.name for record in session.platform.deployments()] == []
    session.deploy("digits-detector", name="free", strategy="monitoring")
    session.undeploy("free", delete=True)


def test_what_is_spent_pauses_a_deployment_and_a_raised_quota_resumes_it(session: Session):
    page = catalog.pages()[0]
    session.set_quota(session.usage().used + 4)
    deployed = session.deploy("digits-detector", name="metered")

    awaited(lambda: deployed.refresh().state is ServingState.PAUSED)
    assert deployed.record.reason.startswith("No MPU is left for Picsellia Serving: ")
    with pytest.raises(QuotaSpentError, match="No MPU is left"):
        deployed.predict(page)
    spent = session.usage()
    assert spent.left == 0
    assert spent.used == spent.data.quota

    session.set_quota(None)
    awaited(lambda: deployed.refresh().state is ServingState.READY)
    assert len(deployed.predict(page)) == 1
    session.undeploy("metered", delete=True)
    assert [one.name for one in session.usage().data.by_deployment()] == ["metered"]
    assert session.usage().used > spent.used
