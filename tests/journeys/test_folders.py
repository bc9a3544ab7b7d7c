"""A folder of many images, predicted on in a real kernel by a real serving kernel."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey
MB = 1 << 20
NAME = "folders"


class Notebook:
    """A kernel, and what a notebook would keep of its outputs."""

    def __init__(self, home: Path, images: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env={**os.environ, "PICSELLIA_JUPYTER_HOME": str(home)})
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        self.sizes: list[int] = []
        self.run(
            "from picsellia_jupyter import Session\n"
            "from picsellia_jupyter.handles import batching\n"
            f"d = Session().deployment({NAME!r}); folder = {str(images)!r}\n"
            # Few images show how far they are, too.
            "batching.PATIENCE_S = 0"
        )

    def run(
        self, code: str, each: Callable[[dict[str, Any]], None] = lambda content: None
    ) -> dict[str, str]:
        """The output that is left at the end; `each` is told of every one that was shown."""
        left: dict[str, str] = {}

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                left["error"] = content["ename"]
            if "data" in content:
                left.update(content["data"])
                self.sizes.append(sum(map(len, content["data"].values())))
                each(content)

        self.sizes.clear()
        self.client.execute_interactive(code, output_hook=hear, timeout=3600)
        return left

    @property
    def memory(self) -> int:
        """Bytes that the kernel holds."""
        return int(psutil.Process(self.manager.provisioner.pid).memory_info().rss)

    def close(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def count(request) -> int:
    """Images in the folder."""
    return 10_000 if request.config.getoption("--long") else 200


@pytest.fixture(scope="module")
def notebook(
    home: Path, tmp_path_factory: pytest.TempPathFactory, count: int
) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("images")
    pages = catalog.pages()
    for number in range(count):
        page = pages[number % len(pages)]
        (folder / f"{number:05}{page.suffix}").symlink_to(page)
    session = Session(home=home)
    session.deploy("digits-detector", name=NAME)
    notebook = Notebook(home, folder)
    try:
        yield notebook
    finally:
        notebook.close()
        session.undeploy(NAME, delete=True)


def test_a_notebook_and_its_memory_stay_small_however_many_images(notebook: Notebook, count: int):
    notebook.run("first = d.predict(folder + '/0000*', monitor=False)")
    held = [notebook.memory]

    left = notebook.run(
        "found = d.predict(folder, monitor=False)", lambda _: held.append(notebook.memory)
    )

    assert left["text/plain"].startswith(f"{count:,} images · in ")
    assert len(notebook.sizes) > 2
    assert max(notebook.sizes) < 100_000
    assert sum(map(len, left.values())) < 10_000
    grown = max(held) - held[0]
    print(f"{left['text/plain']}: {grown / MB:.0f} MB more in the kernel")
    assert grown < 60 * MB


def test_the_grid_of_all_is_a_page_of_them(notebook: Notebook, count: int):
    left = notebook.run("found")

    assert f"{count:,} images predicted, 1 to 100 shown" in left["text/html"]
    print(f"{len(left['text/html']) / 1e6:.2f} MB for a page of {count:,} images")
    assert len(left["text/html"]) < 2_000_000


def test_an_interrupt_keeps_what_is_done_and_says_how_to_go_on(notebook: Notebook, count: int):
    def interrupt(content: dict[str, Any]) -> None:
        if "left" in content["data"]["text/plain"] and not interrupted:
            interrupted.append(content["data"]["text/plain"])
            notebook.manager.interrupt_kernel()

    interrupted: list[str] = []
    left = notebook.run("found = d.predict(folder, monitor=False)", interrupt)

    assert "error" not in left
    assert re.fullmatch(
        rf"[\d,]+ of {count:,} images · stopped · d\.predict\(found\.undone\) goes on",
        left["text/plain"],
    )
    again = notebook.run(
        "rest = d.predict(found.undone, monitor=False)\n"
        "f'{len(found) > 0} {len(found) + len(found.undone)} {len(rest) == len(found.undone)}'"
    )
    assert again["text/plain"] == f"'True {count} True'"


def test_the_tags_that_an_image_was_sent_with_are_in_its_caption(notebook: Notebook):
    left = notebook.run(
        "d.predict(folder + '/00000*', tags=['night', 'line <2>'])\nd.wait_for_prediction(60)"
    )
    assert left["text/plain"].endswith(" · tags: line <2>, night")
    assert "tags: line &lt;2&gt;, night" in left["text/html"]
