"""A local platform with a small model whose training notebook does as its parameter says."""

from __future__ import annotations

import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.session import Session
from tests.training.furnished import furnished


@pytest.fixture(scope="module")
def running(tmp_path_factory, start_platform):
    """A platform of its own."""
    return start_platform(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def session(running):
    """Of that platform."""
    return Session(home=running.home)


@pytest.fixture(scope="module")
def deployment(session, tmp_path_factory):
    """`line`, which trains on `train` and compares on `eval`."""
    return furnished(session, tmp_path_factory.mktemp("files"), mode="good")


@pytest.fixture
def parameters(session, deployment):
    """Set the parameters of the next run: `parameters(mode="bad")`."""
    owned = session.sdk.get_deployment(name="line")
    project = session.sdk.get_project("retraining line")

    def change(**given):
        owned.setup_continuous_training(project, experiment_parameters=given)

    return change


@pytest.fixture
def trained(parameters, deployment):
    """Begin a run with these parameters: `trained(mode="bad")`."""

    def begin(**given):
        parameters(**given)
        return deployment.training.start()

    return begin


@pytest.fixture
def slow(parameters):
    """Have the next run take for ever."""
    parameters(mode="slow")


@pytest.fixture(scope="module")
def other_server(tmp_path_factory):
    """A second Jupyter server, on this machine too."""
    with jupyter_server(tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


@pytest.fixture
def gpu1(session, other_server, monkeypatch):
    """The second server, saved as the place `gpu1`, with its token in the environment."""
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", TOKEN)
    session.add_place("gpu1", other_server.url)
    return JupyterClient(other_server)
