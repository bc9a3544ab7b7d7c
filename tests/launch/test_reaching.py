"""How a session reaches kernels at places, and what it says where it cannot, with real servers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.domain.deployments import (
    DeploymentRecord,
    ServingKernel,
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.launch.fleet import Fleet
from picsellia_jupyter.launch.places import Places
from picsellia_jupyter.launch.reaching import Reaches
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.launch.certificates import tls_server
from tests.launch.tunnelled import serving_kernel

EXPIRED = "an-expired-one-77e0"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[JupyterServer]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="module")
def kernel_id(server: JupyterServer) -> Iterator[str]:
    with serving_kernel(server) as kernel_id:
        yield kernel_id


@pytest.fixture
def reaches(tmp_path: Path) -> Iterator[Reaches]:
    reaches = Reaches(Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": TOKEN}))
    yield reaches
    reaches.close()


def test_a_kernel_has_one_address_for_the_session(reaches: Reaches, server, kernel_id: str):
    serving = ServingKernel(kernel_id, "http://127.0.0.1:1", server.url)

    address = reaches.address(serving)

    assert reaches.address(serving) == address != serving.address
    assert httpx.get(f"{address}/anything", trust_env=False).status_code != 503


def test_threads_that_ask_at_once_share_a_link(reaches: Reaches, server, kernel_id: str):
    serving = ServingKernel(kernel_id, "http://127.0.0.1:1", server.url)

    with ThreadPoolExecutor(4) as pool:
        addresses = set(pool.map(lambda _: reaches.address(serving), range(4)))

    assert len(addresses) == 1


def test_a_link_whose_token_has_expired_goes_on_with_a_new_one_at_the_same_address(
    reaches: Reaches, server: JupyterServer, kernel_id: str
):
    tunnel = Tunnel(JupyterServer(server.url, EXPIRED), kernel_id)
    with pytest.raises(LinkError, match="does not accept the token"):
        tunnel.wait(20)
    reaches._tunnels[kernel_id] = tunnel

    address = reaches.address(ServingKernel(kernel_id, "http://127.0.0.1:1", server.url))

    assert address == tunnel.address
    assert tunnel.state.connected


def test_a_kernel_that_its_server_does_not_have_any_more_is_named_and_leaves_no_listener(
    reaches: Reaches, server: JupyterServer
):
    with pytest.raises(LinkError) as caught:
        reaches.address(ServingKernel("no-such-kernel", "http://127.0.0.1:1", server.url))

    assert caught.value.trouble is Trouble.GONE
    assert caught.value.fact == (
        f"The Jupyter server at {server.url} has no kernel no-such-kernel any more."
    )
    assert caught.value.remedy == "It was ended or culled: deploy again."
    assert reaches._tunnels == {}


def test_a_link_that_is_left_is_closed(reaches: Reaches, server: JupyterServer, kernel_id: str):
    address = reaches.address(ServingKernel(kernel_id, "http://127.0.0.1:1", server.url))

    reaches.leave(kernel_id)

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) != 0


def test_a_self_signed_server_is_named_and_entered_once_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": TOKEN})
    with tls_server(tmp_path) as (server, _trusting):
        place = places.parse(server.url)
        with pytest.raises(LinkError) as caught:
            places.client(place)
        assert caught.value.trouble is Trouble.TLS
        assert caught.value.fact == (
            f"The certificate of {server.url} is not trusted: self-signed certificate."
        )
        assert caught.value.remedy == (
            "If it is self-signed, save it as a file and set SSL_CERT_FILE to its path."
        )

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        client = places.client(place)
        kernel_id = client.start_kernel("Picsellia", None)

        assert client.execute(kernel_id, "a = 6 * 7", "a", timeout_s=60) == "42"


def test_a_server_without_tls_is_named(tmp_path: Path, server: JupyterServer):
    secure = server.url.replace("http", "https", 1)

    with pytest.raises(LinkError) as caught:
        JupyterClient(JupyterServer(secure, TOKEN)).check(timeout_s=0.5)

    assert caught.value.trouble is Trouble.TLS
    assert caught.value.fact.startswith(f"{secure} does not speak TLS")
    assert (
        caught.value.remedy == "Write the address with http:// if that server has no certificate."
    )


def test_where_a_place_is_not_saved_any_more_undeploying_says_so_and_goes_on(tmp_path: Path):
    fleet = Fleet(tmp_path, {}, lambda _text: None)
    record = DeploymentRecord(
        id="d", name="line-1", type=InferenceType.CLASSIFICATION, strategy=Strategy.SERVING,
        state=ServingState.READY, model_version_id="v", model_title="digits:0", threshold=None,
        datalake_id="l", serving=ServingKernel("a-kernel", "http://127.0.0.1:1", "gpu1"),
    )  # fmt: skip

    lost, trouble = fleet.end(record, None)

    assert not lost.in_words()
    assert str(trouble).startswith("There is no place named 'gpu1'.")


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a place that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_place_that_is_silent_is_waited_for_as_long_as_is_said(reaches: Reaches, silent: str):
    with pytest.raises(LinkError) as caught:
        reaches.address_within(ServingKernel("k", "http://127.0.0.1:1", silent), 0.1)

    assert caught.value.trouble is Trouble.CONNECTING
    assert caught.value.fact == f"{silent} has not answered within 0.1 s."
    assert caught.value.remedy == "It is asked on; look again in a moment."


def test_what_is_known_of_a_lost_link_is_told_in_place_of_waiting(reaches: Reaches):
    nowhere = JupyterServer("http://127.0.0.1:9", TOKEN)
    tunnel = reaches._tunnels["k"] = Tunnel(nowhere, "k")
    with pytest.raises(LinkError):
        tunnel.wait(0.5)

    with pytest.raises(LinkError) as caught:
        reaches.address_within(ServingKernel("k", "http://127.0.0.1:1", nowhere.url), 0.1)

    assert caught.value.trouble is Trouble.UNREACHABLE


def test_an_attempt_that_takes_longer_goes_on_for_the_next_one_who_asks(
    reaches: Reaches, server: JupyterServer, kernel_id: str
):
    serving = ServingKernel(kernel_id, "http://127.0.0.1:1", server.url)
    with pytest.raises(LinkError):
        reaches.address_within(serving, 0.0)

    assert reaches.address_within(serving, 20.0) == reaches.address(serving)


def test_nobody_is_asked_for_a_token_where_time_is_short(
    tmp_path: Path, server: JupyterServer, kernel_id: str
):
    asked: list[str] = []
    reaches = Reaches(Places(tmp_path, {}, asked.append))
    with pytest.raises(LinkError, match="token"):
        reaches.address_within(ServingKernel(kernel_id, "http://127.0.0.1:1", server.url), 20.0)
    assert asked == []
