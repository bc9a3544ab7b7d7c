"""Drift, labels and heatmaps of a deployment, over HTTP and from rollups."""

import numpy as np
import pytest

from picsellia_jupyter.localplatform import drifting
from picsellia_jupyter.localplatform.folding import fold, fold_all
from picsellia_jupyter.localplatform.tables.datasets import Asset
from tests.localplatform.bulk import insert

START = 1_699_000_000.0


def drift(world, deployment, **asked):
    path = f"/api/deployment/{deployment['id']}/stats"
    return world.login(deployment).get(path, params={"service": "ks_drift", **asked}).json()


def of(deployment, rest):
    return f"/api/local/deployments/{deployment['id']}/{rest}"


def normal(seed, n, mean=0.6):
    return np.clip(np.random.default_rng(seed).normal(mean, 0.05, n), 0, 1)


def test_too_few_predictions_are_said(world):
    deployment = world.deployment()
    found = drift(world, deployment)["result"]
    assert (found["verdict"], found["window"]["predictions"]) == ("too few", 0)
    insert(world, deployment, START + np.arange(1100), normal(1, 1100), 0)
    found = drift(world, deployment)["result"]
    assert found["verdict"] == "too few"
    assert (found["baseline"]["predictions"], found["window"]["predictions"]) == (1000, 100)
    assert {one["verdict"] for one in found["signals"]} == {"too few"}


def test_a_healthy_window_is_steady_and_a_shifted_one_drifts(world):
    deployment = world.deployment()
    insert(world, deployment, START + np.arange(1000), normal(1, 1000), 0)
    insert(world, deployment, START + 10_000 + np.arange(300), normal(2, 300), 0)
    fold(world.platform, at_once=700)
    healthy = drift(world, deployment, from_timestamp=START + 9000)["result"]
    assert (healthy["verdict"], healthy["drifting"]) == ("steady", [])
    # The same window again, asked without a beginning: it begins after the baseline.
    assert drift(world, deployment)["result"]["signals"] == healthy["signals"]
    insert(world, deployment, START + 20_000 + np.arange(300), normal(3, 300, 0.5), 1, size=(9, 9))
    fold_all(world.platform)
    shifted = drift(world, deployment, from_timestamp=START + 19_000)["result"]
    assert shifted["verdict"] == "drift"
    assert {"best score", "label", "image area"} <= set(shifted["drifting"])
    assert "shapes per image" not in shifted["drifting"]
    [score] = [one for one in shifted["signals"] if one["signal"] == "best score"]
    assert (score["reference"], score["current"], score["test"]) == (1000, 300, "ks")
    assert score["q"] < 0.001
    assert world.user.get(
        of(deployment, "drift"), params={"from_timestamp": START + 19_000}
    ).json()["signals"] == shifted["signals"]  # fmt: skip


def test_a_new_model_version_has_a_baseline_of_its_own(world):
    deployment = world.deployment()
    insert(world, deployment, START + np.arange(500), normal(1, 500), 0)
    newer = world.version("newer")
    world.user.post(
        f"/api/deployment/{deployment['id']}/model", json={"model_version_id": newer["id"]}
    )
    insert(world, deployment, START + 5_000 + np.arange(260), normal(2, 260, 0.2), 0)
    for _ in range(2):
        found = drift(world, deployment)["result"]
        assert found["baseline"] == {"predictions": 260, "until": START + 5_259}
        fold_all(world.platform)


@pytest.mark.parametrize(("fewest", "used"), [(1, 1), (2, 0)])
def test_sizes_are_compared_with_training_images_where_there_are_enough(
    world, monkeypatch, fewest, used
):
    monkeypatch.setattr(drifting, "FEWEST", fewest)
    deployment = world.deployment()
    organization = world.organization
    dataset = world.user.post(f"/api/organization/{organization}/datasets", json={"name": "t"})
    version = world.user.post(
        f"/api/dataset/{dataset.json()['id']}/versions", json={"version": "v1"}
    ).json()
    asset = world.monitor(deployment, sample=True, timestamp=START).json()
    data = world.user.get(
        f"/api/deployment/{deployment['id']}/predictedassets/find",
        params={"oracle_prediction_id": asset["id"]},
    ).json()["data"]["id"]
    with world.platform.store.writing() as session:
        session.add(Asset(dataset_version_id=version["id"], data_id=data, created_at=START))
    body = {"dataset_version_id": version["id"]}
    world.user.post(f"/api/deployment/{deployment['id']}/pipeline/td/setup", json=body)
    found = drift(world, deployment)["result"]
    assert found["training_images"] == used
    sizes = {one["signal"]: one["reference"] for one in found["signals"]}
    assert (sizes["image width"], sizes["best score"]) == (1, 1)


def test_labels_stand_beside_those_of_the_training_data(world):
    deployment = world.deployment(min_threshold=0.5)
    context = {
        "datas": [
            {"name": "train", "repartition": {"zero": 30, "one": 10}},
            {"name": "test", "repartition": {"zero": 900}},
        ],
        "parameters": {},
    }
    version = deployment["model_version_id"]
    reply = world.user.put(f"/api/local/model/version/{version}/context", json=context)
    assert reply.status_code == 200, reply.text
    insert(world, deployment, START + np.arange(4), [0.9, 0.8, 0.7, 0.2], [0, 1, 1, 1])
    found = world.user.get(of(deployment, "distribution")).json()
    assert found["predicted"] == {"one": 2, "zero": 1}
    assert found["training"] == {"zero": 30, "one": 10}
    assert found["total_variation"] == pytest.approx(0.75 - 1 / 3)


def test_a_heatmap_shows_where_shapes_over_the_threshold_lie(world):
    deployment = world.deployment(min_threshold=0.5)
    insert(world, deployment, START + np.arange(3), [0.9, 0.8, 0.3], [0, 1, 1])
    path = of(deployment, "heatmap")
    cells = np.array(world.user.get(path).json()["cells"])
    # Boxes of 1, 2 to 30, 20 in 48 x 32 pixels.
    assert cells.max() == 2
    assert (cells[2:20, 1:20] == 2).all()
    assert cells.sum() == 2 * 18 * 20
    ones = world.user.get(path, params={"label": "one"}).json()
    assert (ones["images"], ones["shapes"], np.max(ones["cells"])) == (3, 1, 1)
    unknown = world.user.get(path, params={"label": "three"})
    assert unknown.status_code == 404
    assert "three" in unknown.json()["message"]
    classes = world.deployment("classes", kind="CLASSIFICATION")
    refused = world.user.get(of(classes, "heatmap"))
    assert "have no rectangle" in refused.json()["message"]
