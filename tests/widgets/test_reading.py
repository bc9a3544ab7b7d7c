"""What a form reads in the background, from a real local platform."""

from __future__ import annotations

import threading
from pathlib import Path

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.session import Session
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.reading import Change, Reading


class Reader:
    """Keeps the choices as they are read, and waits for them."""

    def __init__(self, session: Session) -> None:
        self.choices = Choices()
        self.errors: list[Exception] = []
        self._news = threading.Condition()
        self.reading = Reading(session, self._learn, failed=self._failed)

    def _learn(self, change: Change) -> None:
        with self._news:
            self.choices = change(self.choices)
            self._news.notify_all()

    def _failed(self, error: Exception) -> None:
        with self._news:
            self.errors.append(error)
            self._news.notify_all()

    def until(self, true) -> None:
        with self._news:
            assert self._news.wait_for(lambda: true(self), timeout=60)


def test_everything_that_can_be_chosen_is_read_a_piece_at_a_time(home: Path):
    reader = Reader(Session(home=home))

    reader.reading.begin()
    reader.until(lambda read: read.choices.is_read and read.choices.reports)
    version = reader.choices.find_version("digits-detector:0")
    assert version is not None
    reader.reading.look_up(version)
    reader.until(lambda read: version.id in read.choices.facts)
    reader.reading.end()

    assert reader.errors == []
    assert reader.choices.lakes[0].name == "default"
    assert not reader.choices.serves_itself
    assert reader.choices.allowance == Allowance(
        None, "About 1 MPU an hour of serving (our estimate)."
    )
    report = reader.choices.report("local")
    assert report is not None
    assert report.inventory is not None
    names = [file.name for file in reader.choices.facts[version.id].files]
    assert "model-latest" in names
    assert reader.choices.facts[version.id].experiment_id is None


def test_why_it_cannot_be_read_is_told(tmp_path: Path):
    (tmp_path / "places.json").write_text("no JSON")
    session = Session("http://127.0.0.1:9", "token", home=tmp_path)
    reader = Reader(session)

    reader.reading.begin()
    reader.until(lambda read: len(read.errors) == 2)
    reader.reading.end()

    assert all(isinstance(error, PlatformError) for error in reader.errors)
