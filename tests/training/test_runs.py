"""Training runs on a real platform, with real kernels, looked at with the unmodified SDK."""

from __future__ import annotations

import os
import signal
import socket
import time

import nbformat
import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell

from picsellia_jupyter import magics
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    PackageMissingError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.training import RunState
from picsellia_jupyter.launch import loopback, versions
from picsellia_jupyter.session import Session

PATIENCE_S = 120.0


def until(holds):
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def notebook_of(session, run, folder):
    experiment = session.sdk.get_experiment_by_id(run.data.experiment_id)
    artifact = experiment.get_artifact("executed.ipynb")
    artifact.download(str(folder))
    return nbformat.read(folder / artifact.filename, as_version=4)


def runners_of(run):
    """Its runner, and all that it has started."""
    for one in psutil.process_iter(["cmdline"]):
        if run.id in (one.info["cmdline"] or ()):
            return [one, *one.children(recursive=True)]
    return []


def test_a_run_makes_a_version_and_compares_it_with_the_champion(session, trained, tmp_path):
    run = trained(mode="good").wait(PATIENCE_S)

    assert (run.data.state, run.data.base, run.version) == (RunState.SUCCESS, "tiny:0", "tiny:1")
    assert run.metrics == {"loss": (3.0, 2.0, 1.0), "epochs": (3.0,)}
    assert run.log().splitlines()[:2] == ["begun with good", "done"]
    # 21 images, of which one is trained on; both versions are the same model.
    found = run.held_out.comparison
    assert found.images == 20
    assert run.held_out.said == "1 image was trained on and left out."
    assert found.scores["ap_50"].champion.value > 0.9
    assert found.scores["ap_50"].gain.value == pytest.approx(0.0)

    experiment = session.sdk.get_experiment_by_id(run.data.experiment_id)
    assert (experiment.name, experiment.status.name) == ("line-1", "SUCCESS")
    assert set(experiment.get_attached_dataset_versions()) == {"train", "eval"}
    version = session.sdk.get_model("tiny").get_version(1)
    assert {file.name for file in version.list_files()} == {
        "model-latest", "serving.json", "training.ipynb", "executed.ipynb",
    }  # fmt: skip
    book = notebook_of(session, run, tmp_path)
    assert [cell.execution_count for cell in book.cells if cell.cell_type == "code"][-1] == 6
    assert session.platform.token not in nbformat.writes(book)
    assert "AP" not in repr(run)
    assert "tiny:1" in repr(run)


def test_a_run_that_fails_says_in_which_cell_and_is_retried(session, trained, tmp_path):
    run = trained(mode="bad")
    with pytest.raises(PlatformError, match="Cell 4 of the notebook: RuntimeError: the loss is"):
        run.wait(PATIENCE_S)

    assert run.data.version == ""
    assert "the loss is not a number" in nbformat.writes(notebook_of(session, run, tmp_path))
    again = run.retry()
    again.cancel()
    assert again.wait(PATIENCE_S).data.state is RunState.CANCELED


@pytest.fixture
def shell(session, monkeypatch):
    """IPython with our magics, on the platform of the session."""
    monkeypatch.setenv("PICSELLIA_JUPYTER_HOME", str(session._settings.home))
    ip = InteractiveShell.instance()
    magics.register(ip)
    yield lambda line: ip.run_cell(line).result
    magics.unregister(ip)
    InteractiveShell.clear_instance()


def test_a_cancelled_run_ends_its_kernel_and_keeps_what_was_done(session, slow, shell, tmp_path):
    run = shell("%retrain line --no-wait")
    until(lambda: "begun with slow" in run.log())
    family = runners_of(run)
    assert len(family) >= 3
    assert "running" in repr(shell("%retrain line --show"))

    shell("%retrain line --cancel")

    assert shell("%retrain line --follow").data.state is RunState.CANCELED
    run.refresh()
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert (len(gone), alive) == (len(family), [])
    assert "begun with slow" in nbformat.writes(notebook_of(session, run, tmp_path))


def test_a_run_is_done_elsewhere_and_its_kernel_is_gone_after_it(deployment, gpu1, parameters):
    parameters(mode="good")
    run = deployment.training.start(on="gpu1")
    [kernel] = gpu1.kernels()
    said = gpu1.execute(kernel, "", "[one.name for one in __import__('threading').enumerate()]",
                        timeout_s=60)  # fmt: skip

    run.wait(PATIENCE_S)

    # The kernel answered while the run was under way.
    assert "'training'" in said
    assert (run.data.state, run.data.place) == (RunState.SUCCESS, "gpu1")
    assert run.version.startswith("tiny:")
    assert run.held_out.comparison.images == 20
    assert "gpu1" in repr(run)
    until(lambda: not gpu1.kernels())


