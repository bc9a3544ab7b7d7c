"""`picsellia-jupyter spool`: what ended programs left in their spools, and what was refused."""

import json
import time

import pytest

from picsellia_jupyter.cli import main
from picsellia_jupyter.display.spools import spools_text
from picsellia_jupyter.domain.spools import SpoolDepth
from picsellia_jupyter.recording import shelf
from picsellia_jupyter.recording.outbox import Outbox
from picsellia_jupyter.settings import Settings
from tests.recording.test_outbox import names, record


@pytest.fixture
def folder(tmp_path):
    return Settings(home=tmp_path).spools / "deployment"


@pytest.fixture
def left(folder):
    """An ended program's spool: one prediction was refused, two wait."""
    outbox = Outbox(folder)
    for name in "abc":
        outbox.put(record(name)).result(30)
    outbox.set_aside(outbox.next(), "It is no image.")
    outbox.close()


@pytest.fixture
def spool(tmp_path, capsys):
    """Run the command: its status and what it printed."""

    def run(*words):
        status = main(["spool", *words, "--home", str(tmp_path)])
        out, err = capsys.readouterr()
        return status, out + err

    return run


def test_where_nothing_waits_it_says_so(spool):
    assert spool("list") == (0, "No prediction waits on this machine.\n")
    assert spool("list", "--json") == (0, "[]\n")


def test_it_lists_what_waits_its_age_and_what_was_refused_and_why(spool, left):
    _, said = spool("list")
    head, reason = said.splitlines()
    assert head.startswith("deployment: 2 to be recorded, 1 set aside, 0.0 MiB, the oldest of ")
    assert reason == "  id of a: It is no image."
    [told] = json.loads(spool("list", "--json")[1])
    assert (told["waiting"], told["refused"]) == (2, [["id of a", "It is no image."]])
    assert told["oldest"] == 1.5


def test_a_status_says_in_a_line_what_ended_programs_left(folder, left, tmp_path):
    assert shelf.summary(tmp_path / "nothing") == ""
    said = shelf.summary(folder.parent)
    assert said.startswith("2 predictions of ended programs, 1 set aside, the oldest of ")
    assert said.endswith("; see: picsellia-jupyter spool list")
    next(folder.glob("*.sqlite3")).unlink()
    (folder / "x.sqlite3").mkdir()
    assert "cannot be read" in shelf.summary(folder.parent)


def test_what_was_refused_is_tried_again_in_its_place(spool, left, folder):
    assert spool("retry") == (0, "1 prediction to be tried again.\n")
    outbox = Outbox(folder)
    assert names(outbox, 3) == ["a", "b", "c"]
    outbox.close()


def test_what_was_refused_is_dropped_and_nothing_else(spool, left, folder):
    assert spool("drop", "deployment") == (0, "1 prediction dropped.\n")
    outbox = Outbox(folder)
    assert names(outbox, 2) == ["b", "c"]
    outbox.close()


def test_a_deployment_that_has_no_spool_is_named(spool, left):
    status, said = spool("drop", "deploiment")
    assert status == 1
    assert "There is no spool of a deployment named 'deploiment'." in said
    assert "Did you mean 'deployment'?" in said


def test_a_running_programs_spool_is_left_alone(spool, folder):
    outbox = Outbox(folder)
    outbox.put(record("a")).result(30)
    assert "1 in use by running programs" in spool("list")[1]
    assert spool("retry")[1] == "0 predictions to be tried again.\n"
    assert names(outbox, 1) == ["a"]
    outbox.close()


@pytest.mark.parametrize(
    ("seconds", "age"), [(5, "5 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d")]
)
def test_ages_and_many_reasons_are_short(seconds, age):
    refused = tuple((str(n), "No.") for n in range(25))
    said = spools_text([SpoolDepth("d", 0, refused, 0, time.time() - seconds)])
    assert f"the oldest of {age} ago" in said
    assert said.endswith("  19: No.\n  and 5 more (--json shows all)")
