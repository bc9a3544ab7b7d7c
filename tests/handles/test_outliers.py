"""Fitting a deployment's outlier model by hand; a fit that is done is in the monitoring journey."""

from types import SimpleNamespace

import pytest

from picsellia_jupyter import Session
from picsellia_jupyter.clients.outliers import OutlierModels
from picsellia_jupyter.domain.drift import Verdict
from picsellia_jupyter.domain.errors import InvalidInputError, PlatformError
from picsellia_jupyter.domain.outliers import EmbeddingDrift, OutlierFit
from picsellia_jupyter.handles.outliers import Outlying


class Fits(Outlying):
    """A deployment whose model is as far as is said, look by look."""

    id = "d1"

    def __init__(self, *states):
        looks = iter(states)
        self._platform = SimpleNamespace(
            begin_outlier_fit=lambda _id, _share: OutlierFit("FITTING"),
            outlier_fit=lambda _id: next(looks),
        )


def test_without_training_data_it_is_said_what_to_set(platform):
    session = Session(platform.host, platform.token)
    version = session.sdk.create_model("parcels").create_version(
        labels={"0": "parcel"}, type="OBJECT_DETECTION"
    )
    version.deploy(name="parcels-here", min_threshold=0.5)
    deployment = session.deployment("parcels-here")
    with pytest.raises(InvalidInputError, match="has no training data to learn from"):
        deployment.fit_outliers()
    assert session.platform.outlier_fit(deployment.id) == OutlierFit("NONE")
    assert str(deployment.embedding_drift("7d")) == (
        "too few: No outlier model is fitted: d.fit_outliers()"
    )


def test_it_waits_until_what_is_kept_has_scores():
    scored = OutlierFit("READY", images=60)
    found = Fits(OutlierFit("READY", waiting=3), scored).fit_outliers()
    assert found is scored


def test_a_fit_that_fails_says_why():
    with pytest.raises(PlatformError, match=r"was not fitted: It needs torch\."):
        Fits(OutlierFit("FAILED", "It needs torch.")).fit_outliers()


def test_a_fit_that_takes_longer_goes_on_and_it_is_said():
    with pytest.raises(PlatformError, match="is fitting, and 0 images wait for a score"):
        Fits().fit_outliers(timeout_s=0)


def test_a_cloud_fits_its_own():
    cloud = OutlierModels(SimpleNamespace(id="1", name="o"), "https://app.picsellia.com", {})
    with pytest.raises(PlatformError, match="fits its outlier models itself"):
        cloud.begin_outlier_fit("d1", 0.05)
    with pytest.raises(PlatformError, match="tells no embeddings of its images"):
        cloud.embedding_drift("d1", since=None, until=None)


def test_what_is_found_of_embeddings_is_a_sentence():
    found = EmbeddingDrift(40, 52, 0.2134, 0.005, Verdict.DRIFT)
    assert str(found) == "drift: 52 images against 40, MMD² 0.213, p 0.005"
    assert str(EmbeddingDrift(0, 3, reason="3 images")) == "too few: 3 images"
