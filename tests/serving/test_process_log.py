from __future__ import annotations

import io

from picsellia_jupyter.serving.process import WorkerLog


def test_what_onnxruntime_warns_of_by_itself_is_logged_and_not_told_as_a_reason():
    written = list[str]()
    log = WorkerLog(written.append)

    log.follow(
        io.BytesIO(
            b"2026-11-28 [W:onnxruntime:Default, device_discovery.cc:484] no GPU\n"
            b"2026-11-28 [E:onnxruntime:, sequential_executor.cc:572] Non-zero status\n"
        )
    )

    assert log.tail() == (
        "2026-11-28 [E:onnxruntime:, sequential_executor.cc:572] Non-zero status",
    )
    assert len(written) == 2
