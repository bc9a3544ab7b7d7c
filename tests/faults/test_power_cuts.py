"""The power goes at any moment: only what was synced is left."""

import bisect
import random
from pathlib import Path

from picsellia_jupyter.localplatform.bootstrap import open_platform
from tests.faults.monitoring import Client, faults_of
from tests.faults.replay import Disk, steps


def burst(behind_shim, folder: Path, *, synchronous: str, seconds: float) -> Client:
    """Monitor in a platform that journals; then it is killed."""
    journal = folder / "journal"
    running = behind_shim(folder / "home", synchronous=synchronous, SHIM_JOURNAL=str(journal))
    client = Client.of(running)
    client.moment = lambda: journal.stat().st_size
    begun = client.moment()
    for thread in client.burst(seconds):
        thread.join(60)
    running.kill()
    client.begun = begun
    return client


def cuts(folder: Path, client: Client, rounds: int, chance: random.Random):
    """Cut the power at random moments of the burst; what was acknowledged until then."""
    changes = list(steps(folder / "journal"))
    ends = [change.end for change in changes]
    first = bisect.bisect_left(ends, client.begun)
    moments = sorted(chance.randrange(first, len(changes)) for _ in range(rounds))
    disk, done = Disk(str(folder / "home")), 0
    for number, moment in enumerate(moments):
        for change in changes[done : moment + 1]:
            disk.take(change)
        done = moment + 1
        home = folder / f"after-{number}"
        home.mkdir()
        # The worst case, and in every other round what chance leaves.
        disk.lose_power(home, chance if number % 2 else None)
        there = {mine for mine, at in client.acknowledged.items() if at <= ends[moment]}
        yield home, there


def test_no_power_cut_loses_what_was_acknowledged(behind_shim, tmp_path, long):
    chance, total = random.Random(11), 0
    for number in range(5 if long else 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        client = burst(behind_shim, folder, synchronous="FULL", seconds=3 if long else 1.5)
        for home, there in cuts(folder, client, 8 if long else 6, chance):
            # A prediction may be durable before its answer is out.
            spare = len(client.acknowledged) + len(client.unanswered) - len(there)
            assert faults_of(home, there, client.deployment, unanswered=spare) == []
            total += len(there)
            opened, _ = open_platform(home, token=None, clock=lambda: 0.0, started_at=0.0)
            opened.store.close()
    assert total > 100
    print(f"{total} acknowledged before {40 if long else 6} cuts, 0 lost")


def test_this_way_of_testing_sees_what_a_careless_database_loses(behind_shim, tmp_path):
    client = burst(behind_shim, tmp_path, synchronous="NORMAL", seconds=1)
    lost = sum(
        fault.startswith("lost")
        for home, there in cuts(tmp_path, client, 4, random.Random(3))
        for fault in faults_of(home, there, client.deployment, unanswered=10**9)
    )
    assert lost > 0
    print(f"NORMAL loses {lost}")
