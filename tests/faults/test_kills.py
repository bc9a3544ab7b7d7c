"""Killed in a burst of monitoring, again and again."""

import random
import time

from tests.faults.monitoring import Client, faults_of
from tests.platforms import fork


def test_what_was_acknowledged_survives_every_kill_and_nothing_is_doubled(nursery, tmp_path, long):
    chance, home, client = random.Random(7), tmp_path / "home", None
    kills = 200 if long else 10
    for _ in range(kills):
        running = fork(nursery, home)
        if client is None:
            client = Client.of(running)
        client.host = running.host
        _send_again(client)
        enough = len(client.acknowledged) + chance.randint(0, 60)
        burst = client.burst(30)
        while len(client.acknowledged) < enough:
            assert any(thread.is_alive() for thread in burst)
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))  # any moment of the next commit
        running.kill()
        for thread in burst:
            thread.join(30)
        assert not any(thread.is_alive() for thread in burst)
    found = faults_of(
        home, set(client.acknowledged), client.deployment, unanswered=len(client.unanswered)
    )
    assert found == []
    assert len(client.acknowledged) > 5 * kills
    assert set(client.refused) <= {409}
    print(f"{kills} kills, {len(client.acknowledged)} acknowledged, 0 lost, 0 doubled")


def _send_again(client: Client) -> None:
    """What the kill left unanswered may be stored or not; sent again it is stored once."""
    connection = client.connection()
    for mine in sorted(client.unanswered):
        if client.monitor(connection, mine, kept=False) == 409:
            client.acknowledged[mine] = 0
    connection.close()
