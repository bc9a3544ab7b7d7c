from __future__ import annotations

import getpass
import sys
import threading

import pytest

from picsellia_jupyter.launch import asking


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a user at a terminal was asked."""
    texts: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda text: texts.append(text) or "secret")
    return texts


def test_a_user_at_a_terminal_is_asked(asked: list[str]):
    assert asking.for_secret("Token: ") == "secret"
    assert asked == ["Token: "]


def test_the_work_of_a_form_asks_nobody(asked: list[str]):
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(asking.for_secret("Token: ")))
    thread.start()
    thread.join()

    assert (answers, asked) == ([None], [])
