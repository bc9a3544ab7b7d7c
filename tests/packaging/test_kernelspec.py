"""The kernel "Picsellia Serving": what its kernelspec says, and what it does when opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from PIL import Image

KERNELS = Path(__file__).parents[2] / "kernels"
NAME = "picsellia-serving"


@pytest.fixture
def specs():
    return KernelSpecManager(kernel_dirs=[str(KERNELS)])


def test_it_has_a_name_logos_and_is_interrupted_by_a_message(specs):
    spec = specs.get_kernel_spec(NAME)
    assert spec.display_name == "Picsellia Serving"
    assert spec.interrupt_mode == "message"
    assert spec.metadata == {"debugger": False}
    assert spec.argv[0] == "python"  # which Jupyter takes for its own interpreter
    for size in (32, 64):
        assert Image.open(KERNELS / NAME / f"logo-{size}x{size}.png").size == (size, size)
    assert "<svg" in (KERNELS / NAME / "logo-svg.svg").read_text()


def test_the_wheel_is_told_to_bring_it():
    project = (KERNELS.parent / "pyproject.toml").read_text()
    assert f'"kernels/{NAME}" = "share/jupyter/kernels/{NAME}"' in project


def test_opened_by_hand_it_says_once_what_it_is_for_and_runs_python(specs):
    manager = KernelManager(kernel_name=NAME, kernel_spec_manager=specs)
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        said = [_output(client, "print(6 * 7)") for _ in range(2)]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    purpose, answer = said[0].splitlines()
    assert "%deploy MODEL" in purpose
    assert (answer, said[1]) == ("42", "42\n")


def _output(client, code: str) -> str:
    lines: list[str] = []

    def on_output(message) -> None:
        if message["msg_type"] == "stream":
            lines.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=on_output, timeout=30)
    assert reply["content"]["status"] == "ok", json.dumps(reply["content"])
    return "".join(lines)
