"""Whatever network and platform do to predictions, all arrive once and in order."""

import random

from picsellia_jupyter.recording import shelf
from tests.faults.chaos import TROUBLES, chaos_before
from tests.faults.conftest import await_kept, stored_faults, stored_in_order
from tests.faults.holder import POISON


def all_arrived(home, job, said):
    """Whatever was kept is stored once and in order."""
    assert set(said.recorded) == set(said.kept)
    assert stored_faults(home, job, said) == []
    assert said.overtaken(stored_in_order(home, job)) == []


def test_whatever_the_network_and_the_platform_do_all_arrives_once_and_in_order(
    platform, holders, tmp_path, long
):
    home, job, running, _ = platform
    chance, forking = random.Random(8), holders()
    troubles = [*TROUBLES, *chance.choices(TROUBLES, k=300 if long else 0)]
    with chaos_before(running.host) as chaos:
        chaos.troubles += troubles
        job = {**job, "host": chaos.host, "stop": str(tmp_path / "stop")}
        forking.start(**job, pause_s=0.5, threads=8 if long else 2)
        forking.listen(lambda: not chaos.troubles)
        (tmp_path / "stop").touch()
        forking.listen(lambda: False)
    running.kill()
    all_arrived(home, job, forking.said)
    print(
        f"{len(troubles)} faults of {len(TROUBLES)} kinds, {len(forking.said.kept)} kept, 0 lost, "
        "0 doubled, 0 overtaken, 0 set aside"
    )


def test_an_outage_of_hours_holds_everything_back_and_loses_nothing(
    platform, holders, tmp_path, long
):
    home, job, running, again = platform
    forking, hours = holders(), 0.0
    forking.start(**job, stop=str(tmp_path / "stop"), threads=2, pause_s=0.1)
    for outage in (9.0, 3.0, 40.0) if long else (9.0, 7.0):
        forking.listen(lambda: len(forking.said.recorded) > 3)
        running.kill()
        # The first one is over at once: of all that is away, only the clock's hours are seen.
        await_kept(forking, (300 if long else 15) if hours else 0)
        hours += outage
        running = again(hours=hours)
        enough = len(forking.said.kept)
        forking.listen(lambda enough=enough: len(forking.said.recorded) >= enough)
    (tmp_path / "stop").touch()
    forking.listen(lambda: False)
    running.kill()
    all_arrived(home, job, forking.said)
    print(f"{hours:g} hours away by the clock, {len(forking.said.kept)} kept, 0 lost, 0 doubled")


def test_poison_is_set_aside_and_shown_and_arrives_where_it_is_tried_again(
    platform, holders, tmp_path, long
):
    home, job, running, _ = platform
    spool, forking = tmp_path / "spool", holders()
    with chaos_before(running.host) as chaos:
        chaos.poison = POISON.encode()
        job = {**job, "host": chaos.host}
        forking.start(
            **job,
            stop=str(tmp_path / "stop"),
            threads=4,
            poison_every=100 if long else 9,
            pause_s=0.02,
        )
        await_kept(forking, 5000 if long else 50)
        (tmp_path / "stop").touch()
        forking.listen(lambda: False)
        (depth,) = shelf.depths(spool)
        poisoned = len(forking.said.kept) - len(forking.said.recorded)
        assert (depth.waiting, len(depth.refused)) == (0, poisoned)
        assert poisoned >= 4
        assert all("This is no prediction." in why for _, why in depth.refused)
        chaos.poison = b""
        assert shelf.retry(spool, None) == poisoned
        forking.start(**job, threads=0)
        forking.listen(lambda: False)
    running.kill()
    assert set(forking.said.recorded) == set(forking.said.kept)
    assert stored_faults(home, job, forking.said) == []
    assert shelf.depths(spool) == []
    print(f"{poisoned} of {len(forking.said.kept)} set aside, shown, tried again and stored once")
