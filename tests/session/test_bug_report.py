"""A bug report tells what is amiss on a machine, and nothing that only its user may know."""

import json
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from picsellia_jupyter.display.bug_reports import report_card, report_text
from picsellia_jupyter.domain.diagnosis import Diagnosis, Fact, Finding, RunningKernel
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.launch.examining import Examined, examine
from picsellia_jupyter.session import Session

CANARIES = {
    "PICSELLIA_TOKEN": "canary-token-1a2b",
    "PICSELLIA_PLACE_GPU1_TOKEN": "canary-place-3c4d",
    "AWS_SECRET_ACCESS_KEY": "canary-key-5e6f",
    "http_proxy": "http://me:canary-proxy-7a8b@127.0.0.1:9/",
    "PICSELLIA_HOST": "http://me:canary-host-9c0d@127.0.0.1:1",
    "DATABASE": "postgresql://me:canary-database-1e2f@db/name",
}
NETRC = "machine 127.0.0.1 login canary-login-3a4b password canary-netrc-5c6d\n"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A home directory with a netrc file."""
    home = tmp_path / "home of ann"
    home.mkdir()
    (home / ".netrc").write_text(NETRC)
    (home / ".netrc").chmod(0o600)
    return home


def doctor(user: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {"PICSELLIA_JUPYTER_HOME": str(user / "data"), "HOME": str(user), "PATH": "/usr/bin"}
    return subprocess.run(
        [sys.executable, "-m", "picsellia_jupyter.cli", "doctor", *words],
        env={**own, **CANARIES},
        cwd=user,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_shows_and_writes_a_report_without_any_planted_secret(user: Path):
    done = doctor(user, "--report")
    file = user / "picsellia-report.md"
    written = file.read_text()

    assert done.returncode == 4, done.stderr
    assert done.stdout.startswith(written)
    assert done.stdout.endswith(
        "Written to ~/picsellia-report.md, without tokens, passwords and your home directory.\n"
    )
    assert "- http_proxy: http://127.0.0.1:9/\n" in written
    assert "- file: ~/.netrc\n" in written
    assert "  Remedy: Remove the entry of 127.0.0.1 from ~/.netrc.\n" in written
    assert "- http://127.0.0.1:1: does not answer: " in written
    assert "  Remedy: Check PICSELLIA_HOST, the network and the proxies below.\n" in written
    assert "PICSELLIA_PLACE_GPU1_TOKEN" in written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    everything = written + done.stdout + done.stderr
    assert "canary" not in everything
    assert str(user) not in everything


def test_as_json_and_in_a_file_that_is_named_it_has_no_secret_either(user: Path):
    done = doctor(user, "--report", "mine.md", "--json")
    facts = json.loads(done.stdout)["facts"]
    assert {"Versions", "Extension", "Platform", "Places", "GPU", "Spool", "Ports"} <= {
        fact["part"] for fact in facts
    }
    assert "canary" not in done.stdout + (user / "mine.md").read_text()


@pytest.fixture
def what(user: Path) -> Examined:
    return Examined(user / "data", user / "spools", CANARIES, user)


def told(report, part: str) -> dict[str, Fact]:
    return {fact.name: fact for fact in report.facts if fact.part == part}


def test_a_platform_that_does_not_accept_the_token_is_told(platform, what: Examined):
    asked = replace(what, environment={}, host=platform.host, token="canary-refused-0")
    report = examine(asked, Diagnosis((), ()), [])
    (fact,) = (one for one in told(report, "Platform").values() if one.name == platform.host)
    assert fact.value == "answers HTTP 401: the token is not accepted"
    assert fact.remedy.startswith("Set PICSELLIA_TOKEN")
    known = replace(asked, token=platform.token)
    report = examine(known, Diagnosis((), ()), [])
    assert told(report, "Platform")[platform.host].value == "answers and accepts the token"
    assert platform.token not in repr(report)


def test_what_kernels_left_behind_and_ports_where_nobody_answers_are_told(what: Examined):
    kernel = RunningKernel("k1", "digits", None, 17, "http://127.0.0.1:1", 1, None)
    amiss = Finding(f"A log lies in {what.user_home}/logs.", "picsellia-jupyter doctor --fix")
    report = examine(what, Diagnosis((kernel,), (amiss,)), [Fact("Places", "gpu1", "lost", "look")])

    assert told(report, "Serving kernels")["left behind"].value == "A log lies in ~/logs."
    assert told(report, "Ports")["1"].value == "nobody answers (process 17)"
    assert told(report, "Ports")["1"].remedy.startswith("Restart its kernel")
    assert told(report, "Places")["gpu1"] in report.amiss
    card = report_card(report, "~/report.md")
    assert "<code>picsellia-jupyter doctor --fix</code>" in card
    assert "Written to ~/report.md" in card
    assert "canary" not in card + report_text(report) + repr(what)


def test_a_spool_that_is_damaged_is_told_with_how_to_read_it(what: Examined):
    (what.spools / "deployment").mkdir(parents=True)
    (what.spools / "deployment" / "broken.sqlite3").write_bytes(b"no database" * 100)
    found = told(examine(what, Diagnosis((), ()), []), "Spool")
    assert found["free disk"].value.endswith(" GiB")
    lost = "~/spools/deployment/broken.damaged"
    assert found["damaged"].value == f"{lost}, 1100 bytes"
    assert found["damaged"].remedy == f"sqlite3 {lost} .recover shows what can still be read of it."


def test_spools_that_cannot_be_read_are_told(what: Examined):
    (what.spools / "deployment" / "a.sqlite3").mkdir(parents=True)
    found = told(examine(what, Diagnosis((), ()), []), "Spool")
    assert found["folder"].value.startswith("cannot be read: ")
    assert found["folder"].remedy == "Move ~/spools away and keep it: it may hold predictions."


def test_a_report_that_cannot_be_written_says_where(tmp_path: Path):
    session = Session(home=tmp_path / "data")
    with pytest.raises(InvalidInputError) as caught:
        session.bug_report(tmp_path / "none" / "report.md")
    assert "cannot be written" in caught.value.fact
    assert "%picsellia doctor --report FILE" in caught.value.remedy
    view = session.bug_report(tmp_path / "report.md")
    assert view.path.read_text() == report_text(view.data)
    assert "Written to" in view._repr_mimebundle_()["text/html"]
