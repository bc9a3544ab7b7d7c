"""`%deployment`, and how a kernel shows deployments: live panels, or their cards."""

from __future__ import annotations

import argparse
import re
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.interconnection import Interconnection
    from picsellia_jupyter.handles.panels import PanelView
    from picsellia_jupyter.session import Session
    from picsellia_jupyter.widgets.output import CellOutput

_HANDLE = ("picsellia_jupyter.handles.deployment", "Deployment")
_GUIDE = ("picsellia_jupyter.handles.interconnection", "Interconnection")
_VIEW = ("picsellia_jupyter.handles.panels", "PanelView")


class Live(Protocol):
    """A panel or a guide."""

    def open(self, card: Mapping[str, str]) -> None:
        """Show it, over a card that remains where it is not live."""

    def close(self) -> None:
        """Leave the card in its place."""


Make = Callable[["CellOutput | None"], Live]


class Panels:
    """The live panels and guides of one kernel: one a deployment, where it was shown last."""

    def __init__(self, shell: InteractiveShell, session: Callable[[], Session]) -> None:
        """Show nothing yet.

        Args:
            shell: of the kernel.
            session: gives that of the notebook.
        """
        self._shell = shell
        self._session = session
        self._open: dict[tuple[str, str], Live] = {}

    def register(self) -> None:
        """Have the shell show deployments as panels; only a kernel can."""
        if getattr(self._shell, "kernel", None) is None:
            return
        self._displays.for_type_by_name(*_HANDLE, self._show_handle)
        self._displays.for_type_by_name(*_VIEW, self._show_view)
        self._displays.for_type_by_name(*_GUIDE, self._show_guide)

    def unregister(self) -> None:
        """Show cards again, those of the panels that are open too."""
        for name in (_HANDLE, _VIEW, _GUIDE):
            self._displays.pop(".".join(name), None)
        for panel in self._open.values():
            panel.close()
        self._open.clear()

    def _show_handle(self, deployment: Deployment) -> None:
        if self._is_answer_of_a_verb() or not saves_cards():
            raise NotImplementedError  # Has IPython go on, to the card.
        panel = self._panel_of(deployment)
        self._show(("panel", deployment.id), deployment._repr_mimebundle_(), panel)

    def _is_answer_of_a_verb(self) -> bool:
        """Whether the running cell deploys or undeploys: what came of it is told by the card."""
        history: Any = self._shell.history_manager
        sources: list[str] = history.input_hist_raw if history else []
        return bool(sources) and re.search(r"%(un)?deploy\b", sources[-1]) is not None

    def _show_view(self, view: PanelView) -> None:
        deployment = view.deployment
        self._show_asked(
            ("panel", deployment.id), view._repr_mimebundle_(), self._panel_of(deployment)
        )

    def _show_guide(self, guide: Interconnection) -> None:
        if guide.deployment is None:
            raise NotImplementedError  # Has IPython go on, to the HTML.
        from picsellia_jupyter.magics.shells import ShellKernel
        from picsellia_jupyter.widgets.guide import Guide

        kernel = ShellKernel(self._shell)
        self._show_asked(
            ("guide", guide.record.id),
            guide._repr_mimebundle_(),
            lambda output: Guide(guide, self._session(), kernel, output),
        )

    def _panel_of(self, deployment: Deployment) -> Make:
        from picsellia_jupyter.magics.shells import ShellKernel
        from picsellia_jupyter.widgets.panel import DeploymentPanel

        kernel = ShellKernel(self._shell)
        return lambda output: DeploymentPanel(deployment, kernel, output)

    def _show_asked(self, key: tuple[str, str], card: Mapping[str, str], make: Make) -> None:
        """Show what was asked for by name: in every page, though a program gets the card alone."""
        if saves_cards():
            self._show(key, card, make)
            return
        from picsellia_jupyter.widgets.front_page import FrontPage
        from picsellia_jupyter.widgets.output import CellOutput

        output = CellOutput(uuid.uuid4().hex, has_cell=True)
        output.show(card)
        FrontPage(lambda: self._show(key, card, make, output)).ask()

    def _show(
        self,
        key: tuple[str, str],
        card: Mapping[str, str],
        make: Make,
        output: CellOutput | None = None,
    ) -> None:
        before = self._open.pop(key, None)
        if before is not None:
            before.close()
        self._open[key] = panel = make(output)
        panel.open(card)

    @property
    def _displays(self) -> Any:
        formatter: Any = self._shell.display_formatter
        return formatter.ipython_display_formatter


def saves_cards() -> bool:
    """Whether the kernel's own Jupyter server has our extension.

    It writes the card alone into files, so that a notebook which is opened again never says
    that a widget's model was not found.
    """
    from picsellia_jupyter.clients.labserver import own_extension

    return own_extension() is not None


def _arguments() -> Arguments:
    parser = Arguments(
        "deployment",
        "A deployment's panel: dashboard, predictions and settings:\n\n"
        "    %deployment my-line\n\n"
        "d.panel() shows the same of a deployment d.",
    )
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    return parser


def _panel(session: Session, args: argparse.Namespace) -> object:
    return session.deployment(args.deployment).panel()


DEPLOYMENT = Verb("deployment", _arguments(), _panel)
