"""A data directory with the demo models, and a kernel that uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.nursery import Nursery
from tests.platforms import fork
from tests.widgets.page import SETUP, Page, running_kernel


@pytest.fixture(scope="package")
def home(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    try:
        fork(nursery, folder)
        seed(Session(home=folder))
        yield folder
    finally:
        local_platform.stop(folder)


@pytest.fixture(scope="module")
def kernel_page(home: Path) -> Iterator[Page]:
    """One kernel for all tests of a module, which load it anew with forms of their own."""
    with running_kernel(home) as page:
        assert page.run(SETUP) == "ok"
        yield page


@pytest.fixture
def page(kernel_page: Page) -> Iterator[Page]:
    """A page that shows no dialogs; a test may have it show them."""
    fresh = Page(kernel_page.client)
    yield fresh
    assert fresh.errors == []
