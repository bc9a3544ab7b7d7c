import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import capacity
from picsellia_jupyter.serving.kernel import ServingProgram
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.serving.supervisor import Limits
from tests.serving import fakes, models

ROOT = Path(__file__).parents[2]


class Kernel:
    """A serving kernel in this process, with a client for each kind of caller."""

    def __init__(self, program, platform):
        self.program = program
        self.platform = platform
        self.service = program.service
        self.control = httpx.Client(
            base_url=program.address,
            headers={"Authorization": "Bearer front-token-canary"},
            timeout=20,
        )

    def status(self):
        return self.control.get("/control/status").json()

    def prepared(self):
        return fakes.wait_for(lambda: (s := self.status())["dry_run"] and s)

    def failed(self):
        return fakes.wait_for(lambda: (s := self.status())["error"] and s, within_s=20)

    def attach(self):
        self.prepared()
        reply = self.control.post("/control/attach", json={"deployment_id": fakes.DEPLOYMENT})
        assert reply.status_code == 200, reply.text
        return self

    def login(self, token="api-token-canary", deployment=fakes.DEPLOYMENT):
        return httpx.post(
            f"{self.program.address}/api/login",
            json={"api_token": token, "deployment_id": deployment},
        )

    def predict(self, image=None, name="page.jpg", **fields):
        if not hasattr(self, "jwt"):
            self.jwt = self.login().json()["jwt"]
        return httpx.post(
            f"{self.program.address}/api/deployments/{fakes.DEPLOYMENT}/predict",
            headers={"Authorization": f"Bearer {self.jwt}"},
            data={"monitor": "True", "postprocess": "True", **fields},
            files={"media": (name, fakes.picture() if image is None else image)},
            timeout=30,
        )

    def close(self):
        self.control.close()
        self.program.stop("the test is over")


class AskablePool(Pool):
    """A pool of workers that run `engines.Engine`, with short limits."""

    LIMITS = Limits(
        load_s=5, tick_s=0.05, pulse_s=0.5, stall_s=0.5, first_s=2, backoff_s=(0.05, 0.1)
    )

    def __init__(self, model, **options):
        self.told = []
        request = LoadRequest(Path(model), None, InferenceType.CLASSIFICATION)
        options = {"limits": self.LIMITS, "photo": b"fine", **options}
        super().__init__(
            request,
            lambda *state: self.told.append(state),
            lambda _: None,
            module="tests.serving.engines",
            **options,
        )

    def ask(self, photo, *, timeout_s=20):
        return self.submit(photo.encode(), "a.jpg", record=False, timeout_s=timeout_s)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a serving kernel of a model, with one worker; by default a detector in ONNX."""
    monkeypatch.setattr(capacity, "MOST", 1)
    started = []

    def begin(make=models.onnx_detector, manifest=models.DETECTOR, **platform):
        model = make(tmp_path / "model-latest")
        fake = fakes.store(fakes.FakePlatform(**platform), model, manifest)
        program = ServingProgram(fakes.job(tmp_path / "cache"), lambda: fake)
        kernel = Kernel(program, fake)
        started.append(kernel)
        program.start()
        return kernel

    yield begin
    for kernel in started:
        kernel.close()


@pytest.fixture
def own(start):
    """A serving kernel that is attached to its deployment, for this test alone."""
    return start().attach()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    model = models.onnx_detector(folder / "model-latest")
    platform = fakes.store(fakes.FakePlatform(), model, models.DETECTOR)
    program = ServingProgram(fakes.job(folder / "cache"), lambda: platform)
    program.start()
    kernel = Kernel(program, platform).attach()
    yield kernel
    kernel.close()


@pytest.fixture
def serving(shared):
    """A serving kernel that is attached; a test that uses it leaves it ready."""
    shared.platform.threshold = 0.5
    fakes.wait_for(lambda: shared.service._attached.threshold == 0.5)
    assert shared.service.flush(5) == 0
    shared.platform.recorded.clear()
    return shared


@pytest.fixture
def host(tmp_path):
    """Start `host.py` in its own process."""
    started = []

    def begin(*options):
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("host.py")), str(tmp_path), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PICSELLIA_TOKEN": "environment-canary"},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def started_pools():
    """The pools that `make_pool` has made so far."""
    pools = []
    yield pools
    for pool in pools:
        pool.stop()


@pytest.fixture
def make_pool(monkeypatch, started_pools):
    """Start a pool, by default of one worker, and wait until all are ready."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def begin(model="fine", *, workers=1, **options):
        pool = AskablePool(model, workers=workers, **options)
        started_pools.append(pool)
        pool.start()
        pool.grow()
        fakes.wait_for(lambda: pool.numbers().ready == workers)
        return pool

    return begin
