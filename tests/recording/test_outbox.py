"""Predictions are on disk before they are answered, and stay there until they are recorded."""

import os
import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.recording import outbox as outboxes
from picsellia_jupyter.recording import records
from picsellia_jupyter.recording import spool as spools
from picsellia_jupyter.recording.claims import claim
from picsellia_jupyter.recording.outbox import NotDurableError, Outbox
from picsellia_jupyter.recording.records import Record, Spelling
from picsellia_jupyter.recording.spool import Changes, Row, Spool
from tests.serving import fakes
from tests.serving.conftest import ROOT


def record(name="a.jpg", image=b"image", **more):
    found = Detections(
        np.array([1]), np.array([1 / 3], np.float32), np.array([[0.1, 2, 3, 4]], np.float32)
    )
    predicted = PredictedImage(name, ImageSize(9, 8), found, 0.01, f"id of {name}")
    return Record(predicted, image, "image/jpeg", 1.5, **more)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool" / "deployment"


@pytest.fixture
def make(folder):
    """Open an outbox in the folder; `make(found)`."""
    made = []

    def begin(*found):
        made.append(Outbox(folder, *found))
        return made[-1]

    yield begin
    for one in made:
        one.close()


@pytest.fixture
def commits(monkeypatch):
    """How many predictions each transaction added."""
    counted, change = [], Spool.change

    def counting(self, changes):
        counted.append(len(changes.added))
        change(self, changes)

    monkeypatch.setattr(Spool, "change", counting)
    return counted


def names(outbox, count):
    return [outbox.next().record.predicted.source for _ in range(count)]


def files(folder):
    return sorted(path.suffix for path in folder.iterdir()) if folder.exists() else []


def test_a_record_is_read_as_it_was_written():
    said = record(
        "é\ud800.png", b"\0\1", tags=("night",), source="cam", stored_as="x/y",
        metadata={"n": 2**70}, custom_metadata={"deep": [1, None]},
    )  # fmt: skip
    back = records.read(records.spell(said))
    assert back.predicted.source == "é\ud800.png"
    assert back.predicted.prediction_id == said.predicted.prediction_id
    assert back.predicted.found.scores == np.float32(1 / 3)
    assert (back.predicted.found.boxes_xyxy == said.predicted.found.boxes_xyxy).all()
    fields = ("image", "content_type", "at", "tags", "source", "metadata", "custom_metadata")
    assert [getattr(back, name) for name in fields] == [getattr(said, name) for name in fields]
    assert back.stored_as == "x/y"


def test_what_was_put_comes_out_in_order_and_also_after_its_owner_is_gone(make):
    first = make()
    for number in range(5):
        assert first.put(record(str(number))).result(10) > len(b"image")
    assert names(first, 2) == ["0", "1"]
    first.close()
    second = make()
    fakes.wait_for(lambda: second.waiting == 5)
    assert names(second, 5) == ["0", "1", "2", "3", "4"]


def test_what_an_earlier_owner_left_may_have_been_sent(make):
    first = make()
    assert first.put(record("a.jpg")).result(10)
    assert not first.next().left
    first.close()
    second = make()
    assert second.put(record("b.jpg")).result(10)

    came = [second.next(), second.next()]

    assert [(one.record.predicted.source, one.left) for one in came] == [
        ("a.jpg", True),
        ("b.jpg", False),
    ]


def test_what_is_recorded_is_gone_and_an_empty_spool_leaves_nothing_behind(make, folder):
    outbox = make()
    outbox.put(record()).result(10)
    outbox.settle(outbox.next())
    assert outbox.waiting == 0
    outbox.close()
    assert files(folder) == []


def test_what_is_recorded_is_removed_though_nothing_comes_after_it(make):
    outbox = make()
    outbox.put(record()).result(10)
    outbox.settle(outbox.next())
    taker = threading.Thread(target=outbox.next)
    taker.start()
    fakes.wait_for(lambda: not outbox._settling)
    outbox.close()
    taker.join(10)


def test_a_disk_that_fails_at_a_removal_is_tried_again(make, folder, monkeypatch):
    outbox = make()
    outbox.put(record()).result(10)
    outbox.settle(outbox.next())
    with monkeypatch.context() as broken:
        broken.setattr(Spool, "change", _full)
        assert isinstance(outbox.put(record("b")).exception(10), NotDurableError)
    outbox.put(record("c")).result(10)
    outbox.settle(outbox.next())
    outbox.close()
    assert files(folder) == []


def _full(*_):
    raise sqlite3.OperationalError("database or disk is full")


def test_what_is_set_aside_is_counted_kept_with_its_reason_and_not_taken_again(make, folder):
    outbox = make()
    outbox.put(record("bad")).result(10)
    outbox.set_aside(outbox.next(), "It is bad.")
    outbox.close()
    [path] = folder.glob("*.sqlite3")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT id, refused FROM prediction").fetchall() == [
            ("id of bad", "It is bad.")
        ]
    db.close()
    found = []
    again = make(found.append)
    again.put(record("good")).result(10)
    assert names(again, 1) == ["good"]
    assert again.refused == 1
    assert [(held.waiting, held.refused) for held in found] == [(0, 1)]


