"""Who does not belong here gets nothing and changes nothing, on any route."""

import asyncio
import hashlib
import hmac
import stat

import pytest
from sqlalchemy import select

from picsellia_jupyter.localplatform import auth
from picsellia_jupyter.localplatform.app import ROUTERS
from picsellia_jupyter.localplatform.auth import Keyring
from picsellia_jupyter.localplatform.guard import OPEN_ROUTES, STORAGE_PREFIX
from picsellia_jupyter.localplatform.tables.base import Base

ID = "11111111-2222-4333-8444-555555555555"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "XGET", "CONNECT")
PATHS = sorted({route.path for router in ROUTERS for route in router.routes})
OWN = b"127.0.0.1:8123"
REBINDING = [
    [b"evil.com"], [b"evil.com:8123"], [b"127.0.0.1"], [b"127.0.0.1:80"], [b""], [],
    [b"127.0.0.1.evil.com:8123"], [b"localhost.evil.com:8123"], [b"evil.com#127.0.0.1:8123"],
    [b"127.0.0.1:8123@evil.com"], [b"evil.com@127.0.0.1:8123"], [b"[::1]:9"], [b"0.0.0.0:8123"],
    [b"127.0.0.1:8123, evil.com"], [b"evil.com", OWN], [OWN, b"evil.com"], [b"127.1:8123"],
    [b"2130706433:8123"], [b"0x7f000001:8123"], [b"[::ffff:127.0.0.1]:8123"], [b"127.0.0.1:8123/x"],
    [b"127.0.0.1:8123?x"], [b"localhost:99999"], [b"localhost:x"], [b"127.0.0.1:8123\x00"],
    [b"169.254.169.254:8123"], [b"localhost.:8123"], [b"xn--lcalhost-54a:8123"],
]  # fmt: skip
ORIGINS = [
    b"null", b"", b"http://evil.com", b"http://localhost:9999", b"https://127.0.0.1:8123",
    b"file://", b"http://127.0.0.1:8123.evil.com", b"http://evil.com/127.0.0.1:8123",
    b"http://127.0.0.1:8123@evil.com", b"chrome-extension://abc", b"http://127.0.0.1:8123/",
    b"http://127.0.0.1:8123 http://evil.com",
]  # fmt: skip


@pytest.fixture
def database():
    """SQLite alone: nothing here gets as far as the database."""
    return


def filled(path):
    return "/".join(ID if part.startswith("{") else part for part in path.split("/"))


def calls():
    """Every path of the application with every method, but those that are open to all."""
    for path in PATHS:
        for method in METHODS:
            if not path.startswith(STORAGE_PREFIX) and (method, path) not in OPEN_ROUTES:
                yield method, filled(path)


