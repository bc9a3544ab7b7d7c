"""Picsellia Serving on the cloud: every verb works, or says in a sentence where it is done."""

from __future__ import annotations

import pytest

from picsellia_jupyter.demo.catalog import digits, pages
from picsellia_jupyter.domain.deployments import ServingState, Strategy
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    NotServingError,
    PicselliaJupyterError,
    PlatformError,
    QuotaSpentError,
)


@pytest.fixture
def hosted(session):
    """A detector that the cloud hosts."""
    made = session.deploy("digits-detector", threshold=0.3, name="hosted")
    yield made
    made.undeploy(delete=True)


def test_what_there_is_is_listed(session):
    assert [model.name for model in session.registry().models] == [
        "digits-classifier",
        "digits-detector",
    ]
    assert [lake.name for lake in session.datalakes().datalakes] == ["default"]
    assert session.status().rows["Platform"].startswith("Picsellia at http://")


def test_a_deployment_is_hosted_and_has_a_page(hosted, cloud):
    record = hosted.refresh()

    assert (record.state, record.strategy) == (ServingState.HOSTED, Strategy.SERVING)
    assert record.threshold == 0.3
    assert record.inferences is None
    assert record.url == f"{cloud.host}/deployment/{record.id}"
    assert record.url in repr(hosted)
    assert "Inferences" not in repr(hosted)


def test_picsellia_predicts_and_records(hosted, session):
    found = hosted.predict(pages()[:3], tags=["line-1"])

    assert [len(image.found) for image in found] == [1, 1, 1]
    assert found[0].size.width > 1
    assert session.platform.count_recorded(hosted.id) == 3
    assert hosted.duplicates() == {}


def test_nothing_is_recorded_without_monitoring(hosted, session):
    (found,) = hosted.predict(pages()[0], monitor=False)

    assert found.prediction_id is None
    assert session.platform.count_recorded(hosted.id) == 0


def test_a_file_that_is_no_image_is_named_and_the_other_one_predicted(hosted, tmp_path):
    broken = tmp_path / "notes.jpg"
    broken.write_text("not an image")

    mixed = hosted.predict([pages()[0], broken])

    assert len(mixed) == 1
    assert "notes.jpg cannot be read as an image." in mixed.failures[0].reason


def test_a_classification_is_predicted_too(session):
    made = session.deploy("digits-classifier", name="hosted-digits")
    try:
        (found,) = made.predict(digits()[0][0])
        assert found.found.classes.tolist() == [1]
    finally:
        made.undeploy(delete=True)


def test_the_threshold_is_changed(hosted):
    hosted.threshold = 0.6

    assert hosted.refresh().threshold == 0.6


def test_the_dashboard_has_the_clouds_own_figures_first_and_then_ours(hosted):
    hosted.predict(pages()[0])

    shown = hosted.dashboard("1h", tag="night", label="3")

    told, html = repr(shown), shown._repr_mimebundle_()["text/html"]
    assert f"{hosted.record.url}" in told
    assert "It has 1 prediction with an image." in told
    assert f'<a href="{hosted.record.url}"' in html
    assert [(one.service, one.figures) for one in shown.data.told] == [
        (f"AGGREGATED_{name}", (("data.nobody", "says what is in here"),))
        for name in (
            "LABEL_DISTRIBUTION", "OBJECT_DETECTION_STATS", "PREDICTIONS_DATA",
            "DRIFTING_PREDICTIONS",
        )
    ]  # fmt: skip
    assert "Its statistics are not told by label: they are of all." in told
    for page in (told, html):
        theirs, own = page.index("data.nobody"), page.index("Seen from here, as a cross-check")
        assert theirs < own < page.index("1 prediction with an image", own)
        assert page.index("statistic has an unknown shape", own) > own


def test_figures_that_can_be_read_are_computed_here_too(hosted, cloud):
    hosted.predict(pages()[:2])
    cloud.notes.plan(plain_statistics=True)

    data = hosted.dashboard("1h").data

    (their,) = (one for one in data.told if one.service == "AGGREGATED_PREDICTIONS_DATA")
    assert their.named("inferences") == data.ours.computed.inferences == 2
    assert their.named("mean_latency") == pytest.approx(data.ours.computed.mean_latency_s)
    assert data.ours.computed.label_counts
    assert data.ours.recorded == 2


