"""Completion in a real kernel, of names that a real platform has."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.journey


@contextmanager
def kernel_in(home: Path) -> Iterator[Any]:
    """A kernel's client, with the extension loaded."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("PICSELLIA_")}
    manager, client = start_new_kernel(env={**kept, "PICSELLIA_JUPYTER_HOME": str(home)})
    try:
        reply = client.execute_interactive("%load_ext picsellia_jupyter", timeout=60)
        assert reply["content"]["status"] == "ok"
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def matches(client: Any, code: str) -> list[str]:
    content = client.complete(code, reply=True, timeout=60)["content"]
    return [
        code[: content["cursor_start"]] + text + code[content["cursor_end"] :]
        for text in content["matches"]
    ]


def test_a_kernel_completes_what_the_platform_has(home: Path):
    with kernel_in(home) as client:
        # The first names are fetched meanwhile; nobody waits for them.
        deadline = time.monotonic() + 60
        while (found := matches(client, "%deploy digits-d")) != ["%deploy digits-detector"]:
            assert time.monotonic() < deadline, found
        assert matches(client, "%deploy digits-detector --thr") == [
            "%deploy digits-detector --threshold"
        ]
        client.execute_interactive("%config IPCompleter.use_jedi = False", timeout=60)
        assert matches(client, "%deploy digits-cl") == ["%deploy digits-classifier"]
        content = client.inspect("%deploy", reply=True, timeout=60)["content"]
        assert "usage: %deploy" in content["data"]["text/plain"]


def test_completing_starts_no_platform(tmp_path: Path):
    with kernel_in(tmp_path) as client:
        assert matches(client, "%deploy dig") == ["%deploy dig"]
        # Waits until there is nothing more to be fetched.
        reply = client.execute_interactive(
            "names = get_ipython()._picsellia_jupyter._names\n"
            "names._grace_s, names._is_warm = 60, True\n"
            "assert names.get('models') == ()",
            timeout=120,
        )
        assert reply["content"]["status"] == "ok"

    assert list(tmp_path.iterdir()) == []
