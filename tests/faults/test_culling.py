"""A Jupyter server that culls idle kernels, and serving kernels that it must not take for idle."""

import time

import httpx
import pytest

from picsellia_jupyter.launch import leases
from tests.faults.served import Served, wait_for
from tests.jupyter_servers import running_server

pytestmark = pytest.mark.journey

CULLS = ("--MappingKernelManager.cull_idle_timeout=4", "--MappingKernelManager.cull_interval=1")
SIGNS_OFTEN = """
from picsellia_jupyter.serving.watch import Watch
Watch.__init__.__kwdefaults__["every_s"] = 0.5
said = start(job)
"""


def test_a_busy_kernel_is_not_culled_and_an_idle_one_is(serving_job, tmp_path):
    job, record, image = serving_job()
    with running_server(tmp_path / "server", *CULLS) as server:
        served = Served.start(server, job, record, image, code=SIGNS_OFTEN)
        lease, until = served.lease, time.monotonic() + 7
        while time.monotonic() < until:
            served.predict()
        assert served.lease == lease
        assert served.acknowledged == served.sent
        wait_for(lambda: not lease.alive, within_s=20)
        wait_for(lambda: not served.survivors(), within_s=2)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{lease.address}/health/live")
        assert leases.files(server.runtime) == ()
