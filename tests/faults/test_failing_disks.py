"""The disk is full, or answers with errors, at the k-th call."""

import errno
import uuid

import pytest

from tests.faults.monitoring import Client, faults_of

REFUSED = 507


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_a_disk_that_fails_at_any_call_loses_nothing_and_is_recovered_from(
    behind_shim, control, tmp_path, long, error
):
    home = tmp_path / "home"
    running = behind_shim(home, SHIM_CONTROL=str(control.path))
    client = Client.of(running)
    connection = client.connection()
    failed = 0
    for k in range(0, 101, 1 if long else 10):
        control.arm(after=k, count=1 + k % 7, error=error)
        for number in range(8 + k // 3):
            client.monitor(connection, str(uuid.uuid4()), kept=number % 2 == 0)
        failed += control.disarm()
        # It recovers by itself: no restart, and nobody has to be told.
        for kept in (True, False):
            assert client.monitor(connection, str(uuid.uuid4()), kept=kept) == 201
    connection.close()
    running.kill()
    refused = client.refused[REFUSED]
    found = faults_of(home, set(client.acknowledged), client.deployment, unanswered=refused)
    assert found == []
    assert failed > 10
    assert set(client.refused) == {REFUSED}
    print(f"{failed} calls failed, {len(client.acknowledged)} kept, {refused} refused, 0 lost")


def test_a_commit_that_fails_and_is_found_later_has_its_image(behind_shim, control, tmp_path):
    # Its rows are in the log, unsynced: the platform refuses, and a kill lets them be found.
    home = tmp_path / "home"
    running = behind_shim(home, SHIM_CONTROL=str(control.path))
    client = Client.of(running)
    connection = client.connection()
    control.arm(after=0, count=1000, error=errno.EIO, only_commits=True)
    assert client.monitor(connection, str(uuid.uuid4()), kept=True) == REFUSED
    running.kill()
    connection.close()
    assert control.disarm() > 0
    assert faults_of(home, set(), client.deployment, unanswered=1) == []
