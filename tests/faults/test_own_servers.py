"""Users' own servers are killed, forked and ended with the platform away: nothing is lost."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

import picsellia_jupyter
from picsellia_jupyter.session import Session
from tests.session import own_servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks and kills")
ROOT = Path(__file__).parents[2]


class OwnServer:
    """A program that monitors, and what it said is kept."""

    def __init__(self, **job):
        self.kept = set()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.faults.own_server", json.dumps(job)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=ROOT,
        )  # fmt: skip

    def listen(self, count=None):
        """Note what is kept, until so many are, or it has nothing more to do."""
        while count is None or len(self.kept) < count:
            line = self.process.stdout.readline().strip()
            assert line, self.process.stderr.read()
            if line == ".":
                return
            self.kept.add(line)

    def go_on(self):
        """Have it serve what waits, and note what is kept."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.listen()

    def kill(self):
        self.process.kill()
        out, _ = self.process.communicate(timeout=30)
        self.kept |= {line for line in out.split() if len(line) == 36}

    def end(self):
        """Have it end as programs do; what it said at last."""
        _, said = self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0, said
        return said


@pytest.fixture
def running(start_platform, tmp_path):
    """A platform of our own."""
    return start_platform(tmp_path / "platform")


@pytest.fixture
def session(running, tmp_path):
    return Session(running.host, running.token, home=tmp_path / "home")


@pytest.fixture
def deployed(session):
    return own_servers.deployment(session)


@pytest.fixture
def begin(running, deployed, tmp_path):
    """Start an own server: `begin(count=5)`."""
    made = []

    def start(**job):
        where = {"host": running.host, "token": running.token, "deployment": deployed.id}
        made.append(OwnServer(**where, home=str(tmp_path / "home"), **job))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.kill()


def records_all(session, running, deployed, kept):
    """Have the next monitor record what is left; every one that was kept is there, once."""
    with picsellia_jupyter.monitor(deployed.id, session=session) as monitor:
        assert monitor.flush(60) == 0
    stored = own_servers.recorded(running.home, deployed)
    assert max(stored.values()) == 1
    assert kept <= set(stored)
    assert list((session._settings.home / "cache" / "spool").glob("*/*")) == []
    return stored


def test_no_kill_loses_or_doubles_what_was_said_to_be_kept(begin, session, running, deployed, long):
    chance, kills, kept = random.Random(3), 40 if long else 3, set()
    for _ in range(kills):
        server = begin(count=10**6)
        server.listen(chance.randint(1, 40))
        server.kill()
        kept |= server.kept
    stored = records_all(session, running, deployed, kept)
    assert len(stored) <= len(kept) + kills
    print(f"{kills} kills of an own server, {len(kept)} kept, 0 lost, 0 doubled")


def test_a_server_that_forks_and_whose_children_end_loses_and_doubles_nothing(
    begin, session, running, deployed
):
    server = begin(count=3, children=2)
    server.listen()
    assert "Traceback" not in server.end()
    assert len(server.kept) == 15
    assert set(records_all(session, running, deployed, server.kept)) == server.kept


def test_what_an_ending_server_leaves_behind_is_said_and_recorded_by_the_next(
    begin, session, running, deployed, start_platform
):
    server = begin(count=1, more=4)
    server.listen()
    running.stop()
    server.go_on()
    said = server.end()
    assert "on disk, which the next monitor of this deployment on this machine records" in said
    again = start_platform(running.home, "--port", running.host.rpartition(":")[2])
    assert again.host == running.host
    assert set(records_all(session, again, deployed, server.kept)) == server.kept
