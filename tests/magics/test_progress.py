from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from picsellia_jupyter.domain.deployments import Progress, Stage
from picsellia_jupyter.magics.progress import ProgressView


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]):
    InteractiveShell.instance()
    yield lambda: capsys.readouterr().out
    InteractiveShell.clear_instance()


def test_a_terminal_gets_one_output_for_each_stage(shown):
    with ProgressView() as view:
        view(Progress(Stage.RESOLVE, "looking up pets", 0.0))
        view(Progress(Stage.DOWNLOAD, "starting a serving kernel", 0.1))
        view(Progress(Stage.DOWNLOAD, "model-latest of pets:0", 0.2))
        view(Progress(Stage.READY, "calm-river is ready", 0.5))

    assert shown().count("looking up pets") >= 1


def test_the_last_thing_said_of_a_stage_stays(shown):
    with ProgressView() as view:
        view(Progress(Stage.DOWNLOAD, "starting a serving kernel", 0.1))
        view(Progress(Stage.DOWNLOAD, "model-latest of pets:0", 0.2))
        view(Progress(Stage.LOAD, "pets:0 in a model worker", 0.3))

    assert [step.detail for step in view._steps] == [
        "model-latest of pets:0",
        "pets:0 in a model worker",
    ]


def fails_with(error: BaseException) -> None:
    with ProgressView() as view:
        view(Progress(Stage.LOAD, "pets:0 in a model worker", 0.3))
        raise error


def test_a_failure_is_shown_and_goes_on_up(shown):
    with pytest.raises(ValueError, match="broken"):
        fails_with(ValueError("broken"))

    assert "broken" in shown()


def test_being_stopped_is_said(shown):
    with pytest.raises(KeyboardInterrupt):
        fails_with(KeyboardInterrupt())

    assert "stopped" in shown()
