"""Hostile model files, taken the whole way of a deployment, in real workers."""

import json
import socket

import pytest

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import confinement, trial
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pool import Pool
from tests.serving import fakes, hostile_torch, models
from tests.serving.conftest import ROOT

needs_linux = pytest.mark.skipif(
    confinement.support().kind != "full", reason=confinement.support().why
)


class Trap:
    """A folder and a port that no model may touch."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.bait = hostile_torch.Bait(
            folder / "written", folder / "secret", self.listener.getsockname()[1]
        )
        self.bait.secret.write_text("canary")

    def sprung(self):
        """What hostile code has done, if any."""
        done = [path.name for path in self.folder.iterdir() if path.name != "secret"]
        if self.bait.secret.read_text() != "canary":
            done.append("secret")
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return done
        return [*done, "socket"]


@pytest.fixture
def trap(tmp_path):
    made = Trap(tmp_path / "outside")
    yield made
    made.listener.close()


REASONS = {
    "TorchScript that reads when it is loaded": "calls aten::from_file on files",
    "TorchScript that writes when it is loaded": "calls aten::from_file on files",
    "TorchScript that reads when it is run": "calls aten::from_file on files",
    "TorchScript that writes when it is run": "calls aten::from_file on files",
    "TorchScript that saves when it is run": "calls aten::save on files",
    "TorchScript that spells its call in another way": "calls aten::from_file on files",
    ".pt2 that reads when it is run": "calls aten::from_file on files",
    ".pt2 that writes when it is run": "calls aten::from_file on files",
    ".pt2 with pickled sample inputs": "holds a pickle",
    ".pt2 with a pickled weight": "holds a pickle",
    ".pt2 with a pickled constant": "holds a pickle",
    ".pt2 with a pickled object": "with a Python pickle",
    ".pt2 with code for the size of a tensor": "which is code",
    ".pt2 with machine code": "with machine code",
    ".pt2 in a zip archive": "a zip archive of no known model format",
    "torch.save of an object": "a Python pickle that calls __builtin__.exec",
    "torch.save of an object, in its old form": "is a Python pickle",
    "torch.save with a second root": "several roots",
    "torch.package": "is a torch.package",
}


def refused(kernel):
    """What a deployment is told of a model that is not served."""
    error = fakes.wait_for(lambda: kernel.status()["error"], within_s=60)
    assert error["detail"], "there is no remedy"
    return error["message"]


@pytest.mark.parametrize("name", hostile_torch.FILES)
def test_a_deployment_of_a_hostile_torch_file_is_refused_and_harms_nobody(
    name, start, trap, serving
):
    def make(path):
        path.write_bytes(hostile_torch.FILES[name](trap.bait))
        return path

    kernel = start(make)
    assert REASONS[name] in refused(kernel)
    assert trap.sprung() == []
    fakes.wait_for(lambda: kernel.service.worker_pid is None)
    assert serving.predict(monitor="False").json()["detection_classes"] == [0]


# What is left where the gate is fooled: its checks are off, and torch unpickles anything -----


UNLOADABLE = (".pt2 with machine code", ".pt2 in a zip archive")
PROGRAMS = [n for n in REASONS if n.startswith(("TorchScript", ".pt2")) and n not in UNLOADABLE]
QUICK = (
    "TorchScript that writes when it is loaded", "TorchScript that reads when it is run",
    ".pt2 with a pickled object", ".pt2 with code for the size of a tensor",
)  # fmt: skip


@pytest.fixture(params=PROGRAMS)
def program(request, trap, tmp_path, long, monkeypatch):
    """The name of a hostile program, and its file."""
    if request.param not in QUICK and not long:
        pytest.skip("refused by the rule of another file, which is tried; --long tries each")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "serving.json").write_text(json.dumps(models.DETECTOR))
    path = tmp_path / "model-latest"
    path.write_bytes(hostile_torch.FILES[request.param](trap.bait))
    return request.param, path


def ungated(path):
    """Load a file and predict, with nothing but the sandbox, if that; what came of it."""
    request = LoadRequest(path, path.with_name("serving.json"), InferenceType.OBJECT_DETECTION)
    pool = Pool(
        request, lambda *_: None, lambda _: None, module="tests.serving.ungated",
        photo=trial.photo(), workers=1,
    )  # fmt: skip
    try:
        return trial.run(pool, pool.start())
    except PicselliaJupyterError as error:
        return error
    finally:
        pool.stop()


@needs_linux
def test_the_sandbox_alone_stops_a_hostile_program(program, trap):
    name, path = program
    outcome = ungated(path)
    assert trap.sprung() == []
    # aten::save does not tell that it could not.
    assert isinstance(outcome, PicselliaJupyterError) or "saves" in name


@needs_linux
def test_without_the_sandbox_a_hostile_program_does_what_it_is_for(program, trap, monkeypatch):
    monkeypatch.setattr(confinement, "support", lambda: confinement.Support("process"))
    name, path = program
    outcome = ungated(path)
    if "reads" in name:
        assert outcome.sandbox == "process"  # it was read, and all went well
    else:
        assert "written" in trap.sprung()
