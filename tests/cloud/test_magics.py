"""Every magic, and what the form and the sidebar ask, against the double of the cloud."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from picsellia_jupyter import cli, magics
from picsellia_jupyter.demo.catalog import pages
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.labserver import answers
from picsellia_jupyter.launch import asking
from picsellia_jupyter.magics.extension import VERBS
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.reading import Reading

ELSEWHERE = (
    "%alerts by-page",
    "%deployment by-page",
    "%pipeline by-page",
    "%promote by-page",
    "%retrain by-page",
    "%review by-page",
    "%rollback by-page",
    "_d.campaign",
    "_d.create_campaign()",
    "_d.dashboard().data",
    "_d.evaluate()",
    "_d.fit_outliers()",
    "_d.predicted()",
    "_d.promote_shadow()",
    "_d.reviews()",
    "_d.training",
    "_d.training.start()",
    "_d.watch()",
)
"""What a cloud has no API for, or nothing to say of but where it is shown."""


class Shell:
    """IPython with the magics; a cell's value, or the error of ours that it ended with."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    def __call__(self, line: str) -> object:
        ran = self._shell.run_cell(line)
        assert ran.error_before_exec is None
        if ran.error_in_exec is None:
            return ran.result
        assert isinstance(ran.error_in_exec, PicselliaJupyterError), repr(ran.error_in_exec)
        return ran.error_in_exec


def told(shell: Shell, line: str) -> str:
    """What a cell shows, or the error with which it cannot be shown."""
    try:
        return repr(shell(line))
    except PicselliaJupyterError as error:
        return str(error)


@pytest.fixture
def shell(cloud, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setenv("PICSELLIA_JUPYTER_HOME", str(tmp_path))
    monkeypatch.delenv("PICSELLIA_TOKEN", raising=False)
    monkeypatch.setattr(asking, "for_secret", lambda _text: cloud.token)
    ip = InteractiveShell.instance()
    magics.register(ip)
    try:
        run = Shell(ip)
        run(f"%picsellia connect {cloud.host}")
        yield run
    finally:
        magics.unregister(ip)
        InteractiveShell.clear_instance()


def test_every_magic_works_or_says_where_it_is_done(shell: Shell, cloud):
    assert f"Picsellia at {cloud.host}" in repr(shell("%picsellia"))
    assert "digits-detector:0" in repr(shell("%registry"))
    assert "local" in repr(shell("%places"))
    made = shell("%deploy digits-detector --strategy monitoring --name by-magic")
    page = f"{cloud.host}/deployment/{made.id}"
    assert "by-magic: not served" in repr(made)
    assert "by-magic" in repr(shell("%deployments"))
    assert cloud.host in repr(shell("%interconnect by-magic"))
    assert page in repr(shell("%monitor by-magic"))
    assert f"{cloud.host} → Organization settings" in str(shell("%usage"))
    assert page in str(shell("%review by-magic"))
    refused = shell(f"%predict '{pages()[0]}' --on by-magic")
    assert "--strategy monitoring --on local --name by-magic" in str(refused)
    assert "has come in 0.1 s" in str(shell("%interconnect by-magic --check --timeout 0.1"))
    assert "by-magic" in repr(shell("%undeploy by-magic"))
    assert shell("%picsellia doctor").data is not None
    assert shell("%undeploy by-magic --delete") is None
    assert "There is no deployment" in str(shell("%monitor by-magic"))


def test_what_the_api_does_not_tell_is_said_with_its_page(shell: Shell, cloud):
    shell("_d = %deploy digits-detector --strategy monitoring --name by-page")
    page = f"{cloud.host}/deployment/{shell('_d.id')}"
    assert [line for line in ELSEWHERE if page not in told(shell, line)] == []
    shell("%undeploy by-page --delete")


def test_no_magic_is_left_out_here():
    tried = Path(__file__).read_text()
    assert [verb.name for verb in VERBS if f'"%{verb.name}' not in tried] == []


def test_a_prediction_that_has_come_is_told_with_its_page(shell: Shell, cloud):
    made = shell("%deploy digits-detector --name by-magic")
    shell(f"%predict '{pages()[0]}' --on by-magic")

    told = shell("%interconnect by-magic --check --timeout 5")

    assert told.fact.startswith(f"{cloud.host} has a prediction of 'by-magic'")
    assert f"{cloud.host}/deployment/{made.id}" in told.remedy
    assert told._render_traceback_() == [f"PlatformError: {told.fact}", told.remedy]
    shell("%undeploy by-magic --delete")


def test_names_are_completed(session):
    names = session.names()

    assert set(names.of_kind("models")) == {"digits-classifier", "digits-detector"}
    assert names.of_kind("versions", "digits-detector") == ["0"]
    assert names.of_kind("datalakes") == ["default"]
    assert names.of_kind("deployments") == []


def test_the_form_is_filled(session):
    read, known = threading.Event(), [Choices()]
    wrong: list[Exception] = []

    def told(change):
        known.append(change(known[-1]))
        if known[-1].is_read and known[-1].facts:
            read.set()

    reading = Reading(session, told, failed=lambda error: (wrong.append(error), read.set()))
    reading.look_up(session.registry().models[0].versions[0])
    reading.begin()

    assert read.wait(60)
    reading.end()
    assert wrong == []
    assert known[-1].serves_itself
    assert known[-1].allowance is None
    (facts,) = known[-1].facts.values()
    assert "model-latest" in {file.name for file in facts.files}


def test_the_sidebar_is_told(session, cloud):
    made = session.deploy("digits-detector", name="seen")

    said = json.loads(answers.overview(session, wake=True))
    stopped = json.loads(answers.stop(session, name="seen"))

    assert said["platform"]["kind"] == "cloud"
    assert said["mpu"] is None
    (row,) = said["deployments"]
    assert (row["state"], row["running"], row["alerts"]) == ("hosted", False, None)
    assert row["url"] == f"{cloud.host}/deployment/{made.id}"
    assert "served by Picsellia, which goes on" in stopped["notes"][0]
    assert len(json.loads(answers.registry(session))["models"]) == 2
    made.undeploy(delete=True)


def test_the_demo_models_are_registered_by_command(cloud, monkeypatch, capsys):
    monkeypatch.setenv("PICSELLIA_TOKEN", cloud.token)

    assert cli.main(["demo", "seed", "--host", cloud.host]) == 0

    assert "there already" in capsys.readouterr().out
