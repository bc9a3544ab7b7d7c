"""The first step of the guide: the model files, with progress; stopped and gone on with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as w

from picsellia_jupyter.display import forms, guides
from picsellia_jupyter.handles.downloading import download_all
from picsellia_jupyter.widgets.errand import Act
from picsellia_jupyter.widgets.setting_row import button, problem, put, toggle

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.interconnection import Interconnection

FOLDER = "my-server"
_ATOMIC = "Each file appears whole or not at all, and is compared with its SHA-256."
_STOPPED = "Stopped. Download goes on where it was."


class DownloadStep:
    """A folder and a button; `box` holds them all."""

    def __init__(self, shown: Interconnection, do: Callable[[Act], None]) -> None:
        self._name = shown.record.name
        self._do = do
        self._stop = threading.Event()
        auto = w.Layout(width="auto")
        self.folder = w.Text(description="Folder", value=FOLDER, layout=auto)
        self.start, self.halt = button("Download", "jp-mod-accept"), button("Stop")
        self._said, self._problem, self._rows, self._line = (w.HTML() for _ in range(4))
        bar = w.HBox([self.start, self.halt, self._said])
        bar.add_class("pxj-bar")
        about = w.HTML(guides.files_html(shown.files) + forms.hint(_ATOMIC))
        self.box = w.VBox([about, self.folder, bar, self._problem, self._rows, self._line])
        for note in (self._problem, self._rows):
            put(note, "")
        toggle(self.halt, shown=False)
        self.start.disabled = not shown.files
        self.start.on_click(lambda _button: self._begin())
        self.halt.on_click(lambda _button: self.end())

    def end(self) -> None:
        """Stop; what has come is kept."""
        self._stop.set()

    def show(self, html: str, text: str, *, last: bool = False) -> None:
        """Take the progress of `download_all`."""
        del text
        put(self._rows, html)
        if self._stop.is_set() and not last:
            raise KeyboardInterrupt

    def _begin(self) -> None:
        self._stop.clear()
        self._turn(running=True)
        put(self._problem, "")
        put(self._said, forms.status("Downloading …"))
        self._do(self._fetch)

    def _fetch(self, deployment: Deployment) -> None:
        folder = self.folder.value.strip() or FOLDER
        try:
            files = deployment._files()
            download_all(deployment._platform, files, Path(folder).expanduser(), self)
        except KeyboardInterrupt:
            put(self._said, forms.status(_STOPPED))
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._problem, problem(error))
            put(self._said, "")
        else:
            put(self._said, forms.status(f"All files are in {folder}."))
            code = f"{guides.line(self._name)} --download {guides.word(folder)}"
            put(self._line, forms.line(code))
        self._turn(running=False)

    def _turn(self, *, running: bool) -> None:
        toggle(self.halt, shown=running)
        toggle(self.start, shown=not running)
