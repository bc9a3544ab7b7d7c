"""What is acknowledged, and is not durable."""

from __future__ import annotations

from planted.fault import Fault

FAULTS = (
    Fault(
        "platform-normal",
        "the platform commits with synchronous=NORMAL",
        "picsellia_jupyter/localplatform/store.py",
        'SYNCHRONOUS = "FULL"',
        'SYNCHRONOUS = "NORMAL"',
        ("tests/localplatform/test_writer.py::test_sqlite_waits_for_the_disk_and_readers_never_checkpoint",),
    ),
    Fault(
        "spool-normal",
        "the outbox commits with synchronous=NORMAL",
        "picsellia_jupyter/recording/spool.py",
        'self._sync(SYNCHRONOUS if changes.added or changes.refused else "NORMAL")',
        'self._sync("NORMAL")',
        ("tests/faults/test_outbox.py::test_no_power_cut_loses_what_was_kept_and_this_would_be_seen",),
    ),
    Fault(
        "no-file-sync",
        "a stored image is renamed before its bytes are synced",
        "picsellia_jupyter/localplatform/blobs.py",
        "                stream.flush()\n                os.fsync(stream.fileno())\n",
        "                stream.flush()\n",
        ("tests/localplatform/test_durability.py::test_bytes_are_synced_before_their_name_and_the_name_before_the_answer",),
    ),
    Fault(
        "no-folder-sync",
        "the name of a new file is not synced",
        "picsellia_jupyter/localplatform/durable.py",
        "        os.fsync(handle)\n    finally",
        "        pass\n    finally",
        ("tests/localplatform/test_durability.py::test_bytes_are_synced_before_their_name_and_the_name_before_the_answer",),
    ),
    Fault(
        "platform-answers-early",
        "the platform answers before the common commit",
        "picsellia_jupyter/localplatform/writer.py",
        "                    _check_transaction(connection, change)\n",
        "                    _check_transaction(connection, change)\n"
        "                    change.answer()\n                batch.taken.clear()\n",
        ("tests/localplatform/test_writer.py::test_nobody_is_answered_before_the_commit",),
    ),
    Fault(
        "outbox-answers-early",
        "a prediction is called monitored before it is on disk",
        "picsellia_jupyter/recording/outbox.py",
        "            added = self._change(spool, puts)\n",
        "            added = [pair for put in puts if (pair := self._placed(put))]\n"
        "            self._publish(added)\n"
        "            spool.change(Changes([row for _, row in added]))\n"
        "            added = []\n",
        ("tests/recording/test_outbox.py",),
    ),
    Fault(
        "removed-unacknowledged",
        "a prediction is removed although the platform answered with an error",
        "picsellia_jupyter/recording/recorder.py",
        "                # It fails, or asks for a pause, or for another token: nothing is wrong "
        "with this.\n                self._note(record, error)\n",
        "                self._note(record, error)\n                return \"\"\n",
        ("tests/serving/test_recording.py::test_what_a_platform_that_fails_was_sent_is_sent_again",),
    ),
    Fault(
        "key-ignored",
        "the Idempotency-Key of a request is ignored",
        "picsellia_jupyter/serving/idempotency.py",
        '    return str(uuid.uuid5(key, f"{deployment_id}/{place}/{digest}"))',
        '    return str(uuid.uuid5(uuid.uuid4(), f"{deployment_id}/{place}/{digest}"))',
        ("tests/serving/test_idempotency.py::test_the_same_request_names_the_same_prediction",),
    ),
    Fault(
        "recorded-twice",
        "two predictions of one group may have the same id",
        "picsellia_jupyter/localplatform/inserting.py",
        "            if key in taken:\n"
        "                raise recorded_already(received.prediction_id)\n",
        "",
        ("tests/localplatform/test_ingesting.py::test_of_many_images_at_once_with_one_id_one_is_stored",),
    ),
    Fault(
        "orphaned-worker",
        "a model worker relies on PR_SET_PDEATHSIG alone",
        "picsellia_jupyter/serving/lifeline.py",
        "    watch = _watch_pidfd if hasattr(os, \"pidfd_open\") else _watch_by_asking\n"
        "    threading.Thread(target=watch, args=(parent,), name=\"lifeline\", "
        "daemon=True).start()\n",
        "    import ctypes\n    import signal\n\n"
        "    ctypes.CDLL(None, use_errno=True).prctl(1, int(signal.SIGKILL), 0, 0, 0)\n",
        ("tests/serving/test_lifeline.py",),
    ),
)  # fmt: skip
"""Each with what somebody might take for good enough."""
