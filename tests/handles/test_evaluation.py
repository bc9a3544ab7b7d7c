"""Evaluations through the session, of a real local platform and of a cloud."""

from types import SimpleNamespace

import pytest
from PIL import Image

from picsellia_jupyter import Session
from picsellia_jupyter.clients.evaluations import Evaluations
from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError, PlatformError


@pytest.fixture(scope="module")
def session(platform):
    return Session(platform.host, platform.token)


@pytest.fixture(scope="module")
def reviewed(session, tmp_path_factory):
    """A deployment with one reviewed prediction of two; its name."""
    from picsellia.types.schemas_prediction import DetectionPredictionFormat

    made = session.sdk.create_model("crates").create_version(
        labels={"0": "crate"}, type="OBJECT_DETECTION"
    )
    deployment = made.deploy(name="crates-here", min_threshold=0.5)
    found = DetectionPredictionFormat(
        detection_classes=[0], detection_scores=[0.9], detection_boxes=[[2, 1, 20, 30]]
    )
    for name in ("a.png", "b.png"):
        path = tmp_path_factory.mktemp("photos") / name
        Image.new("RGB", (48, 32)).save(path)
        deployment.monitor(str(path), latency=0.1, height=32, width=48, prediction=found)
    asset = deployment.list_predicted_assets()[0]
    asset.add_review(rectangles=[(1, 2, 29, 18, deployment.list_labels()[0])])
    asset.get_data().add_tags(session.sdk.get_datalake().get_or_create_data_tag("sampled:random"))
    return deployment.name


def test_a_deployment_tells_how_well_its_predictions_agree_with_their_reviews(session, reviewed):
    view = session.deployment(reviewed).evaluate()
    assert view["ap_50"] == pytest.approx(1.0)
    assert view["ap_large"] is None
    assert "1 of 2 predicted images are reviewed, chosen at random." in repr(view)
    assert view.data.evaluator.startswith("hotcoco")
    assert session.evaluate(reviewed, last="1h", sampled="random").data.scores == view.data.scores


def test_a_dashboard_compares_the_part_that_it_shows(session, reviewed):
    deployment = session.deployment(reviewed)
    shown = deployment.dashboard("1h", label="crate", version="crates:0")
    assert shown.review.scores["ap_50"] == pytest.approx(1.0)
    assert "Only crate is compared" in shown._repr_mimebundle_()["text/html"]
    assert deployment.dashboard("1h", source="elsewhere").review.coverage.predicted == 0


def test_a_sample_that_nobody_took_has_no_figures(session, reviewed):
    view = session.deployment(reviewed).evaluate(sampled="uncertain")
    assert view.data.scores == {}
    assert view["ap_50"] is None
    assert "Nothing is reviewed yet" in repr(view)


def test_a_figure_that_there_is_not_is_answered_with_the_nearest_one(session, reviewed):
    with pytest.raises(NotFoundError, match=r"no figure named 'ap50'\. Did you mean 'ap_50'\?"):
        session.deployment(reviewed).evaluate()["ap50"]


def test_a_range_that_is_none_is_refused(session, reviewed):
    with pytest.raises(InvalidInputError, match="'soon' is not a range of time"):
        session.deployment(reviewed).evaluate("soon")


def test_a_cloud_tells_its_own_figures():
    cloud = Evaluations(SimpleNamespace(id="1", name="o"), "https://app.picsellia.com", {})
    with pytest.raises(PlatformError, match="compares predictions with their reviews itself"):
        cloud.evaluation("d1")
