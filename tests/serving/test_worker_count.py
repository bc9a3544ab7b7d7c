"""How many workers a kernel has, as its deployment asks; `--workers` of `%deploy`."""

import pytest

from picsellia_jupyter.serving import capacity
from picsellia_jupyter.serving.kernel import ServingProgram
from tests.serving import fakes, models
from tests.serving.conftest import Kernel


@pytest.mark.parametrize(("asked", "count"), [(None, 1), (2, 2)])
def test_a_kernel_has_as_many_workers_as_its_job_asks_for(asked, count, tmp_path, monkeypatch):
    monkeypatch.setattr(capacity, "MOST", 1)
    model = models.onnx_detector(tmp_path / "model-latest")
    platform = fakes.store(fakes.FakePlatform(), model, models.DETECTOR)
    job = fakes.job(tmp_path / "cache", workers=asked)
    program = ServingProgram(job, lambda: platform)
    kernel = Kernel(program, platform)
    program.start()
    try:
        kernel.attach()
        fakes.wait_for(lambda: program.service.readings().workers.ready == count)
        assert len(program.service.worker_pids) == count
        assert kernel.predict().status_code == 200
    finally:
        kernel.close()