def test_only_the_user_can_read_it(make, folder):
    outbox = make()
    outbox.put(record()).result(10)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_folder_that_others_can_enter_is_not_used(make, folder):
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with pytest.raises(NotDurableError):
        make().put(record()).result(10)


def test_many_that_come_together_become_durable_together(make, monkeypatch):
    outbox, commits, held = make(), [], threading.Event()
    change = Spool.change

    def counted(self, changes):
        held.wait(10)
        commits.append(len(changes.added))
        change(self, changes)

    outbox.put(record("first")).result(10)
    monkeypatch.setattr(Spool, "change", counted)
    puts = [outbox.put(record(str(number))) for number in range(20)]
    held.set()
    for put in puts:
        put.result(10)
    assert sum(commits) == 20
    assert len(commits) <= 2


def test_what_does_not_fit_into_memory_waits_on_disk(make, monkeypatch):
    monkeypatch.setattr(outboxes, "_RECENT", 2)
    monkeypatch.setattr(outboxes, "_READ", 3)
    outbox = make()
    for number in range(9):
        outbox.put(record(str(number))).result(10)
    assert len(outbox._recent) == 2
    assert names(outbox, 4) == ["0", "1", "2", "3"]
    outbox.put(record("9")).result(10)
    assert names(outbox, 6) == ["4", "5", "6", "7", "8", "9"]
    outbox.put(record("10")).result(10)
    assert names(outbox, 1) == ["10"]


def test_two_owners_do_not_clash_and_the_one_that_lives_takes_over(make, folder, monkeypatch):
    monkeypatch.setattr(outboxes, "ADOPT_S", 0.05)
    first, second = make(), make()
    first.put(record("of the first")).result(10)
    second.put(record("of the second")).result(10)
    assert files(folder).count(".sqlite3") == 2
    assert names(second, 1) == ["of the second"]
    first.close()
    assert names(second, 1) == ["of the first"]
    assert files(folder).count(".sqlite3") == 1


def test_a_row_that_is_in_two_spools_is_taken_once(make, folder):
    spools.make_private_folder(folder)
    for name in ("one", "two"):
        path = folder / f"{name}.sqlite3"
        spool = Spool(path, claim(path))
        spool.change(Changes([Row(1, records.spell(record("twice")))]))
        spool.close(remove=False)
    outbox = make()
    assert names(outbox, 1) == ["twice"]
    assert outbox.waiting == 1


def test_a_row_that_cannot_be_read_is_set_aside_and_holds_up_no_other(make, folder):
    spools.make_private_folder(folder)
    path = folder / "old.sqlite3"
    spool = Spool(path, claim(path))
    good = records.spell(record("good"))
    spool.change(Changes([Row(1, Spelling("bad", "{}", b"", b"")), Row(2, good)]))
    spool.close(remove=False)
    outbox = make()
    assert names(outbox, 1) == ["good"]
    assert (outbox.waiting, outbox.refused) == (1, 1)


def test_a_damaged_spool_is_put_out_of_the_way(make, folder):
    spools.make_private_folder(folder)
    (folder / "old.sqlite3").write_bytes(b"no database at all" * 1000)
    outbox = make()
    outbox.put(record()).result(10)
    assert (folder / "old.damaged").exists()
    assert outbox.trouble == ""


def test_one_that_cannot_be_written_down_fails_alone(make):
    outbox = make()
    bad = outbox.put(record("bad", metadata={"x": object()}))
    good = outbox.put(record("good"))
    assert isinstance(bad.exception(10), TypeError)
    good.result(10)
    assert outbox.waiting == 1


def test_nothing_is_put_into_one_that_is_closed(make):
    outbox = make()
    outbox.close()
    assert isinstance(outbox.put(record()).exception(10), NotServingError)
    assert outbox.next() is None


HOLDER = """
import os, sys
from pathlib import Path
from picsellia_jupyter.recording.outbox import Outbox
from tests.recording.test_outbox import record
outbox = Outbox(Path(sys.argv[1]))
outbox.put(record("of the dead")).result(10)
child = os.fork()
if child == 0:
    os.setsid()
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="forks beside threads, which is tried on Linux alone"
)
def test_a_forked_sibling_of_a_killed_owner_does_not_hold_its_spool(make, folder):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with process:
        sibling = int(process.stdout.readline())
        assert process.wait(10) == -9
        assert not fakes.is_gone(sibling)
        assert names(make(), 1) == ["of the dead"]
        process.stdin.close()


def test_under_load_predictions_wait_for_others_to_share_a_commit(make, commits, monkeypatch):
    monkeypatch.setattr(outboxes, "_GATHER_S", 60.0)
    pressure = [2.5]
    outbox = make(lambda _held: None, lambda: pressure[0])
    first = [outbox.put(record("a.jpg")), outbox.put(record("b.jpg"))]
    pressure[0] = 2.0
    for put in [*first, outbox.put(record("c.jpg"))]:
        put.result(30)
    assert commits == [3]


def test_a_prediction_that_is_alone_waits_for_no_other(make, commits, monkeypatch):
    monkeypatch.setattr(outboxes, "_GATHER_S", 60.0)
    outbox = make()
    for name in ("a.jpg", "b.jpg"):
        outbox.put(record(name)).result(30)
    assert commits == [1, 1]