def test_where_no_run_can_be_done_none_is_left_behind(deployment, gpu1, parameters, monkeypatch):
    parameters(mode="good")
    line = deployment.training
    before = len(line.runs)
    with pytest.raises(LinkError, match="does not answer"):
        line.start(on=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(InvalidInputError, match="'ray' is none"):
        line.start(on="ray")
    with monkeypatch.context() as another:
        another.setattr(loopback, "identity", lambda: "of another machine")
        with pytest.raises(PlatformUnreachableError, match="from its own machine alone") as apart:
            line.start(on="gpu1")
    with monkeypatch.context() as newer:
        newer.setattr(versions, "own", lambda: "99")
        with pytest.raises(PackageMissingError, match="this notebook has 99") as other:
            line.start(on="gpu1")

    assert "connect to a platform that gpu1 reaches" in str(apart.value)
    assert "pip install 'picsellia_jupyter[training,serving]==99'" in str(other.value)
    assert len(line.runs) == before
    until(lambda: not gpu1.kernels())


def test_a_kernel_killed_elsewhere_fails_the_run_which_names_the_place(
    session, slow, gpu1, shell, monkeypatch, long
):
    if not long:
        pytest.skip("only the end of its lease tells that a runner was killed: 15 s, with --long")
    run = shell("%retrain line --on gpu1 --no-wait")
    until(lambda: "begun with slow" in run.log())
    [kernel] = gpu1.kernels()
    trainer = psutil.Process(int(gpu1.execute(kernel, "", "__import__('os').getpid()",
                                              timeout_s=60)))  # fmt: skip
    programs = trainer.children(recursive=True)
    token = session.platform.token
    # The notebook's program and its kernel alone have the token, and in their environment.
    assert token not in str((trainer.cmdline(), trainer.environ()))
    assert not any(token in str(one.cmdline()) for one in programs)
    assert any(one.environ().get("PICSELLIA_TOKEN") == token for one in programs)

    os.kill(trainer.pid, signal.SIGKILL)

    with pytest.raises(PlatformError, match="The kernel that trained at gpu1 ended without a word"):
        run.wait(PATIENCE_S)
    assert run.data.attempt == 1
    _, alive = psutil.wait_procs(programs, timeout=20)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    until(lambda: not gpu1.kernels())


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_training_that_stores_no_model_makes_no_version(trained, long):
    if not long:
        pytest.skip("one more kernel; --long has it")
    run = trained(mode="nothing")
    with pytest.raises(PlatformError, match="Training has stored no 'model-latest'"):
        run.wait(PATIENCE_S)


def test_a_killed_runner_is_followed_by_another_one(trained, long):
    if not long:
        pytest.skip("only the end of its lease tells that a runner was killed: 15 s, with --long")
    run = trained(mode="slow")
    until(lambda: "begun with slow" in run.log())
    for one in runners_of(run)[:1]:
        one.kill()
    until(lambda: run.refresh().data.attempt == 2 and run.log().count("begun with slow") == 2)
    run.cancel()
    assert run.wait(PATIENCE_S).data.state is RunState.CANCELED


def test_a_run_over_its_time_is_ended_and_says_so(trained, long):
    if not long:
        pytest.skip("takes its time; --long does")
    run = trained(mode="slow", limits={"wall_s": 8})
    with pytest.raises(PlatformError, match="It took longer than 8 s, its limit 'wall_s'"):
        run.wait(PATIENCE_S)


def test_a_run_goes_on_while_its_platform_is_killed_and_comes_back(
    running, start_platform, trained, long
):
    if not long:
        pytest.skip("starts another platform; --long does")
    run = trained(mode="slow")
    until(lambda: "begun with slow" in run.log())
    family = runners_of(run)

    running.kill()
    start_platform(running.home)

    assert all(one.is_running() for one in family)
    again = Session(home=running.home).deployment("line").training.newest()
    heard = again.data.step
    again.cancel()
    assert again.wait(PATIENCE_S).data.state is RunState.CANCELED
    assert (again.data.attempt, heard) == (1, "training")
