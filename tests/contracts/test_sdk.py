"""The unmodified SDK, in a process of its own, against the local platform."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("sdk_driver.py")
KINDS = {
    "CLASSIFICATION": ("classifications", {}),
    "OBJECT_DETECTION": ("rectangles", {"x": 1, "y": 2, "w": 29, "h": 18}),
    "SEGMENTATION": ("polygons", {"polygon": [[1, 1], [10, 1], [10, 10]]}),
    "LINE": ("lines", {"line": [[1, 1], [9, 9]]}),
    "POINT": ("points", {"point": [5, 6]}),
    "KEYPOINT": ("keypoints", {"keypoint": [[5, 6, 2]]}),
    "MASK": ("masks", {"mask": "a1"}),
}


@pytest.fixture(scope="module")
def seen(start_platform, tmp_path_factory):
    """What the SDK saw, step by step."""
    running = start_platform(tmp_path_factory.mktemp("home"))
    folder = tmp_path_factory.mktemp("sdk")
    done = subprocess.run(
        [sys.executable, str(DRIVER), running.host, running.token, str(folder)],
        env={**os.environ, "PICSELLIA_SDK_CUSTOM_LOGGING": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def step(seen, request):
    found = seen[request.param]
    assert "failed" not in found, found.get("failed")
    return found


def of(name):
    return pytest.mark.parametrize("step", [name], indirect=True)


@of("connecting")
def test_it_connects_by_default_and_by_name(step):
    assert step["name"] == "local"
    assert step["named"]
    assert step["users"] == ["local"]


@of("connecting")
def test_a_wrong_token_is_told(step):
    assert "token is missing, unknown or expired" in step["wrong_token"]["text"]


@of("registering")
def test_models_and_versions_are_made_and_found(step):
    assert (step["version"], step["second_version"]) == (0, 1)
    assert step["labels"] == {"0": "zero", "1": "one"}
    assert step["found"]
    assert step["models"] == ["digits detector"]


@of("registering")
def test_files_come_back_bit_by_bit_large_ones_and_replaced_ones_too(step):
    assert step["is_large"]
    assert step["files"] == step["files_sent"]


@of("registering")
def test_taken_and_misspelt_names_are_refused_with_a_remedy(step):
    assert step["duplicate"]["kind"] == "ResourceConflictError"
    assert step["taken_file"]["kind"] == "ResourceConflictError"
    assert step["unknown"]["kind"] == "ResourceNotFoundError"
    assert step["unknown"]["text"].endswith("Detail: Did you mean 'digits detector'?")
    assert step["no_context"]["kind"] == "ResourceNotFoundError"


@of("uploading")
def test_images_are_uploaded_listed_and_downloaded(step):
    assert step["sent"] == 25
    assert step["listed"] == sorted([f"photo-{n:02}.png" for n in range(25)] + ["sideways.jpg"])
    assert step["same_bytes"]
    assert step["size"] == [48, 32]


@of("uploading")
def test_a_photo_taken_sideways_has_its_upright_size(step):
    assert step["sideways"] == [[32, 48]]


@of("uploading")
def test_lists_come_in_pages_and_in_any_order(step):
    assert sorted(step["in_pages"]) == step["listed"]
    assert step["ordered"] == step["listed"][5:15]


@of("uploading")
def test_data_are_found_by_name_id_tag_query_and_metadata(step):
    assert sorted(step["by_name"]) == ["photo-01.png", "photo-02.png"]
    assert step["by_id"] == 7
    assert (step["tagged"], step["both_tags"]) == (25, 25)
    assert step["by_query"] == ["photo-09.png"]
    assert step["by_metadata"] == ["sideways.jpg"]
    assert "cannot be read" in step["bad_query"]["text"]


@of("uploading")
def test_tags_and_sources_are_kept(step):
    assert step["tags"] == ["night", "wet"]
    assert step["source"] == "camera 7"


@of("uploading")
def test_deleted_data_are_gone(step):
    assert step["deleted"]["kind"] == "ResourceNotFoundError"


@of("deploying")
def test_a_version_is_deployed_in_both_ways(step):
    assert step["name"] == "by-version"
    assert "-" in step["invented"]
    assert step["listed"] == sorted(["by-version", step["invented"]])
    assert step["found"]
    assert step["version"]
    assert step["kind"] == "OBJECT_DETECTION"
    assert (step["threshold"], step["default_threshold"]) == (0.3, 0.1)
    assert step["disabled"] is True
    assert step["labels"] == ["zero", "one"]
    assert step["information"] == "by-version"


@of("deploying")
def test_deployments_that_cannot_be_are_refused(step):
    assert step["duplicate"]["kind"] == "ResourceConflictError"
    assert "40 % is 0.4" in step["percentage"]["text"]
    assert "NOT_CONFIGURED" in step["unconfigured"]["text"]
    assert step["no_shadow"]["kind"] == "NoShadowModel"
    assert "'by-version'" in step["in_use"]["text"]


@of("monitoring")
@pytest.mark.parametrize("kind", KINDS)
def test_every_inference_type_is_monitored_and_read_back(step, kind):
    got, (key, geometry) = step[kind], KINDS[kind]
    first = got["champion"][key][0]
    assert first["label"]["name"] == "one"
    assert first["score"] == 0.9
    assert {name: first[name] for name in geometry} == geometry
    assert len(got["champion"][key]) == 2
    assert got["listed"] == [f"{kind}.png"]
    assert got["same_bytes"]
    assert got["data_in_lake"]
    assert got["tags"] == ["day"]
    assert got["inferences"] == 1


@of("monitoring")
@pytest.mark.parametrize("kind", KINDS)
def test_every_inference_type_is_counted(step, kind):
    got, only_first = step[kind], kind == "CLASSIFICATION"
    assert got["log"]["timestamps"] == [1700000000.5]
    assert got["log"]["latencies"] == [0.0125]
    assert got["log"]["scores"] == ([0.9] if only_first else [0.9, 0.25])
    assert got["labels"] == ({"one": 1} if only_first else {"one": 1, "zero": 1})
    assert got["threshold"] == (None if only_first else 0.1)


@of("changing")
def test_the_threshold_is_changed_and_read_back(step):
    assert step["threshold"] == 0.55
    assert step["name"] == "renamed"
    assert step["sample_rate"] == 0.5
    assert step["wrong"]["kind"] == "BadRequestError"


@of("changing")
def test_what_is_not_sampled_is_counted_and_not_kept(step):
    assert step["kept"] == ["sample-True.png"]
    assert step["counted"] == 2


@of("changing")
def test_a_review_is_kept(step):
    rectangle = step["review"]["rectangles"][0]
    assert rectangle["label"]["name"] == "zero"
    assert [rectangle[key] for key in "xywh"] == [1, 2, 3, 4]


@of("changing")
def test_the_shadow_model_has_predictions_of_its_own(step):
    assert step["shadow"]["of"]
    assert step["shadow"]["champion_of"]
    assert "already been processed" in step["shadow"]["again"]["text"]


@of("changing")
def test_monitoring_the_same_data_again_replaces_the_older_prediction(step):
    assert step["data"] == ["photo-05.png"]


@of("changing")
def test_drift_of_a_few_predictions_is_not_guessed(step):
    assert step["drift"]["result"]["verdict"] == "too few"


@of("deleting")
def test_a_deleted_deployment_is_gone_and_its_images_stay(step):
    assert step["gone"]["kind"] == "ResourceNotFoundError"
    assert step["image_stays"] == 1
