"""A front end of a real kernel that keeps what its widgets show and does what a user does."""

from __future__ import annotations

import os
import queue
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from picsellia_jupyter.widgets.dialog import TARGET

WIDGET = "jupyter.widget"
SETUP = "%load_ext picsellia_jupyter"
Json = dict[str, Any]


@contextmanager
def running_kernel(home: Path) -> Iterator[Page]:
    """A kernel whose session is the local platform of a data directory."""
    others = ("PICSELLIA_", "JUPYTER", "JPY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**kept, "PICSELLIA_JUPYTER_HOME": str(home)})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Page(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


class Page:
    """What a kernel has published so far; each wait has its own deadline."""

    def __init__(self, client: Any, *, shows_dialogs: bool | None = False) -> None:
        """Show dialogs, refuse them, or (None) leave the question without an answer."""
        self.client = client
        self.shows_dialogs = shows_dialogs
        self.widgets: dict[str, Json] = {}
        self.outputs: dict[str, Json] = {}
        """The last bundle of each output that can be replaced."""
        self.metadata: dict[str, Json] = {}
        self.dialogs: list[str] = []
        self.unanswered: list[str] = []
        """Dialogs that were asked for, where the question is left without an answer."""
        self.said: list[Json] = []
        """What the kernel told the dialog."""
        self.errors: list[str] = []
        self.targets: list[str] = []
        """Of the comms that the kernel has opened."""

    def run(self, code: str) -> str:
        """Run a cell until its reply; what it prints as its status."""
        reply = self.client.execute(code, allow_stdin=False, reply=True, timeout=60)
        return str(reply["content"]["status"])

    def begin(self, code: str) -> None:
        """Run a cell without waiting for it."""
        self.client.execute(code, allow_stdin=False)

    def until(self, true: Callable[[], Any], timeout_s: float = 60) -> Any:
        """Read what the kernel publishes until something is true of it."""
        deadline = time.monotonic() + timeout_s
        while not (found := true()):
            try:
                self._take(self.client.get_iopub_msg(timeout=0.5))
            except queue.Empty:
                assert time.monotonic() < deadline, f"never came true; errors: {self.errors}"
        return found

    def send(self, comm_id: str, **data: Any) -> None:
        """A message of a comm."""
        content = {"comm_id": comm_id, "data": data}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def change(self, widget_id: str, **state: Any) -> None:
        """Change a widget as its view does."""
        self.widgets[widget_id].update(state)
        self.send(widget_id, method="update", state=state, buffer_paths=[])

    def click(self, description: str) -> None:
        """Click a button."""
        self.send(self.find(description), method="custom", content={"event": "click"})

    def find(self, description: str) -> str:
        """The id of the widget of a description."""
        found = [
            key for key, state in self.widgets.items() if state.get("description") == description
        ]
        assert len(found) == 1, (description, found)
        return found[0]

    def state(self, description: str) -> Json:
        """What the page knows of the widget of a description."""
        return self.widgets[self.find(description)]

    def is_shown(self, widget_id: str) -> bool:
        """Whether a widget and all that it lies in are displayed."""
        layout = self.widgets[self.widgets[widget_id]["layout"].removeprefix("IPY_MODEL_")]
        if layout.get("display") == "none":
            return False
        model = f"IPY_MODEL_{widget_id}"
        parents = [key for key, one in self.widgets.items() if model in one.get("children", ())]
        return all(map(self.is_shown, parents))

    def text(self) -> str:
        """All HTML of the form that is displayed."""
        shown = [
            state["value"]
            for key, state in self.widgets.items()
            if state.get("_model_name") == "HTMLModel" and self.is_shown(key)
        ]
        return "\n".join(shown)

    def line(self) -> str:
        """The line that the form stands for."""
        said = [html for html in self.text().split("\n") if '<div class="pxj-line">' in html]
        return unescape(re.sub("<[^>]*>", "", said[-1])).removesuffix("Copy") if said else ""

    def choose(self, description: str, label: str) -> None:
        """Choose the option whose label begins so."""
        labels = self.state(description)["_options_labels"]
        (index,) = (at for at, one in enumerate(labels) if one.startswith(label))
        self.change(self.find(description), index=index)

    def _take(self, message: Json) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind in ("display_data", "update_display_data"):
            identity = content["transient"].get("display_id", "")
            self.outputs[identity] = content["data"]
            self.metadata[identity] = content["metadata"]
        elif kind == "error":
            self.errors.append("\n".join(content["traceback"]))
        elif kind == "comm_open":
            self._open(content)
        elif kind == "comm_msg":
            self._told(content)
        elif kind == "comm_close":
            self.widgets.pop(content["comm_id"], None)
            if content["comm_id"] in self.dialogs:
                self.dialogs.remove(content["comm_id"])

    def _open(self, content: Json) -> None:
        comm_id, data = content["comm_id"], content["data"]
        self.targets.append(content["target_name"])
        if content["target_name"] == WIDGET:
            self.widgets[comm_id] = dict(data["state"])
        elif content["target_name"] == TARGET and self.shows_dialogs:
            self.dialogs.append(comm_id)
            self.said.append(data)
            self.send(comm_id, ready=True)
        elif self.shows_dialogs is None:
            self.unanswered.append(comm_id)
        else:
            closing = self.client.session.msg("comm_close", {"comm_id": comm_id, "data": {}})
            self.client.shell_channel.send(closing)

    def _told(self, content: Json) -> None:
        comm_id, data = content["comm_id"], content["data"]
        if comm_id in self.dialogs:
            self.said.append(data)
        elif data.get("method") == "update" and comm_id in self.widgets:
            self.widgets[comm_id].update(data["state"])