def test_undeploying_says_that_picsellia_goes_on(hosted, session):
    with pytest.warns(UserWarning, match=r"served by Picsellia, which goes on.*Pause it on its"):
        session.undeploy("hosted")


def test_each_thing_the_cloud_does_itself_is_said_with_its_page(hosted, session, cloud):
    page = f"{cloud.host}/deployment/{hosted.id}"
    told = {
        "evaluate": (hosted.evaluate, page),
        "its figures": (lambda: session.platform.dashboard(hosted.id, since=None), page),
        "its kernel's address": (lambda: hosted.address, page),
        "reviews": (lambda: session.reviews("hosted"), page),
        "the newest prediction": (lambda: _after_one(hosted), page),
        "a new datalake": (lambda: session.create_datalake("mine"), f"Open {cloud.host}"),
    }
    for what, (ask, where) in told.items():
        with pytest.raises(PicselliaJupyterError) as caught:
            ask()
        assert where in caught.value.remedy, what
        assert caught.value.fact.endswith((".", "here.")), what


def _after_one(deployment):
    deployment.predict(pages()[0])
    return deployment.wait_for_prediction(1.0)


def test_what_asks_for_a_kernel_is_refused_where_picsellia_hosts(session):
    with pytest.raises(InvalidInputError, match="Picsellia Serving hosts the model itself"):
        session.deploy("digits-detector", on="local", name="wrong")
    with pytest.raises(InvalidInputError, match="No serving kernel is started that could take"):
        session.deploy("digits-detector", device="cuda", name="wrong")
    with pytest.raises(InvalidInputError, match="take --file weights --idle 2h"):
        session.deploy("digits-detector", file="weights", idle="2h", name="wrong")
    assert session.platform.find_deployment("wrong") is None


def test_the_same_name_is_the_same_deployment(hosted, session):
    again = session.deploy("digits-detector", threshold=0.4, name="hosted")

    assert again.id == hosted.id
    assert again.threshold == 0.4


def test_where_nothing_is_named_the_one_is_asked_for(hosted, session):
    assert session.deployment().id == hosted.id
    other = session.deploy("digits-detector", name="other")
    try:
        with pytest.raises(InvalidInputError, match="does not say which is new"):
            session.predict(pages()[0])
    finally:
        other.undeploy(delete=True)


def test_a_spent_quota_is_asked_about_with_its_page(session, cloud):
    cloud.notes.plan(quota_spent=True)

    with pytest.raises(QuotaSpentError) as caught:
        session.deploy("digits-detector", name="too-much")

    assert caught.value.fact == "Your organization has no resources left. Is the quota spent?"
    assert f"{cloud.host} → Organization settings → Plans and usage" in caught.value.remedy
    assert session.platform.find_deployment("too-much") is None


def test_a_quota_that_is_spent_while_serving_is_said_too(hosted, cloud):
    cloud.notes.plan(quota_spent=True)

    with pytest.raises(QuotaSpentError, match="Is the quota spent"):
        hosted.predict(pages()[0])


def test_monitoring_only_needs_no_quota(session, cloud):
    cloud.notes.plan(quota_spent=True)

    made = session.deploy("digits-detector", strategy="monitoring", name="own")

    assert made.refresh().state is ServingState.NOT_SERVED
    with pytest.raises(NotServingError, match="has no serving kernel"):
        made.predict(pages()[0])
    assert cloud.host in made.code()
    made.undeploy(delete=True)


def test_a_cloud_that_tells_little_of_a_deployment_still_shows_it(hosted, session, cloud):
    cloud.notes.plan(bare=True)

    shown = session.deployment("hosted")

    assert "hosted" in repr(shown)
    assert "hosted" in repr(session.deployments())
    assert len(shown.predict(pages()[0])) == 1
    with pytest.raises(PlatformError, match="which model version"):
        shown.interconnect()


def test_a_model_file_is_downloaded(hosted, tmp_path):
    paths = hosted.download(tmp_path / "files")

    assert any(path.name.endswith("serving.json") and path.stat().st_size for path in paths)


def test_the_sdk_itself_is_at_hand(hosted, session):
    reply = session.sdk.get_deployment("hosted").predict(str(pages()[0]))

    assert len(reply["detection_boxes"]) == 1
