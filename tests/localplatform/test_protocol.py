"""HTTP as it comes over the socket: the SDK's own method, in pieces and out of turn."""

import socket
import threading
import time

import pytest
import uvicorn

from picsellia_jupyter.localplatform.protocol import HEAD_LIMIT_BYTES, SdkProtocol


async def echo(scope, receive, send):
    """Answer with the method, the path and the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    said = f"{scope['method']} {scope['path']} ".encode() + body
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@pytest.fixture(scope="module")
def address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(echo, http=SdkProtocol, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


@pytest.fixture
def connection(address):
    with socket.create_connection(address, timeout=10) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield opened


def request(method, path="/datas", body=b""):
    return (
        f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


def reply(connection):
    """Status and body of the next reply."""
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return status, stream.read(length)


def test_the_sdks_own_method_comes_through_with_its_body(connection):
    connection.sendall(request("XGET", body=b'{"ids": []}'))
    assert reply(connection) == (200, b'XGET /datas {"ids": []}')


def test_methods_take_turns_on_one_connection(connection):
    for method in ("POST", "XGET", "GET", "XGET", "XGET", "DELETE"):
        connection.sendall(request(method, body=b"XGET "))
        assert reply(connection) == (200, f"{method} /datas XGET ".encode())


@pytest.mark.parametrize("split", range(1, 8))
def test_a_request_may_come_in_pieces(connection, split):
    whole = request("XGET", body=b"piecemeal")
    for piece in (whole[:split], whole[split:-4], whole[-4:]):
        connection.sendall(piece)
        time.sleep(0.02)
    assert reply(connection) == (200, b"XGET /datas piecemeal")


@pytest.mark.parametrize("method", ["XGETS", "XPUT", "xget", "X", "BREW"])
def test_a_method_that_nobody_knows_is_refused(connection, method):
    connection.sendall(request(method))
    assert reply(connection)[0] == 400


def test_an_xget_before_the_last_answer_is_refused_and_never_taken_for_a_get(connection):
    connection.sendall(request("POST") + request("XGET"))
    answers = connection.makefile("rb").read()
    assert b"GET /datas" not in answers
    assert answers.count(b"400 Bad Request") == 1


def test_headers_without_end_are_refused(connection):
    line = b"x-more: " + b"y" * 990 + b"\r\n"
    connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n" + line * 65)
    time.sleep(0.05)
    connection.sendall(line)
    assert reply(connection) == (400, b"The headers of the request are too long.")


def test_a_long_body_is_no_long_header(connection):
    body = b"b" * (4 * HEAD_LIMIT_BYTES)
    connection.sendall(request("XGET", body=body))
    status, said = reply(connection)
    assert (status, len(said)) == (200, len(body) + len(b"XGET /datas "))
