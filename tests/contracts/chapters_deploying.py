"""Chapters on deployments, what is monitored in them, and their loop."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from contract_book import Book, World, filenames, names
from picsellia.types.enums import ServiceMetrics
from picsellia.types.schemas_prediction import DetectionPredictionFormat

FOUND = DetectionPredictionFormat(
    detection_classes=[1, 0],
    detection_scores=[0.9, 0.25],
    detection_boxes=[[2, 1, 20, 30], [5, 6, 7, 8]],
)
SEEN = {"latency": 0.0125, "height": 32, "width": 48, "prediction": FOUND}


def deployments(book: Book, world: World) -> None:
    client, call, version = world.client, book.call, world.version
    deployment = call(
        version.deploy,
        "gate",
        min_threshold=0.3,
        gives=lambda made: made.type.name == "OBJECT_DETECTION",
    )
    call(
        client.create_deployment,
        version,
        name="spare",
        target_datalake=world.lake,
        disable_serving=True,
        gives=lambda made: made.sync()["disable_serving"],
    )
    call(client.get_deployment, "gate", gives=lambda found: found == deployment)
    call(client.get_deployment_by_id, deployment.id, gives=lambda found: found == deployment)
    call(client.list_deployments, gives=lambda found: names(found) == ["gate", "spare"])
    call(deployment.sync, gives=lambda raw: raw["min_threshold"] == 0.3)
    call(deployment.refresh, deployment.sync(), gives=lambda schema: schema.name == "gate")
    call(
        deployment.update,
        min_threshold=0.4,
        sample_rate=1.0,
        target_datalake=world.lake,
        name="door",
        gives=lambda _: deployment.sync()["min_threshold"] == 0.4,
    )
    call(deployment.retrieve_information, gives=lambda raw: raw["name"] == "door")
    call(deployment.get_model_version, gives=lambda found: found == version)
    call(
        deployment.list_labels,
        gives=lambda labels: [one.name for one in labels] == ["face", "mask"],
    )
    label = deployment.list_labels()[0]
    call(label.sync, gives=lambda raw: raw["name"] == "face")
    book.refused(label.update, "nose", says="never changes")
    world.keep(deployment=deployment, label=label)


def access(book: Book, world: World) -> None:
    client, call, version, deployment = world.client, book.call, world.version, world.deployment
    tag = call(client.create_deployment_tag, "live", gives=lambda tag: tag.name == "live")
    call(deployment.add_tags, tag, gives=lambda _: True)
    call(deployment.get_tags, gives=lambda tags: tags == [tag])
    call(deployment.remove_tags, tag, gives=lambda _: deployment.get_tags() == [])
    user = call(deployment.list_users, gives=lambda users: len(users) == 1)[0]
    call(deployment.add_user, user, role="admin", gives=lambda _: True)
    call(deployment.list_workers, gives=lambda workers: workers[0].username == user.username)
    book.refused(deployment.get_shadow_model, says="no shadow", kind="NoShadowModel")
    call(deployment.set_model, version, gives=lambda _: True)
    shadow = world.model.create_version(
        name="shadow", type="OBJECT_DETECTION", labels={"0": "face", "1": "mask"}
    )
    call(deployment.set_shadow_model, shadow, gives=lambda _: True)
    call(deployment.get_shadow_model, gives=lambda found: found == shadow)
    book.refused(version.delete, says="is used by", kind="ResourceConflictError")
    world.keep(user=user, shadow=shadow)


def monitoring(book: Book, world: World) -> None:
    call, deployment = book.call, world.deployment
    path = world.photo("door.png", 3)
    first = call(
        deployment.monitor,
        path,
        **SEEN,
        tags=["am"],
        source="door cam",
        sample=True,
        custom_metadata={"n": 1},
        gives=lambda raw: len(raw["id"]) == 36,
    )
    raw = Path(path).read_bytes()
    call(
        deployment.monitor_bytes,
        raw,
        "image/png",
        "bytes.png",
        **SEEN,
        sample=True,
        timestamp=1700000000.5,
        shadow_latency=0.5,
        shadow_prediction=FOUND,
        gives=lambda raw: "id" in raw,
    )
    call(deployment.monitor_data, world.one, **SEEN, sample=True, gives=lambda raw: "id" in raw)
    call(
        deployment.monitor_cloud_image,
        world.lake.find_data(filename="street-2.png").object_name,
        content_type="image/png",
        sample=True,
        **SEEN,
        gives=lambda raw: "id" in raw,
    )
    asset = call(
        deployment.find_predicted_asset,
        oracle_prediction_id=first["id"],
        gives=lambda found: found.filename == "door.png",
    )
    call(deployment.monitor_shadow, asset, 0.02, FOUND, gives=lambda _: True)
    book.refused(deployment.monitor_shadow, asset, 0.02, FOUND, says="already been processed")
    other = deployment.find_predicted_asset(filename="street-3.png")
    call(
        deployment.monitor_shadow_from_oracle_prediction_id,
        other.oracle_prediction_id,
        0.03,
        FOUND,
        gives=lambda _: other.get_shadow_prediction()["latency"] == 0.03,
    )
    call(deployment.list_predicted_assets, gives=lambda found: len(found) == 4)
    call(
        deployment.list_predicted_assets,
        q='data.tags.name = "am"',
        custom_metadata={"n": 1},
        gives=lambda found: found == [asset],
    )
    call(
        deployment.list_predicted_assets,
        limit=2,
        order_by=["created_at"],
        gives=lambda found: len(found) == 2,
    )
    for service in ServiceMetrics:
        name = service.service
        call(
            deployment.get_stats,
            service,
            gives=lambda raw, name=name: raw.get("service") == name or "timestamps" in raw,
        )
    call(
        deployment.get_stats,
        ServiceMetrics.AGGREGATED_PREDICTIONS_DATA,
        from_timestamp=1600000000.0,
        to_timestamp=1700000001.0,
        model_version=world.version,
        gives=lambda raw: raw["result"]["inferences"] == 1,
    )
    call(
        deployment.get_stats,
        ServiceMetrics.AGGREGATED_LABEL_DISTRIBUTION,
        gives=lambda raw: raw["result"] == {"mask": 4},
    )
    call(
        deployment.get_stats,
        ServiceMetrics.AGGREGATED_DRIFTING_PREDICTIONS,
        gives=lambda raw: raw["result"]["verdict"] == "too few",
    )
    world.keep(predicted=asset)


def predicted_assets(book: Book, world: World) -> None:
    call, asset, label = book.call, world.predicted, world.label
    call(asset.sync, gives=lambda raw: raw["review_state"] == "TO_REVIEW")
    call(asset.refresh, asset.sync(), gives=lambda schema: schema.data.meta.width == 48)
    call(asset.get_champion_prediction, gives=lambda raw: raw["rectangles"][0]["score"] == 0.9)
    call(asset.get_shadow_prediction, gives=lambda raw: raw["latency"] == 0.02)
    call(asset.get_data, gives=lambda one: one.datalake_id == world.lake.id)
    call(asset.reset_url, gives=lambda url: "signature=" in url)
    call(
        asset.download,
        str(world.folder / "predicted"),
        gives=lambda _: (world.folder / "predicted" / "door.png").stat().st_size > 0,
    )
    call(asset.get_review, gives=lambda review: review is None)
    call(
        asset.add_review,
        rectangles=[(1, 2, 3, 4, label)],
        points=[([5, 6], label)],
        polygons=[([[1, 1], [9, 1], [9, 9]], label)],
        lines=[([[1, 1], [9, 9]], label)],
        classifications=[label],
        gives=lambda raw: raw["rectangles"][0]["w"] == 3,
    )
    call(asset.get_review, gives=lambda review: review["points"][0]["label"]["name"] == "face")
    call(
        world.deployment.get_stats,
        ServiceMetrics.AGGREGATED_OBJECT_DETECTION_STATS,
        gives=lambda raw: (
            raw["coverage"]["reviewed"] == 1 and raw["result"]["stats"]["ap_50_95"] == 0.0
        ),
    )
    call(
        world.deployment.get_stats,
        ServiceMetrics.REVIEWS_LABEL_DISTRIBUTION_STATS,
        gives=lambda raw: raw["labels"] == {"face": 1},
    )
    doomed = world.deployment.find_predicted_asset(filename="bytes.png")
    call(doomed.delete, gives=lambda _: len(world.deployment.list_predicted_assets()) == 3)


def serving(book: Book, world: World) -> None:
    client, folder = world.client, world.folder
    version = _servable(world, "served")
    deployment = version.deploy("served", min_threshold=0.3)
    book.refused(deployment.predict, world.photo("p.png"), says="can't use this function")
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("serving_host.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as host:
        try:
            job = {
                "host": world.host,
                "token": world.token,
                "organization_id": str(client.id),
                "model_version_id": str(version.id),
                "cache_dir": str(folder / "models"),
                "deployment_id": str(deployment.id),
            }
            host.stdin.write(json.dumps(job) + "\n")
            host.stdin.flush()
            assert json.loads(host.stdout.readline())["serves"]
            _predict(book, world, _serving(client))
        finally:
            host.kill()


def _serving(client):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        deployment = client.get_deployment("served")
        if deployment._serving_connection is not None:
            return deployment
        time.sleep(0.2)
    raise AssertionError("nobody serves")


def _predict(book: Book, world: World, deployment) -> None:
    call, path = book.call, world.photo("predict.png", 5, (128, 96))
    keys = {"detection_boxes", "detection_scores", "detection_classes"}
    call(deployment.predict, path, tags=["p"], gives=lambda raw: keys <= set(raw))
    call(
        deployment.predict_bytes,
        "raw.png",
        Path(path).read_bytes(),
        monitor=False,
        postprocess=False,
        gives=lambda raw: keys <= set(raw),
    )
    _predict_stored(book, world, deployment, keys)
    call(deployment.find_predicted_asset, filename="predict.png", gives=lambda found: found.id)


def _predict_stored(book: Book, world: World, deployment, keys: set[str]) -> None:
    call, data = book.call, world.lake.find_data(filename="street-2.png")
    _wait(lambda: deployment.sync()["inferences"] == 1)
    before = len(world.lake.list_data())
    call(deployment.predict_data, data, tags=["again"], gives=lambda raw: raw["monitored"])
    said = call(
        deployment.predict_cloud_image,
        world.lake.find_data(filename="street-3.png").object_name,
        postprocess=False,
        gives=lambda raw: keys <= set(raw),
    )
    _wait(lambda: deployment.sync()["inferences"] == 3)
    call(
        deployment.find_predicted_asset,
        oracle_prediction_id=said["id"],
        gives=lambda found: found.filename == "street-3.png",
    )
    # Recorded against the data that is there.
    assert len(world.lake.list_data()) == before
    assert "again" in names(data.get_tags())
    missing = {"says": "Could not predict", "kind": "PredictionError"}
    book.refused(deployment.predict_cloud_image, "no/such/image.png", **missing)
    _predict_in_shadow(book, world, deployment, said["id"])


def _predict_in_shadow(book: Book, world: World, deployment, earlier: str) -> None:
    asset = deployment.find_predicted_asset(oracle_prediction_id=earlier)
    book.refused(deployment.predict_shadow, asset, says="has no shadow model")
    deployment.set_shadow_model(_servable(world, "shadow"))
    _wait(lambda: _shadow_of(deployment, world.photo("in-shadow.png", 6, (128, 96))))
    # One that was recorded before there was a shadow model is asked for by hand.
    book.call(deployment.predict_shadow, asset, monitor=False, gives=lambda raw: raw["type"])
    book.call(deployment.predict_shadow, asset, gives=lambda raw: raw["id"] == earlier)
    assert asset.get_shadow_prediction()["is_shadow"]
    book.refused(deployment.predict_shadow, asset, says="already been processed")


def _shadow_of(deployment, path: str):
    """What the shadow model found in an image that is predicted on now, once it is recorded."""
    said, until = deployment.predict(path), time.monotonic() + 5
    while time.monotonic() < until:
        found = [
            asset
            for asset in deployment.list_predicted_assets()
            if str(asset.oracle_prediction_id) == said["id"]
        ]
        if found and found[0].get_shadow_prediction():
            return found[0]
        time.sleep(0.1)
    return None


def _servable(world: World, name: str):
    """A model version with the files of a tiny detector."""
    version = world.client.create_model(name).create_version(
        type="OBJECT_DETECTION", framework="ONNX", labels={"0": "a", "1": "b"}
    )
    version.store("model-latest", str(world.folder / "tiny.onnx"))
    version.store("serving.json", str(world.folder / "serving.json"))
    return version


def _wait(condition) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.1)


def deleting(book: Book, world: World) -> None:
    client, call = world.client, book.call
    call(
        world.deployment.delete,
        force_delete=True,
        gives=lambda _: "door" not in names(client.list_deployments()),
    )
    client.get_deployment("spare").delete()
    count = len(world.model.list_versions())
    call(world.version.delete, gives=lambda _: len(world.model.list_versions()) == count - 1)
    call(world.model.delete, gives=lambda _: "all faces" not in names(client.list_models()))
    call(world.asset.delete, gives=lambda _: True)
    call(world.dataset.delete, gives=lambda _: client.list_datasets() == [])
    call(world.project.delete, gives=lambda _: client.list_projects() == [])
    call(world.tag.delete, gives=lambda _: "dark" not in names(world.lake.list_data_tags()))
    book.refused(client.get_deployment, "door", says="no deployment")
    assert "street-2.png" in filenames(world.lake.list_data())


CHAPTERS = (deployments, access, monitoring, predicted_assets)
LAST = (serving, deleting)
