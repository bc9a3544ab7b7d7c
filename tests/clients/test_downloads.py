"""Downloads from a real HTTP server that breaks off, answers to ranges, or does not."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from picsellia_jupyter.clients.downloads import Stored, fetch
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    PlatformError,
    PlatformUnreachableError,
)

BODY = os.urandom(700_000)
SUM = hashlib.sha256(BODY).hexdigest()


class Storage:
    """A storage of one object; `refusals` are given before it, and then pieces of it."""

    def __init__(self) -> None:
        self.body = BODY
        self.refusals: list[int] = []
        self.pieces: list[int] = []
        """How many bytes each reply has before it breaks off; then the whole."""
        self.answers_ranges = True
        self.asked: list[str | None] = []
        storage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                storage.answer(self)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/object"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("range")
        self.asked.append(asked)
        if self.refusals:
            handler.send_error(self.refusals.pop(0))
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        start = start if self.answers_ranges else 0
        if start and start >= len(self.body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(self.body) - start))
        if start:
            last = len(self.body) - 1
            handler.send_header("Content-Range", f"bytes {start}-{last}/{len(self.body)}")
        handler.end_headers()
        some = self.pieces.pop(0) if self.pieces else len(self.body)
        handler.wfile.write(self.body[start : start + some])

    def stored(self, sha256: str | None = SUM) -> Stored:
        return Stored("models/one", self.url, sha256)


@pytest.fixture
def storage() -> Iterator[Storage]:
    made = Storage()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_file_appears_whole_and_nothing_else_stays(storage: Storage, tmp_path: Path):
    told: list[tuple[int, int | None]] = []

    path = fetch(storage.stored, tmp_path / "new" / "m.onnx", listen=lambda *now: told.append(now))

    assert path.read_bytes() == BODY
    assert list(path.parent.iterdir()) == [path]
    assert told[-1] == (len(BODY), len(BODY))


def test_a_download_that_breaks_off_goes_on_where_it_was(storage: Storage, tmp_path: Path):
    storage.pieces = [300_000, 100_000]

    path = fetch(storage.stored, tmp_path / "m.onnx", pause_s=0)

    assert path.read_bytes() == BODY
    assert storage.asked == [None, "bytes=300000-", "bytes=400000-"]


def test_a_later_call_goes_on_with_what_an_earlier_one_has(storage: Storage, tmp_path: Path):
    def interrupt(have: int, _total: int | None) -> None:
        if have > 200_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(storage.stored, tmp_path / "m.onnx", listen=interrupt)
    assert not (tmp_path / "m.onnx").exists()

    assert fetch(storage.stored, tmp_path / "m.onnx").read_bytes() == BODY
    assert re.fullmatch(r"bytes=[1-9]\d+-", storage.asked[1] or "")


def test_a_part_that_is_whole_already_is_taken(storage: Storage, tmp_path: Path):
    def interrupt(have: int, total: int | None) -> None:
        if have == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(storage.stored, tmp_path / "m.onnx", listen=interrupt)

    assert fetch(storage.stored, tmp_path / "m.onnx").read_bytes() == BODY
    assert storage.asked == [None, f"bytes={len(BODY)}-"]


def test_a_storage_without_ranges_is_asked_for_the_whole_again(storage: Storage, tmp_path: Path):
    storage.answers_ranges = False
    storage.pieces = [300_000]

    assert fetch(storage.stored, tmp_path / "m.onnx", pause_s=0).read_bytes() == BODY


def test_another_object_is_not_continued_with(storage: Storage, tmp_path: Path):
    storage.pieces = [300_000] + [0] * 5
    with pytest.raises(PlatformUnreachableError):
        fetch(storage.stored, tmp_path / "m.onnx", pause_s=0)
    storage.body = BODY[::-1]
    other = Stored("models/two", storage.url, hashlib.sha256(storage.body).hexdigest())

    assert fetch(lambda: other, tmp_path / "m.onnx").read_bytes() == BODY[::-1]


def test_a_file_that_is_there_is_not_fetched_again(storage: Storage, tmp_path: Path):
    (tmp_path / "m.onnx").write_bytes(BODY)

    fetch(storage.stored, tmp_path / "m.onnx")

    assert storage.asked == []


def test_an_older_file_is_replaced(storage: Storage, tmp_path: Path):
    (tmp_path / "m.onnx").write_bytes(b"old")

    assert fetch(storage.stored, tmp_path / "m.onnx").read_bytes() == BODY


def test_a_busy_storage_and_an_address_that_is_too_old_are_asked_again(
    storage: Storage, tmp_path: Path
):
    storage.refusals = [503, 403]

    assert fetch(storage.stored, tmp_path / "m.onnx", pause_s=0).read_bytes() == BODY


def test_a_storage_that_always_breaks_off_is_told_and_what_came_is_kept(
    storage: Storage, tmp_path: Path
):
    storage.pieces = [300_000] + [0] * 5

    with pytest.raises(PlatformUnreachableError, match="broke off after 300,000 bytes") as told:
        fetch(storage.stored, tmp_path / "m.onnx", pause_s=0)

    assert told.value.remedy == "Run it again: it goes on from there."
    fetch(storage.stored, tmp_path / "m.onnx")
    assert storage.asked[-1] == "bytes=300000-"


def test_a_storage_that_refuses_is_told_at_once(storage: Storage, tmp_path: Path):
    storage.refusals = [404]

    with pytest.raises(PlatformError, match=r"does not give the file out \(HTTP 404\)"):
        fetch(storage.stored, tmp_path / "m.onnx")


def test_what_is_not_what_was_stored_never_becomes_the_file(storage: Storage, tmp_path: Path):
    storage.body = BODY[:-1] + b"?"

    with pytest.raises(PlatformError, match=r"is not what was stored as models/one \(SHA-256\)"):
        fetch(storage.stored, tmp_path / "m.onnx")

    assert not (tmp_path / "m.onnx").exists()
    storage.body = BODY
    assert fetch(storage.stored, tmp_path / "m.onnx").read_bytes() == BODY


def test_without_a_sum_the_length_is_checked(storage: Storage, tmp_path: Path):
    storage.pieces = [300_000]

    fetched = fetch(lambda: storage.stored(sha256=None), tmp_path / "m.onnx", pause_s=0)

    assert fetched.read_bytes() == BODY


def test_a_folder_that_cannot_be_made_is_told(storage: Storage, tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(InvalidInputError, match="cannot be written"):
        fetch(storage.stored, tmp_path / "file" / "m.onnx")


def test_two_programs_that_fetch_the_same_file_do_not_disturb_each_other(
    storage: Storage, tmp_path: Path
):
    program = (
        "import sys; from pathlib import Path\n"
        "from picsellia_jupyter.clients.downloads import Stored, fetch\n"
        f"stored = Stored('models/one', {storage.url!r}, {SUM!r})\n"
        "print(fetch(lambda: stored, Path(sys.argv[1])).stat().st_size)"
    )
    other: list[subprocess.Popen[str]] = []

    def begin_another(_have: int, _total: int | None) -> None:
        if not other:
            command = [sys.executable, "-c", program, str(tmp_path / "m.onnx")]
            other.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            out, _ = other[0].communicate(timeout=60)
            assert out.strip() == str(len(BODY))

    assert fetch(storage.stored, tmp_path / "m.onnx", listen=begin_another).read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]
