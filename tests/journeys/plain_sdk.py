"""A program that knows the official SDK alone: no import of ours.

Arguments: host, token, a model file, its serving.json, an image. It deploys, says so on
stdout, waits for a line on stdin until somebody serves the deployment, and goes on.
"""

import json
import sys
import time

from picsellia import Client
from picsellia.exceptions import ResourceNotFoundError
from picsellia.types.enums import Framework, InferenceType

host, token, weights, manifest, image = sys.argv[1:]
client = Client(api_token=token, host=host)

model = client.create_model("by-hand", "made by the plain SDK")
version = model.create_version(
    labels={str(i): str(i) for i in range(10)},
    type=InferenceType.OBJECT_DETECTION,
    framework=Framework.PYTORCH,
)
version.store("model-latest", weights)
version.store("serving.json", manifest)
version.get_file("model-latest").download("stored", force_replace=True)

deployment = version.deploy(name="by-hand-1", min_threshold=0.4)
print("deployed", flush=True)
sys.stdin.readline()

deployment = client.get_deployment("by-hand-1")
reply = deployment.predict(image)
deadline = time.monotonic() + 10
while True:  # it is recorded right after the reply
    try:
        asset = deployment.find_predicted_asset(oracle_prediction_id=reply["id"])
        break
    except ResourceNotFoundError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.05)
champion = asset.get_champion_prediction()
deployment.update(min_threshold=0.6)
print(
    json.dumps(
        {
            "boxes": len(reply["detection_boxes"]),
            "rectangles": len(champion["rectangles"]),
            "assets": len(deployment.list_predicted_assets()),
            "size": [asset.width, asset.height],
            "threshold": deployment.sync()["min_threshold"],
            "labels": sorted(label.name for label in deployment.list_labels()),
        }
    )
)
