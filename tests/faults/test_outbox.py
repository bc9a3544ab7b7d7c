"""A process that holds an outbox is killed, its power cut, its platform killed: nothing is lost."""

import bisect
import random
import sqlite3

from tests.faults.conftest import await_kept, stored_faults, stored_in_order
from tests.faults.replay import Disk, steps


def test_no_kill_of_its_holder_loses_or_doubles_a_prediction(platform, holders, tmp_path, long):
    home, job, running, _ = platform
    chance, kills, forking = random.Random(5), 200 if long else 8, holders()
    said = forking.said
    for _ in range(kills):
        forking.start(**job)
        enough = len(said.kept) + chance.randint(1, 40)
        forking.listen(lambda enough=enough: len(said.kept) >= enough)
        forking.kill()
    forking.start(**job, threads=0)
    forking.listen(lambda: False)
    running.kill()
    assert stored_faults(home, job, said) == []
    assert list((tmp_path / "spool").iterdir()) == []
    print(f"{kills} kills of the holder, {len(said.kept)} kept, 0 lost, 0 doubled")


def test_no_kill_of_the_platform_loses_or_doubles_a_prediction(platform, holders, tmp_path, long):
    home, job, running, again = platform
    chance, kills, forking = random.Random(6), 40 if long else 1, holders()
    said = forking.said
    forking.start(**job, stop=str(tmp_path / "stop"), pause_s=0.2)
    for _ in range(kills):
        enough = len(said.recorded) + chance.randint(1, 20)
        forking.listen(lambda enough=enough: len(said.recorded) >= enough)
        running.kill()
        outage = len(said.kept) + chance.randint(1, 40)
        forking.listen(lambda outage=outage: len(said.kept) >= outage)
        running = again()
    (tmp_path / "stop").touch()
    forking.listen(lambda: False)
    running.kill()
    assert set(said.recorded) == set(said.kept)
    assert stored_faults(home, job, said) == []
    print(f"{kills} kills of the platform, {len(said.kept)} kept, 0 lost, 0 doubled")


def test_nothing_is_lost_or_doubled_where_both_are_killed_again_and_again(
    platform, holders, tmp_path, long
):
    home, job, running, again = platform
    chance, kills, forking = random.Random(9), 220 if long else 5, holders()
    said, killed = forking.said, {"client": 0, "server": 0}
    forking.start(**job, pause_s=0.03)
    while sum(killed.values()) < kills:
        await_kept(forking, chance.randint(1, 25))
        victims = chance.choice((["client"], ["server"], ["client", "server"]))
        chance.shuffle(victims)
        for victim in victims:
            {"client": forking, "server": running}[victim].kill()
            killed[victim] += 1
        if "client" in victims:
            forking.start(**job, pause_s=0.03)
        if "server" in victims:
            await_kept(forking, chance.randint(0, 10))
            running = again()
    forking.kill()
    forking.start(**job, threads=0)
    forking.listen(lambda: False)
    running.kill()
    assert stored_faults(home, job, said) == []
    assert said.overtaken(stored_in_order(home, job)) == []
    assert list((tmp_path / "spool").iterdir()) == []
    print(
        f"{killed['client']} kills of the client and {killed['server']} of the server in one run, "
        f"{len(said.kept)} kept, 0 lost, 0 doubled, 0 overtaken"
    )


def power_cuts(holders, shim, folder, synchronous, *, seconds, rounds):
    """Cut a holder's power at random moments; what is lost that it had kept, and how much was."""
    folder.mkdir()
    root, journal = folder / "root", folder / "journal"
    root.mkdir()
    forking = holders(LD_PRELOAD=str(shim), SHIM_ROOT=str(root), SHIM_JOURNAL=str(journal))
    where = str(root / "deployment")
    forking.start(folder=where, journal=str(journal), synchronous=synchronous)
    said = forking.said
    forking.listen(lambda: len(said.kept) > 400 * seconds)
    forking.kill()
    changes = list(steps(journal))
    ends = [change.end for change in changes]
    first = bisect.bisect_left(ends, min(said.kept.values()))
    chance, disk, done, lost, there = random.Random(11), Disk(str(root)), 0, 0, 0
    for number, moment in enumerate(sorted(chance.choices(range(first, len(ends)), k=rounds))):
        for change in changes[done : moment + 1]:
            disk.take(change)
        done, after = moment + 1, folder / f"after-{number}"
        after.mkdir()
        disk.lose_power(after, chance if number % 2 else None)
        kept = {mine for mine, at in said.kept.items() if at <= ends[moment]}
        gone = {mine for mine, at in said.recorded.items() if at <= ends[-1]}
        there += len(kept)
        lost += len(kept - gone - found_in(after / "deployment"))
    return lost, there


def found_in(folder):
    """The ids in a folder's spools, which are whole."""
    found = set()
    for path in folder.glob("*.sqlite3"):
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            tables = db.execute("SELECT name FROM sqlite_master").fetchall()
            found |= (
                {row[0] for row in db.execute("SELECT id FROM prediction")} if tables else set()
            )
        db.close()
    return found


def test_no_power_cut_loses_what_was_kept_and_this_would_be_seen(holders, shim, tmp_path, long):
    seconds, rounds = (5, 40) if long else (1, 8)
    lost, there = power_cuts(
        holders, shim, tmp_path / "full", "FULL", seconds=seconds, rounds=rounds
    )
    assert lost == 0
    assert there > 100
    seen, _ = power_cuts(holders, shim, tmp_path / "normal", "NORMAL", seconds=1, rounds=8)
    assert seen > 0
    print(f"{rounds} power cuts, {there} kept before them, 0 lost; NORMAL loses {seen}")
