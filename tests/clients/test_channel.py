"""What is wrong with a link is named, with its remedy, by doors that are really wrong."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.channel import KernelChannel
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.launch.certificates import tls_server
from tests.launch.tunnelled import serving_kernel

NO_KERNEL = "0d5ab0b4-9ba1-44f3-8a9b-0f2f0a7e2c5d"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="module")
def website() -> Iterator[str]:
    """Something on the web that is no Jupyter server."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.BaseHTTPRequestHandler
    ) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


def failure(server: JupyterServer, timeout_s: float = 20.0) -> LinkError:
    """What a tunnel to there says is wrong; within that time where it goes on trying."""
    with Tunnel(server, NO_KERNEL) as tunnel:
        with pytest.raises(LinkError) as caught:
            tunnel.wait(timeout_s)
        for told in (str(tunnel.state), repr(tunnel), repr(caught.value), str(caught.value)):
            assert TOKEN not in told
        assert tunnel.state.name == "lost"
    return caught.value


def test_where_no_token_is_known_that_is_said(server: JupyterServer):
    error = failure(JupyterServer(server.url, ""))

    assert error.trouble is Trouble.UNAUTHORIZED
    assert error.fact == (
        f"The Jupyter server at {server.url} asks for a token (403), and none is known."
    )
    assert error.remedy == (
        "Set PICSELLIA_PLACE_TOKEN, or PICSELLIA_PLACE_NAME_TOKEN with the name of a place."
    )


def test_a_token_that_is_not_accepted_is_named(server: JupyterServer):
    error = failure(JupyterServer(server.url, "an-old-token"))

    assert error.trouble is Trouble.UNAUTHORIZED
    assert error.fact == f"The Jupyter server at {server.url} does not accept the token (403)."
    assert error.remedy == (
        "It may have expired: get a new one there, then set PICSELLIA_PLACE_TOKEN."
    )
    assert "an-old-token" not in str(error)


def test_a_kernel_that_does_not_exist_is_named(server: JupyterServer):
    error = failure(server)

    assert error.trouble is Trouble.GONE
    assert error.remedy == "It was ended or culled: deploy again."


def test_a_wrong_path_of_a_jupyter_server_is_named(server: JupyterServer):
    error = failure(JupyterServer(f"{server.url}/lab", TOKEN))

    assert error.trouble is Trouble.WRONG_ADDRESS
    # What stands there is JupyterLab's own page, or nothing where it is not installed.
    assert error.fact.startswith(f"There is no Jupyter server at {server.url}/lab: it answers")
    assert error.remedy == "Give the address that the browser shows before /lab or /tree."


def test_a_website_is_no_jupyter_server(website: str):
    error = failure(JupyterServer(website, TOKEN), 1.0)

    assert error.trouble is Trouble.UNREACHABLE
    assert error.fact == f"The Jupyter server at {website} failed with status 501."
    assert error.remedy == "See its log; it is being tried again."


def test_an_address_at_which_nobody_is_is_named():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        error = failure(JupyterServer(url, TOKEN), 1.0)

    assert error.trouble is Trouble.UNREACHABLE
    assert error.fact == f"The Jupyter server at {url} does not answer: Connection refused."
    assert error.remedy == "Is it running, and is the address right? It is being tried again."


def test_a_certificate_that_nobody_trusts_is_named_and_one_that_is_trusted_works(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
):
    with tls_server(tmp_path_factory.mktemp("tls")) as (server, trusting):
        error = failure(server)

        assert error.trouble is Trouble.TLS
        assert error.fact == (
            f"The certificate of {server.url} is not trusted: self-signed certificate."
        )
        assert error.remedy == (
            "If it is self-signed, save it as a file and set SSL_CERT_FILE to its path."
        )
        plain_url = server.url.replace("https", "http")
        plain = failure(JupyterServer(plain_url, TOKEN), 1.0)
        assert plain.fact == f"The server at {plain_url} closed the connection without a word."
        assert plain.remedy == (
            "Write the address with https:// if it has a certificate. It is being tried again."
        )
        with Tunnel(server, NO_KERNEL, tls=trusting) as tunnel:
            with pytest.raises(LinkError) as caught:
                tunnel.wait(10)
            assert caught.value.trouble is Trouble.GONE
    assert caplog.records == []


def test_https_to_a_server_without_a_certificate_is_named(server: JupyterServer):
    url = server.url.replace("http", "https")

    error = failure(JupyterServer(url, TOKEN))

    assert error.trouble is Trouble.TLS
    # Its silence tells, or, where the random bytes of the greeting look like a line, its answer.
    assert error.fact in (
        f"{url} does not speak TLS: it answers without.",
        f"{url} does not speak TLS: WRONG_VERSION_NUMBER.",
    )
    assert error.remedy == "Write the address with http:// if that server has no certificate."


def test_where_the_system_cannot_confirm_at_once_a_pong_does(
    server: JupyterServer, monkeypatch: pytest.MonkeyPatch
):
    confirmed = []
    write = KernelChannel._acknowledge_at_once

    def acknowledge(channel: KernelChannel) -> None:
        write(channel)
        confirmed.append(channel)

    monkeypatch.delattr(socket, "TCP_QUICKACK", raising=False)
    monkeypatch.setattr(KernelChannel, "_acknowledge_at_once", acknowledge)
    with serving_kernel(server) as kernel_id, Tunnel(server, kernel_id) as tunnel:
        tunnel.wait(20)

    assert confirmed