async def asked(app, method, path, headers, query=b""):
    """Status and headers of one request, without a client that would tidy it up."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b'{"name": "taken over"}', "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "path": path, "raw_path": path.encode(), "query_string": query, "scheme": "http",
        "headers": headers, "server": ("127.0.0.1", 8123), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def answers(world, made):
    """Answers to many requests, each (method, path, headers, query)."""

    async def all_of_them():
        return [await asked(world.app, *one) for one in made]

    return asyncio.run(all_of_them())


def state(world):
    """A digest of every row and every file of the platform."""
    seen = hashlib.sha256()
    with world.platform.store.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                seen.update(repr(row).encode())
    for path in sorted((world.home / "storage").rglob("*")):
        seen.update(str(path).encode())
    return seen.hexdigest()


def bearer(token):
    return (b"authorization", f"Bearer {token}".encode())


def expired(world):
    login = {"api_token": world.token, "deployment_id": world.deployment()["id"]}
    token = world.stranger.post("/api/auth/login", json=login).json()["jwt"]
    world.clock.pass_by(3601)
    return token


def test_every_route_and_method_refuses_whoever_has_no_valid_token(world):
    token = world.token
    late = expired(world)
    callers = {
        "none": ([], b""),
        "empty": ([(b"authorization", b"")], b""),
        "no token": ([(b"authorization", b"Bearer")], b""),
        "a blank token": ([(b"authorization", b"Bearer ")], b""),
        "wrong": ([bearer("0" * 64)], b""),
        "expired": ([bearer(late)], b""),
        "nearly": ([bearer(token[:-1] + ("0" if token[-1] != "0" else "1"))], b""),
        "shouted": ([bearer(token.upper())], b""),
        "another scheme": ([(b"authorization", f"Basic {token}".encode())], b""),
        "in the query": ([], f"token={token}&api_token={token}&access_token={token}".encode()),
        "in a cookie": ([(b"cookie", f"token={token}; authorization={token}".encode())], b""),
        "in another header": ([(b"x-api-key", token.encode()), (b"token", token.encode())], b""),
    }
    before = state(world)
    let_in = []
    for name, (headers, query) in callers.items():
        made = [(*call, [(b"host", OWN), *headers], query) for call in calls()]
        for one, (status, _) in zip(made, answers(world, made), strict=True):
            if status != 401:
                let_in.append((name, *one[:2], status))
    assert let_in == []
    assert state(world) == before
    assert len(PATHS) > 100


@pytest.mark.parametrize("hosts", REBINDING, ids=lambda hosts: b" ".join(hosts).decode("latin-1"))
def test_no_route_answers_under_a_foreign_name_even_with_the_token(world, hosts):
    before = state(world)
    headers = [*((b"host", host) for host in hosts), bearer(world.token)]
    open_ones = [*OPEN_ROUTES, ("PUT", f"/storage/{ID}/data/x"), ("GET", "/storage/x")]
    found = answers(world, [(*call, headers, b"") for call in [*calls(), *open_ones]])
    assert {status for status, _ in found} == {403}
    assert state(world) == before


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_page_of_another_origin_is_answered_or_let_read(world, origin):
    before = state(world)
    headers = [(b"host", OWN), (b"origin", origin), bearer(world.token)]
    preflight = (b"access-control-request-method", b"DELETE")
    made = [(*call, headers, b"") for call in calls()]
    made += [("OPTIONS", filled(path), [*headers, preflight], b"") for path in PATHS]
    found = answers(world, made)
    assert {status for status, _ in found} == {403}
    assert not [name for _, sent in found for name in sent if b"access-control" in name.lower()]
    assert state(world) == before


def test_no_answer_may_be_sniffed_framed_or_run(world):
    for path in ("/health", "/api/home/ping", "/api/nothing"):
        for caller in (world.user, world.stranger):
            headers = caller.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"] == "sandbox; default-src 'none'"
            assert headers["cache-control"] == "no-store"


def test_tokens_and_signatures_are_compared_in_constant_time(world, monkeypatch):
    compared, really = [], hmac.compare_digest

    def watched(one, other):
        compared.append((one, other))
        return really(one, other)

    monkeypatch.setattr(auth.hmac, "compare_digest", watched)
    world.caller("x" * 64).get("/api/home/ping")
    assert [len(one) for one, _ in compared] == [64]
    assert "x" * 64 not in compared[0], "a token itself is never compared, only its hash"
    compared.clear()
    world.stranger.get(f"/storage/{ID}/data/{'0' * 32}?expires=1&signature=2")
    assert len(compared) == 1


def test_a_signature_holds_for_one_method_one_object_and_one_hour():
    keys, path = Keyring(b"k" * 32, {}), "/storage/a/data/b"
    query = keys.sign("PUT", path, now=1000.0).partition("?")[2]
    given = dict(part.split("=") for part in query.split("&"))
    keys.check("PUT", path, now=1000.0, **given)
    flipped = f"{given['signature'][:-1]}{'0' if given['signature'][-1] != '0' else '1'}"
    refused = [
        ("GET", path, given, 1000.0),
        ("PUT", f"{path}c", given, 1000.0),
        ("PUT", path, {**given, "expires": "99999999999"}, 1000.0),
        ("PUT", path, {**given, "expires": "nan"}, 1000.0),
        ("PUT", path, {**given, "signature": flipped}, 1000.0),
        ("PUT", path, {**given, "signature": ""}, 1000.0),
        ("PUT", path, {**given, "signature": given["signature"].upper() + "é"}, 1000.0),
        ("PUT", path, given, 1000.0 + 3601),
    ]
    for method, where, proof, now in refused:
        with pytest.raises(auth.ForbiddenError):
            keys.check(method, where, now=now, **proof)


def test_the_token_is_kept_for_the_user_alone_and_hashed_in_the_database(world, start_platform):
    running = start_platform(world.home.parent / "other")
    holding = [
        path.name
        for path in running.home.rglob("*")
        if path.is_file() and running.token.encode() in path.read_bytes()
    ]
    assert holding == ["platform.json"]
    assert stat.S_IMODE((running.home / "platform.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.home.stat().st_mode) == 0o700


def test_no_reply_repeats_the_token(world):
    replies = [
        world.user.get("/api/home/ping"),
        world.user.get("/api/local/status"),
        world.user.get("/api/local/openapi.json"),
        world.user.get(f"/api/access/organization/{world.organization}/users"),
        world.user.get(f"/api/organization/{world.organization}"),
    ]
    assert not [reply for reply in replies if world.token in reply.text]


@pytest.mark.parametrize(
    "path",
    [
        "/storage/../platform.json", "/storage/%2e%2e/platform.json", "/storage//etc/passwd",
        f"/storage/{ID}/../../secret", f"/storage/{ID}/%2e%2e%2fsecret", f"/storage/{ID}/data/..",
        "/storage/x/y", "/static/../platform.json", "/platform.json", "//etc/passwd",
    ],
)  # fmt: skip
def test_names_never_become_paths(world, path):
    for caller in (world.user, world.stranger):
        for query in ("", "?expires=9999999999&signature=00"):
            reply = caller.get(path + query)
            assert reply.status_code in (401, 403, 404, 422)
            assert world.token not in reply.text
