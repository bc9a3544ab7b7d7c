"""Drives the unmodified SDK against a platform; prints what it saw as one JSON object.

Run in a process of its own: `python sdk_driver.py HOST TOKEN FOLDER`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import traceback
from pathlib import Path

from picsellia import Client
from picsellia.exceptions import PicselliaError
from picsellia.types.enums import InferenceType, ServiceMetrics
from picsellia.types.schemas_prediction import (
    ClassificationPredictionFormat,
    DetectionPredictionFormat,
    KeypointPredictionFormat,
    LinePredictionFormat,
    MaskPredictionFormat,
    PointPredictionFormat,
    SegmentationPredictionFormat,
)
from PIL import Image

BASE = {"detection_classes": [1, 0], "detection_scores": [0.9, 0.25]}
PREDICTIONS = {
    "CLASSIFICATION": ClassificationPredictionFormat(**BASE),
    "OBJECT_DETECTION": DetectionPredictionFormat(
        **BASE, detection_boxes=[[2, 1, 20, 30], [5, 6, 7, 8]]
    ),
    "SEGMENTATION": SegmentationPredictionFormat(
        **BASE, detection_masks=[[[1, 1], [10, 1], [10, 10]], [[2, 2], [9, 2], [9, 9]]]
    ),
    "LINE": LinePredictionFormat(**BASE, lines=[[[1, 1], [9, 9]], [[2, 2], [3, 3]]]),
    "POINT": PointPredictionFormat(**BASE, points=[[5, 6], [7, 8]]),
    "KEYPOINT": KeypointPredictionFormat(**BASE, keypoints=[[[5, 6, 2]], [[7, 8, 1]]]),
    "MASK": MaskPredictionFormat(**BASE, detection_masks=["a1", "b2"]),
}


def photo(folder: Path, name: str, size: tuple[int, int] = (48, 32), shade: int = 0) -> Path:
    path = folder / name
    Image.new("RGB", size, (shade % 256, 80, 160)).save(path)
    return path


def refusal(call) -> dict[str, str]:
    try:
        call()
    except PicselliaError as error:
        return {"kind": type(error).__name__, "text": str(error)}
    return {"kind": "none", "text": ""}


def connecting(world) -> dict:
    client = world["client"] = Client(api_token=world["token"], host=world["host"])
    named = Client(api_token=world["token"], host=world["host"], organization_name="local")
    return {
        "name": client.name,
        "named": named.id == client.id,
        "users": [user.username for user in client.list_users()],
        "wrong_token": refusal(lambda: Client(api_token="0" * 40, host=world["host"])),
    }


def registering(world) -> dict:
    client, folder = world["client"], world["folder"]
    model = client.create_model("digits detector", description="finds digits")
    version = model.create_version(
        labels={"0": "zero", "1": "one"},
        type=InferenceType.OBJECT_DETECTION,
        framework="ONNX",
        base_parameters={"epochs": 3},
    )
    world["model"], world["version"] = model, version
    small, large = folder / "model.onnx", folder / "large.bin"
    small.write_bytes(bytes(range(256)) * 999)
    large.write_bytes(bytes(range(256)) * (4 * 26 * 1024) + b"end")
    version.store("model-latest", str(small))
    version.store("large", str(large))
    small.write_bytes(b"second edition")
    replaced = version.store("model-latest", str(small), replace=True)
    got = {}
    for file in version.list_files():
        target = folder / f"got-{file.name}"
        file.download(str(target))
        got[file.name] = hashlib.sha256((target / file.filename).read_bytes()).hexdigest()
    return {
        "version": version.version,
        "second_version": model.create_version(type="CLASSIFICATION").version,
        "labels": version.sync()["labels"],
        "found": client.get_model("digits detector").id == model.id,
        "files": got,
        "files_sent": {
            "model-latest": hashlib.sha256(small.read_bytes()).hexdigest(),
            "large": hashlib.sha256(large.read_bytes()).hexdigest(),
        },
        "replaced": replaced.filename,
        "is_large": version.get_file("large").large,
        "duplicate": refusal(lambda: client.create_model("digits detector")),
        "unknown": refusal(lambda: client.get_model("digits detecter")),
        "taken_file": refusal(lambda: version.store("large", str(small))),
        "models": [item.name for item in client.list_models()],
        "no_context": refusal(version.get_context),
    }


def uploading(world) -> dict:
    client, folder = world["client"], world["folder"]
    lake = client.get_datalake()
    world["lake"] = lake
    paths = [str(photo(folder, f"photo-{n:02}.png", shade=n)) for n in range(25)]
    sideways = Image.new("RGB", (48, 32), (1, 2, 3))
    exif = sideways.getexif()
    exif[0x0112] = 6
    sideways.save(folder / "sideways.jpg", exif=exif)
    before = time.time()
    sent = lake.upload_data(paths, tags=["night", "wet"], source="camera 7")
    lake.upload_data(str(folder / "sideways.jpg"), custom_metadata={"shelf": 4})
    listed = lake.list_data()
    one = lake.find_data(filename="photo-03.png")
    one.download(str(folder / "down"))
    by_offset = lake.list_data(order_by=["filename"], limit=10, offset=5)
    by_cursor = []
    for start in range(0, 26, 10):
        by_cursor += [data.filename for data in lake.list_data(limit=10, offset=start)]
    return {
        "sent": len(sent),
        "seconds": time.time() - before,
        "listed": sorted(data.filename for data in listed),
        "tagged": len(lake.list_data(tags=["night"])),
        "both_tags": len(lake.list_data(tags=["night", "wet"], intersect_tags=True)),
        "by_name": [
            data.filename for data in lake.list_data(filenames=["photo-01.png", "photo-02.png"])
        ],
        "by_id": len(lake.list_data(ids=[data.id for data in listed[:7]])),
        "by_query": [data.filename for data in lake.list_data(q='filename = "photo-09.png"')],
        "by_metadata": [d.filename for d in lake.list_data(custom_metadata={"shelf": 4})],
        "in_pages": by_cursor,
        "ordered": [data.filename for data in by_offset],
        "size": [one.width, one.height],
        "sideways": [
            (data.width, data.height) for data in listed if data.filename == "sideways.jpg"
        ],
        "tags": sorted(tag.name for tag in one.get_tags()),
        "source": one.get_datasource().name,
        "same_bytes": (folder / "down" / one.filename).read_bytes()
        == (folder / "photo-03.png").read_bytes(),
        "bad_query": refusal(lambda: lake.list_data(q="colour = red")),
        "deleted": _deleted(lake, one),
    }


def _deleted(lake, data) -> dict:
    data.delete()
    return refusal(lambda: lake.find_data(filename="photo-03.png"))


def deploying(world) -> dict:
    client, version = world["client"], world["version"]
    by_version = version.deploy(name="by-version", min_threshold=0.3)
    by_client = client.create_deployment(
        model_version=version, target_datalake=world["lake"], disable_serving=True
    )
    world["deployment"] = by_version
    unconfigured = world["model"].create_version()
    return {
        "name": by_version.name,
        "invented": by_client.name,
        "kind": by_version.type.value,
        "threshold": by_version.sync()["min_threshold"],
        "default_threshold": by_client.sync()["min_threshold"],
        "disabled": by_client.sync()["disable_serving"],
        "labels": [label.name for label in by_version.list_labels()],
        "version": by_version.get_model_version().id == version.id,
        "information": by_version.retrieve_information()["name"],
        "listed": sorted(item.name for item in client.list_deployments()),
        "found": client.get_deployment("by-version").id == by_version.id,
        "duplicate": refusal(lambda: version.deploy(name="by-version")),
        "percentage": refusal(lambda: version.deploy(min_threshold=40.0)),
        "unconfigured": refusal(unconfigured.deploy),
        "no_shadow": refusal(by_version.get_shadow_model),
        "in_use": refusal(version.delete),
    }


def monitoring(world) -> dict:
    return {kind: _monitored(world, kind) for kind in PREDICTIONS}


def _monitored(world, kind: str) -> dict:
    client, folder = world["client"], world["folder"]
    version = client.create_model(f"model of {kind}").create_version(
        labels={"0": "zero", "1": "one"}, type=kind
    )
    deployment = version.deploy(name=f"of-{kind}")
    path = photo(folder, f"{kind}.png")
    reply = deployment.monitor(
        str(path), latency=0.0125, height=32, width=48, prediction=PREDICTIONS[kind],
        tags=["day"], source="line 2", timestamp=1700000000.5, custom_metadata={"a": 1},
    )  # fmt: skip
    asset = deployment.find_predicted_asset(oracle_prediction_id=reply["id"])
    asset.download(str(folder / "assets"))
    champion = asset.get_champion_prediction()
    log = deployment.get_stats(ServiceMetrics.PREDICTIONS_DATA)
    labels = deployment.get_stats(ServiceMetrics.AGGREGATED_LABEL_DISTRIBUTION)
    return {
        "listed": [item.filename for item in deployment.list_predicted_assets()],
        "champion": champion,
        "log": log,
        "labels": labels["result"],
        "same_bytes": (folder / "assets" / asset.filename).read_bytes() == path.read_bytes(),
        "data_in_lake": asset.get_data().datalake_id == world["lake"].id,
        "tags": [tag.name for tag in asset.get_data().get_tags()],
        "threshold": deployment.sync()["min_threshold"],
        "inferences": deployment.sync()["inferences"],
    }


def changing(world) -> dict:
    deployment, folder = world["deployment"], world["folder"]
    deployment.update(min_threshold=0.55, name="renamed", sample_rate=0.5)
    wrong = refusal(lambda: deployment.update(min_threshold=1.5))
    for sample in (True, False):
        deployment.monitor(
            str(photo(folder, f"sample-{sample}.png")), latency=0.01, height=32, width=48,
            prediction=PREDICTIONS["OBJECT_DETECTION"], sample=sample,
        )  # fmt: skip
    metrics = deployment.get_stats(ServiceMetrics.AGGREGATED_PREDICTIONS_DATA)
    asset = deployment.list_predicted_assets()[0]
    label = deployment.list_labels()[0]
    asset.add_review(rectangles=[(1, 2, 3, 4, label)])
    raw = deployment.sync()
    drift = deployment.get_stats(ServiceMetrics.AGGREGATED_DRIFTING_PREDICTIONS)
    return {
        "threshold": raw["min_threshold"],
        "name": deployment.name,
        "sample_rate": raw["sample_rate"],
        "wrong": wrong,
        "kept": [item.filename for item in deployment.list_predicted_assets()],
        "counted": metrics["result"]["inferences"],
        "review": asset.get_review(),
        "shadow": _with_shadow(world),
        "data": _on_data(world),
        "drift": drift,
    }


def _with_shadow(world) -> dict:
    deployment, version = world["deployment"], world["version"]
    shadow = world["model"].create_version(
        labels={"0": "zero", "1": "one"}, type=InferenceType.OBJECT_DETECTION
    )
    deployment.set_shadow_model(shadow)
    prediction = PREDICTIONS["OBJECT_DETECTION"]
    path = str(photo(world["folder"], "shadow.png"))
    reply = deployment.monitor(
        path, latency=0.01, height=32, width=48, prediction=prediction, sample=True
    )
    deployment.monitor_shadow_from_oracle_prediction_id(reply["id"], 0.02, prediction)
    asset = deployment.find_predicted_asset(oracle_prediction_id=reply["id"])
    again = refusal(
        lambda: deployment.monitor_shadow_from_oracle_prediction_id(reply["id"], 0.02, prediction)
    )
    return {
        "of": asset.get_shadow_prediction()["model_version_id"] == str(shadow.id),
        "champion_of": asset.get_champion_prediction()["model_version_id"] == str(version.id),
        "again": again,
    }


def _on_data(world) -> list[str]:
    """The same data twice: the newer prediction replaces the older one."""
    deployment = world["deployment"]
    data = world["lake"].find_data(filename="photo-05.png")
    for _ in range(2):
        deployment.monitor_data(
            data, latency=0.01, height=32, width=48, sample=True,
            prediction=PREDICTIONS["OBJECT_DETECTION"],
        )  # fmt: skip
    assets = deployment.list_predicted_assets()
    return [asset.filename for asset in assets if asset.data_id == data.id]


def deleting(world) -> dict:
    client, deployment = world["client"], world["deployment"]
    asset = deployment.find_predicted_asset(filename="shadow.png")
    asset.delete()
    deployment.delete(force_delete=True)
    lake = world["lake"]
    return {
        "gone": refusal(lambda: client.get_deployment("renamed")),
        "image_stays": len(lake.list_data(filenames=["shadow.png"])),
    }


STEPS = (connecting, registering, uploading, deploying, monitoring, changing, deleting)


def main(host: str, token: str, folder: Path) -> None:
    world = {"host": host, "token": token, "folder": folder}
    seen = {}
    for step in STEPS:
        try:
            seen[step.__name__] = step(world)
        except Exception:  # noqa: BLE001 - the test shows it
            seen[step.__name__] = {"failed": traceback.format_exc()}
    print(json.dumps(seen, default=str))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
