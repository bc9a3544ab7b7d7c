"""What the benchmark starts, started once; nothing is timed."""

import json

from benchmarks.serving import servers, workload
from tests.serving import models


def test_the_kernel_of_the_benchmark_serves(tmp_path):
    models.onnx_detector(tmp_path / "model.onnx")
    (tmp_path / "serving.json").write_text(json.dumps(models.DETECTOR))
    with servers.running(servers.SERVERS[0], tmp_path) as running:
        reply = running.predict(workload.form(workload.photo(0)))
        tree = running.tree()
    assert reply.status_code == 200
    assert len(reply.json()["detection_boxes"]) == 2
    assert not any(one.is_running() for one in tree)
