"""A browser window on a Jupyter server: what a user does there, and what it complained about."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Locator, Page

from tests.browser.server import REPOSITORY, JupyterServer

SCREENSHOTS = REPOSITORY / "build" / "screenshots"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# What Jupyter itself reports with every other extension disabled too.
KNOWN_NOISE = (
    "/lsp/status?",  # JupyterLab 4.6, without a language server extension
    "Exception opening new comm",  # JupyterLab, as it refuses a comm; we ask for a dialog by one
    "Failed to execute 'removeChild' on 'Node'",  # JupyterLab 4.6, as outputs are redrawn
    "Could not restore the debugger state",  # a notebook closed soon after it was opened
    "_cellToolbarOverlapsContents",  # JupyterLab 4.2, a cell removed soon after it ran
    "reading 'last_modified'",  # Notebook 7.2, where there is no checkpoint yet
    "reading 'schema'",  # Notebook 7.6, at each start
)
OURS = "/labextensions/picsellia-jupyter/"

KERNEL_IS_IDLE = """
    window.jupyterapp?.shell.currentWidget?.context?.isReady
    && window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'
"""
CELLS = """() => {
    const content = window.jupyterapp.shell.currentWidget.content;
    return content.model.sharedModel.cells.map(cell => cell.toJSON());
}"""
ASK = """async expression => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const user_expressions = { told: expression };
    const future = kernel.requestExecute({ code: '', silent: true, user_expressions });
    const { content } = await future.done;
    return content.user_expressions.told.data['text/plain'];
}"""
START_COMMAND = """([id, args]) => {
    window.commandOutcome = null;
    window.jupyterapp.commands.execute(id, args).then(
        value => { window.commandOutcome = 'done'; },
        reason => { window.commandOutcome = `failed: ${reason}`; }
    );
}"""


@dataclass(frozen=True)
class Cell:
    """One cell as it would be saved."""

    kind: str
    source: str
    execution_count: int | None
    outputs: tuple[dict[str, Any], ...]

    def text(self) -> str:
        """What its outputs say in plain text."""
        return "".join(map(_text, self.outputs))


class JupyterPage:
    """One browser window; its methods return when the page shows what was asked for."""

    def __init__(self, page: Page, server: JupyterServer) -> None:
        self.page = page
        self.server = server
        self.expected: list[str] = []
        """What a test brings about: complaints with one of these texts are none."""
        self._errors: list[str] = []
        self._outside: list[str] = []
        page.on("console", self._note_message)
        page.on("pageerror", self._note_error)
        page.on("request", lambda request: self._note_address(request.url))
        page.on("websocket", lambda socket: self._note_address(socket.url))

    def open(self, notebook: str, *, theme: Literal["light", "dark"] = "light") -> None:
        """Load a notebook of the server's root folder and wait for its idle kernel."""
        self.server.use_theme(THEMES[theme])
        self.page.goto(self.server.address(notebook))
        self.wait_for(KERNEL_IS_IDLE, timeout_s=60)

    def execute(self, command: str, timeout_s: float = 60, **args: Any) -> None:
        """Run a command of the application and wait until it is done."""
        self.page.evaluate(START_COMMAND, [command, args])
        self.wait_for("window.commandOutcome !== null", timeout_s=timeout_s)
        outcome = self.page.evaluate("window.commandOutcome")
        assert outcome == "done", f"{command} {outcome}"

    def run_all(self, timeout_s: float = 120) -> list[Cell]:
        """Run every cell; AssertionError with the first traceback if one of them raised."""
        self.execute("notebook:run-all-cells", timeout_s)
        cells = self.cells()
        raised = [_text(out) for cell in cells for out in cell.outputs if _is_error(out)]
        assert not raised, raised[0]
        left = [cell.source for cell in cells if cell.kind == "code" and _did_not_run(cell)]
        assert left == [], f"did not run: {left}"
        return cells

    def ask(self, expression: str) -> str:
        """What the notebook's kernel says of an expression, silently."""
        return str(self.page.evaluate(ASK, expression))

    def wait_for_answer(self, expression: str, answer: str, timeout_s: float = 15) -> None:
        """Wait until the kernel says this of an expression; its messages have no common order."""
        deadline = time.monotonic() + timeout_s
        while (said := self.ask(expression)) != answer:
            assert time.monotonic() < deadline, f"{expression} stays {said}"
            self.page.wait_for_timeout(50)

    def cells(self) -> list[Cell]:
        """The cells of the open notebook, in order."""
        return [_cell(raw) for raw in self.page.evaluate(CELLS)]

    def wait_for_cell(self, source: str, timeout_s: float = 60) -> Cell:
        """Wait until a cell with exactly this source exists and has run."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for cell in self.cells():
                if cell.source == source and not _did_not_run(cell):
                    return cell
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{source!r} did not run within {timeout_s} s: {self.cells()}")

    def wait_for(self, expression: str, *, timeout_s: float = 30) -> None:
        """Wait until a JavaScript expression is true."""
        self.page.wait_for_function(f"Boolean({expression})", timeout=timeout_s * 1000)

    def cell(self, index: int) -> Locator:
        """The cell as it is seen."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def use_theme(self, theme: Literal["light", "dark"]) -> None:
        """Switch the theme of the open page."""
        self.execute("apputils:change-theme", theme=THEMES[theme])
        self.wait_for(f"document.body.dataset.jpThemeName === '{THEMES[theme]}'")

    def screenshots(self, name: str, *, cell: int | None = None) -> list[Path]:
        """Write build/screenshots/NAME-{light,dark}.png, with a cell scrolled into view."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        paths = []
        for theme in THEMES:
            self.use_theme(theme)
            if cell is not None:
                self.cell(cell).scroll_into_view_if_needed()
            paths.append(SCREENSHOTS / f"{name}-{theme}.png")
            self.page.screenshot(path=paths[-1], animations="disabled")
        return paths

    def complaints(self) -> list[str]:
        """Console errors, uncaught exceptions and requests that left 127.0.0.1, so far."""
        return [*self._errors, *(f"request to {address}" for address in self._outside)]

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console: {message.text} {message.location.get('url', '')}".rstrip())

    def _note_error(self, error: Error) -> None:
        self._note(f"uncaught: {error.message}\n{error.stack}")

    def _note(self, complaint: str) -> None:
        if any(text in complaint for text in self.expected):
            return
        if OURS in complaint or not any(noise in complaint for noise in KNOWN_NOISE):
            self._errors.append(complaint)

    def _note_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            self._outside.append(address)


def _cell(raw: dict[str, Any]) -> Cell:
    source = raw["source"]
    return Cell(
        kind=raw["cell_type"],
        source=source if isinstance(source, str) else "".join(source),
        execution_count=raw.get("execution_count"),
        outputs=tuple(raw.get("outputs", ())),
    )


def _did_not_run(cell: Cell) -> bool:
    return bool(cell.source.strip()) and cell.execution_count is None


def _is_error(output: dict[str, Any]) -> bool:
    return output["output_type"] == "error"


def _text(output: dict[str, Any]) -> str:
    if _is_error(output):
        return "\n".join([f"{output['ename']}: {output['evalue']}", *output["traceback"]])
    said: str | Sequence[str] = output.get("text") or output.get("data", {}).get("text/plain", "")
    return said if isinstance(said, str) else "".join(said)
