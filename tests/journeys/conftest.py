"""A data directory of one's own, with the demo models registered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.nursery import Nursery
from tests.platforms import fork


@pytest.fixture(scope="module")
def home(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    try:
        fork(nursery, folder)
        seed(Session(home=folder))
        yield folder
    finally:
        local_platform.stop(folder)
