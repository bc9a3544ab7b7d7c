"""A serving kernel is waited for, also while its Jupyter server is out of reach."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

from picsellia_jupyter.clients.front import Front
from picsellia_jupyter.domain.errors import ServingError
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.launch import staging
from picsellia_jupyter.launch.kernels import Kernel
from picsellia_jupyter.launch.staging import StagedKernel

DRY_RUN = {"latency_s": 0.1, "found": 3, "runtime": "onnxruntime 1.31 (CPU)"}


class Ready(BaseHTTPRequestHandler):
    """A front whose model is ready."""

    def do_GET(self) -> None:
        body = json.dumps({"stage": "ready", "dry_run": DRY_RUN}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class FarKernel(Kernel):
    """A kernel whose server cannot be asked some times; then its front answers."""

    kernel_id = "far"

    def __init__(self, silent: int) -> None:
        self.silent = silent
        self.front = ThreadingHTTPServer(("127.0.0.1", 0), Ready, bind_and_activate=False)
        self.front.server_bind()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.front.server_address[1]}"

    @override
    def execute(self, code: str, expression: str, *, timeout_s: float) -> str:
        raise NotImplementedError

    @override
    def alive(self) -> bool:
        self.silent -= 1
        if self.silent > 0:
            raise LinkError(Trouble.UNREACHABLE, "The Jupyter server does not answer.")
        if self.silent == 0:
            self.front.server_activate()
            threading.Thread(target=self.front.serve_forever, daemon=True).start()
        return True

    @override
    def end(self) -> None:
        if self.silent <= 0:
            self.front.shutdown()
        self.front.server_close()

    @override
    def log_tail(self) -> Sequence[str]:
        return ()


@pytest.fixture
def kernel(request) -> Iterator[FarKernel]:
    kernel = FarKernel(silent=request.param)
    yield kernel
    kernel.end()


@pytest.mark.parametrize("kernel", [4], indirect=True)
def test_a_server_out_of_reach_says_nothing_of_its_kernel(kernel: FarKernel):
    staged = StagedKernel(kernel, Front(kernel.address, "t"), "gpu1", silence_s=1.0)

    assert staged.prepare(lambda _stage, _detail: None).found == 3


@pytest.mark.parametrize("kernel", [10_000], indirect=True)
def test_a_server_that_stays_out_of_reach_is_named(kernel: FarKernel, monkeypatch):
    monkeypatch.setattr(staging, "LINK_PATIENCE_S", 0.2)
    staged = StagedKernel(kernel, Front(kernel.address, "t"), "gpu1")

    with pytest.raises(LinkError, match="The Jupyter server does not answer"):
        staged.prepare(lambda _stage, _detail: None)


def test_a_front_that_is_silent_though_its_kernel_is_alive_has_died():
    class Alive(FarKernel):
        @override
        def alive(self) -> bool:
            return True

    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
    kernel = Alive(silent=1)
    staged = StagedKernel(kernel, Front(dead, "t"), "gpu1", silence_s=0.2)

    with pytest.raises(ServingError, match="died while the model was loading"):
        staged.prepare(lambda _stage, _detail: None)
    kernel.end()
