"""Outlier scores: fitted on request, scored as images come, and said where there is nothing."""

import base64
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.localplatform.images import small_rgb
from picsellia_jupyter.localplatform.outliers import score_new
from picsellia_jupyter.localplatform.tables.datasets import Asset
from picsellia_jupyter.localplatform.tables.outliers import OutlierFit
from picsellia_jupyter.localplatform.watching import watch


def photo(seed, *, odd=False):
    """A bright disc somewhere on dark ground; the odd one is inverted."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(12, 36, 2)
    rows, columns = np.mgrid[:48, :48]
    disc = np.hypot(rows - y, columns - x) < random.uniform(6, 10)
    pixels = np.where(disc, 200, 30) + random.normal(0, 4, (48, 48))
    pixels = 255 - pixels if odd else pixels
    stream = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB").save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def of(deployment, rest="outliers"):
    return f"/api/local/deployments/{deployment['id']}/{rest}"


def monitor(world, deployment, seeds, caller=None, **changes):
    caller = caller or world.login(deployment)
    return [
        world.monitor(
            deployment, caller, image=photo(seed, **changes), width=48, height=48,
            filename=f"{seed}.png", sample=True,
        ).json()["id"]
        for seed in seeds
    ]  # fmt: skip


def scores(world, deployment):
    path = f"/api/deployment/{deployment['id']}/predictions/stats"
    return world.login(deployment).get(path, params={"service": "ae_outlier"}).json()


def trained(world, deployment, images):
    """Training data: the images of so many predictions of another deployment."""
    source = world.deployment("source")
    monitor(world, source, range(images))
    made = world.user.post(
        f"/api/organization/{world.organization}/datasets", json={"name": "truth"}
    ).json()
    version = world.user.post(f"/api/dataset/{made['id']}/versions", json={"version": "v"}).json()
    listed = f"/api/deployment/{source['id']}/predictedassets"
    assets = world.user.get(listed, params={"limit": 1000}).json()["items"]
    with world.platform.store.writing() as session:
        session.add_all(
            Asset(dataset_version_id=version["id"], data_id=one["data"]["id"], created_at=1.0)
            for one in assets
        )
    body = {"dataset_version_id": version["id"]}
    world.user.post(f"/api/deployment/{deployment['id']}/pipeline/td/setup", json=body)


def test_a_photo_that_lies_is_weighed_upright():
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # its left side is to be on top
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:, :4] = 255
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    upright = small_rgb(stream.getvalue(), 8)
    assert upright[:4].min() == 255
    assert upright[4:].max() == 0


def test_without_training_data_it_is_said_what_is_missing(world):
    deployment = world.deployment()
    found = scores(world, deployment)
    assert (found["count"], found["predictions"]) == (0, [])
    assert "No outlier model is fitted" in found["infos"]["info"]
    refused = world.user.post(of(deployment), json={})
    assert refused.status_code == 400
    assert "has no training data to learn from" in refused.json()["message"]
    trained(world, deployment, 3)
    assert "have 3 images" in world.user.post(of(deployment), json={}).json()["message"]
    wrong = world.user.post(of(deployment), json={"contamination": 0})
    assert "contamination is 0" in wrong.json()["message"]
    assert world.user.get(of(deployment)).json()["state"] == "NONE"
    untold = world.user.get(of(deployment, "outliers/drift")).json()
    assert untold["verdict"] == "too few"
    assert "No outlier model is fitted: d.fit_outliers()" in untold["reason"]


def test_a_fit_that_a_platform_did_not_live_to_finish_has_failed(world):
    deployment = world.deployment()
    world.platform.started_at = 10.0
    with world.platform.store.writing() as session:
        session.add(
            OutlierFit(
                deployment_id=deployment["id"], training_data_id="x", contamination=0.1,
                state="FITTING", created_at=5.0,
            )
        )  # fmt: skip
    found = world.user.get(of(deployment)).json()
    assert (found["state"], found["reason"]) == (
        "FAILED", "The platform ended meanwhile. Fit it again.",
    )  # fmt: skip
    assert "could not be fitted" in scores(world, deployment)["infos"]["info"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_images_unlike_the_training_data_are_outliers_and_others_are_not(world, monkeypatch):
    from picsellia_jupyter.localplatform import api

    deployment = world.deployment()
    trained(world, deployment, 120)
    usual = monitor(world, deployment, range(1000, 1030))
    fitting = []
    begin = api.outliers.begin_fit
    monkeypatch.setattr(
        api.outliers, "begin_fit", lambda *given: fitting.append(begin(*given)) or fitting[0]
    )
    assert world.user.post(of(deployment), json={}).json()["state"] == "FITTING"
    fitting[0].join(250)
    ready = world.user.get(of(deployment)).json()
    assert (ready["state"], ready["images"], ready["waiting"]) == ("READY", 120, 30), ready
    odd = monitor(world, deployment, range(2000, 2020), odd=True)
    world.user.post(
        of(deployment, "alerts"), json={"name": "odd", "metric": "is_outlier", "window_s": 60}
    )
    while score_new(world.platform):
        pass
    assert world.user.get(of(deployment)).json()["waiting"] == 0
    found = {one["oracle_prediction_id"]: one for one in scores(world, deployment)["predictions"]}
    assert len(found) == 50
    assert all(found[ident]["is_outlier"] for ident in odd)
    assert sum(found[ident]["is_outlier"] for ident in usual) <= 6
    watch(world.platform)
    [alert] = world.user.get(of(deployment, "alerts")).json()["items"]
    assert alert["state"] == "firing"
    assert alert["value"] == pytest.approx(sum(one["is_outlier"] for one in found.values()) / 50)
    the_images_of_a_window_are_compared_by_their_embeddings(world, deployment)


def the_images_of_a_window_are_compared_by_their_embeddings(world, deployment):
    def drift(**within):
        return world.user.get(of(deployment, "outliers/drift"), params=within).json()

    assert drift()["reason"] == "0 images against 50; 30 of each are needed"
    world.clock.pass_by(100)
    healthy_from = world.clock()
    monitor(world, deployment, range(1030, 1060))
    world.clock.pass_by(100)
    shifted_from = world.clock()
    monitor(world, deployment, range(3000, 3030), odd=True)
    shifted = drift(from_timestamp=shifted_from)
    assert (shifted["verdict"], shifted["reference"], shifted["current"]) == ("drift", 80, 30)
    assert shifted["p"] == pytest.approx(1 / 201)
    few = drift(from_timestamp=shifted_from, to_timestamp=shifted_from)
    assert (few["verdict"], few["distance"]) == ("too few", None)
    assert drift(from_timestamp=healthy_from, to_timestamp=shifted_from)["current"] == 30


def test_the_platform_starts_and_scores_without_torch():
    program = (
        "import picsellia_jupyter.localplatform.app, picsellia_jupyter.localplatform.housekeeping, "
        "sys; print([m for m in ('torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
