"""Monitoring only on the cloud, served by a kernel of ours on this machine."""

from __future__ import annotations

import re

import httpx
import pytest

from picsellia_jupyter.demo.catalog import pages
from picsellia_jupyter.domain.deployments import ServingState, Strategy
from picsellia_jupyter.domain.errors import InvalidInputError, NotServingError

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def user(started, tmp_path_factory):
    """A session that lives as long as its kernels."""
    return started.session(tmp_path_factory.mktemp("user"))


@pytest.fixture(scope="module")
def served(user):
    """A detector that is served here and monitored on the cloud."""
    made = user.deploy(
        "digits-detector", strategy="monitoring", on="local", threshold=0.3, name="here", workers=1
    )
    yield made
    user.undeploy("here", delete=True)


def test_it_is_served_here(served, cloud):
    record = served.refresh()

    assert (record.state, record.strategy) == (ServingState.READY, Strategy.MONITORING)
    assert record.serving is not None
    assert record.serving.place == "local"
    assert served.record.url == f"{cloud.host}/deployment/{record.id}"
    assert "Runs on" in repr(served)


def test_predictions_are_recorded_once(served, user):
    before = user.platform.count_recorded(served.id)

    found = served.predict(pages()[:12], tags=["line-1"])

    assert min(len(image.found) for image in found) > 10
    assert served.flush().in_words() == ""
    assert user.platform.count_recorded(served.id) == before + 12
    assert served.duplicates() == {}


def test_the_cross_check_has_what_the_kernel_counted(served):
    before = served.dashboard("1h").data.ours.running
    served.predict(pages()[:2])
    served.flush()

    shown = served.dashboard("1h")

    now = shown.data.ours.running
    assert now.predicted - before.predicted == now.recorded - before.recorded == 2
    assert now.failed == before.failed
    assert now.latency_s > before.latency_s
    assert f"{now.predicted:,} predicted, {now.failed} failed" in repr(shown)


def test_this_notebook_watches_its_alerts_and_says_so(served, user):
    served.alerts.add("average latency > 0 ms over 10 min", name="slow")
    served.alerts.add("drift over 24 h", name="drifts")
    served.predict(pages()[0])

    alerts = user.deployment("here").alerts

    assert alerts["slow"].state == "firing"
    assert alerts["slow"].value > 0
    assert alerts["drifts"].reason.endswith("have no 'is_drift'")
    told = repr(alerts)
    assert "Watched by this notebook while it is open, every 10 s, and by nobody else." in told
    assert served.record.url in told
    assert re.search(r"Alerts +1 of 2 firing: slow", repr(served))
    with pytest.raises(InvalidInputError, match="A notebook sends no messages"):
        alerts.add("no traffic for 1 h", webhook="https://hooks.example.com/x")
    with pytest.raises(InvalidInputError, match="no messages"):
        alerts.test("slow")
    with pytest.raises(InvalidInputError, match="does not see the latency of single predictions"):
        alerts.add("latency > 1 s")
    with pytest.raises(InvalidInputError, match="'avg_latency' has no limit of its own"):
        served.add_alert("avg_latency")
    for name in ("slow", "drifts"):
        alerts.remove(name)
    assert len(served.alerts) == 0


def test_another_notebook_finds_the_kernel(served, cloud, tmp_path):
    other = cloud.session(tmp_path).deployment("here")

    assert other.state is ServingState.READY
    assert len(other.predict(pages()[0], monitor=False)) == 1
    assert [r.state for r in cloud.session(tmp_path).deployments().records] == [ServingState.READY]


def test_the_same_cell_leaves_the_kernel_alone(served, user):
    again = user.deploy(
        "digits-detector", strategy="monitoring", on="local", threshold=0.3, name="here"
    )

    assert again.record.serving == served.refresh().serving


def test_the_log_and_the_doctor_know_it(served, user):
    assert user.log("here")
    assert any(kernel.deployment_id == served.id for kernel in user.doctor().data.kernels)


def test_a_reply_that_is_lost_leaves_one_prediction(served, user, cloud):
    before = user.platform.count_recorded(served.id)
    cloud.notes.plan(lost_replies=2)

    served.predict(pages()[:3])

    assert served.flush(30).in_words() == ""
    assert cloud.notes.faults.lost_replies == 0
    assert user.platform.count_recorded(served.id) == before + 3
    assert served.duplicates() == {}


def test_what_the_cloud_has_twice_is_shown(served, user):
    served.predict(pages()[0])
    served.flush()
    _send_again(user, served)

    assert list(served.duplicates().values()) == [2]
    assert "1 of the newest are there more than once" in repr(served.dashboard())


def _send_again(user, served):
    """As the plain SDK does where it does not hear the first reply."""
    deployment = user.sdk.get_deployment(served.name)
    (asset,) = deployment.list_predicted_assets(limit=1)
    own = asset.sync()["data"]["custom_metadata"]
    from picsellia.types.schemas_prediction import DetectionPredictionFormat

    nothing = DetectionPredictionFormat(
        detection_classes=[], detection_scores=[], detection_boxes=[]
    )
    deployment.monitor(
        str(pages()[0]), 0.1, asset.height, asset.width, nothing, custom_metadata=own
    )


def test_a_conflict_of_nothing_that_is_there_is_set_aside_and_said(served, user, cloud):
    before = user.platform.count_recorded(served.id)
    cloud.notes.plan(conflicts=3)

    served.predict(pages()[0])

    left = served.flush(30)
    assert left.failed == 1
    assert "says that it has this prediction, and does not show it" in left.trouble
    assert user.platform.count_recorded(served.id) == before


def test_once_ended_it_is_not_served(user, cloud):
    made = user.deploy(
        "digits-classifier", strategy="monitoring", on="local", name="soon-over", workers=1
    )
    assert made.state is ServingState.READY

    made.undeploy()

    assert made.state is ServingState.NOT_SERVED
    with pytest.raises(NotServingError, match="--strategy monitoring --on local --name soon-over"):
        made.predict(pages()[0])
    made.undeploy(delete=True)


def test_a_token_that_the_kernel_does_not_know_is_asked_about_at_the_main_api(served, cloud):
    wrong = httpx.post(
        f"{served.address}/api/login", json={"api_token": "wrong", "deployment_id": served.id}
    )

    assert wrong.status_code == 401
    assert "does not know this API token" in wrong.json()["message"]
