"""On which thread a click is followed; ipykernel brings it to the kernel's or to a subshell's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from picsellia_jupyter.session import Session
from picsellia_jupyter.widgets.deploy_modal import SETTLING_S, DeployModal


class NotingKernel:
    """Plays the kernel of a form: notes what is to be done later, and does none of it."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.waits_s.append(seconds)

    def watch(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


@pytest.fixture
def kernel() -> NotingKernel:
    return NotingKernel()


@pytest.fixture
def modal(kernel: NotingKernel, tmp_path: Path) -> DeployModal:
    # Never opened, so that nobody is asked anything.
    return DeployModal(Session(home=tmp_path), kernel, has_cell=False)


def test_a_click_on_the_forms_own_thread_is_followed_at_once(
    modal: DeployModal, kernel: NotingKernel
):
    modal.fields.deploy.click()

    assert kernel.waits_s == []


def test_a_click_on_another_thread_waits_for_what_was_chosen_before_it(
    modal: DeployModal, kernel: NotingKernel
):
    subshell = threading.Thread(target=modal.fields.deploy.click)
    subshell.start()
    subshell.join()

    assert kernel.waits_s == [SETTLING_S]
