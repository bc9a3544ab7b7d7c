"""What `docs/serving.md` says is true."""

import re
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.domain.predictions import PREDICTION_TYPES
from picsellia_jupyter.serving import oip_body, oip_models, oip_photos, oip_tensors, upload
from tests.serving import fakes

TEXT = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")


def test_the_example_with_tritonclient_runs_as_it_stands(serving):
    [example] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {
        "address": serving.program.address,
        "deployment_id": fakes.DEPLOYMENT,
        "api_token": "api-token-canary",
        "photo": fakes.picture(),
    }
    exec(example, names)
    names["client"].close()
    assert names["boxes"].tolist() == [[16, 16, 48, 48], [64, 32, 112, 80]]
    assert names["scores"] == pytest.approx([0.9, 0.4])
    serving.service.flush(5)
    assert len(serving.platform.recorded) == 1


def test_every_metric_is_named_and_every_named_one_is_there(serving):
    serving.predict()
    headers = {"Authorization": f"Bearer {serving.jwt}"}
    told = httpx.get(f"{serving.program.address}/metrics", headers=headers).text
    ours = r"(?:picsellia_serving|nv_inference)_\w+"
    there = set(re.findall(rf"^# TYPE ({ours})", told, re.MULTILINE))
    assert set(re.findall(ours, TEXT)) == there


def test_every_output_of_photos_is_named():
    kinds = PREDICTION_TYPES.values()
    outputs = {name for kind in kinds for name in oip_photos.outputs(kind, [], {})}
    assert [name for name in sorted(outputs) if f"`{name}`" not in TEXT] == []


def test_the_limits_are_those_that_hold():
    assert f"1 to {oip_models.MAX_PHOTOS} encoded photos" in TEXT
    assert f"at most {upload.MAX_IMAGE_BYTES >> 20} MiB each" in TEXT
    assert f"have {oip_body.MAX_BODY >> 20} MiB at most" in TEXT
    assert f"{oip_tensors.MAX_JSON >> 20} MiB of it JSON" in TEXT
