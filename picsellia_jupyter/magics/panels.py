"""`%deployment`, and how a kernel shows deployments: live panels, or their cards."""

from __future__ import annotations

import argparse
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.panels import PanelView
    from picsellia_jupyter.session import Session
    from picsellia_jupyter.widgets.output import CellOutput
    from picsellia_jupyter.widgets.panel import DeploymentPanel

_HANDLE = ("picsellia_jupyter.handles.deployment", "Deployment")
_VIEW = ("picsellia_jupyter.handles.panels", "PanelView")


class Panels:
    """The live panels of one kernel: one a deployment, where it was shown last."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._open: dict[str, DeploymentPanel] = {}

    def register(self) -> None:
        """Have the shell show deployments as panels; only a kernel can."""
        if getattr(self._shell, "kernel", None) is None:
            return
        self._displays.for_type_by_name(*_HANDLE, self._show_handle)
        self._displays.for_type_by_name(*_VIEW, self._show_view)

    def unregister(self) -> None:
        """Show cards again, those of the panels that are open too."""
        for name in (_HANDLE, _VIEW):
            self._displays.pop(".".join(name), None)
        for panel in self._open.values():
            panel.close()
        self._open.clear()

    def _show_handle(self, deployment: Deployment) -> None:
        if self._is_answer_of_a_verb() or not saves_cards():
            raise NotImplementedError  # Has IPython go on, to the card.
        self._show(deployment, deployment._repr_mimebundle_())

    def _is_answer_of_a_verb(self) -> bool:
        """Whether the running cell deploys or undeploys: what came of it is told by the card."""
        history: Any = self._shell.history_manager
        sources: list[str] = history.input_hist_raw if history else []
        return bool(sources) and re.search(r"%(un)?deploy\b", sources[-1]) is not None

    def _show_view(self, view: PanelView) -> None:
        card = view._repr_mimebundle_()
        if saves_cards():
            self._show(view.deployment, card)
            return
        from picsellia_jupyter.widgets.front_page import FrontPage
        from picsellia_jupyter.widgets.output import CellOutput

        # Asked for by name, it is shown in every page; a program that runs notebooks is none.
        output = CellOutput(uuid.uuid4().hex, has_cell=True)
        output.show(card)
        FrontPage(lambda: self._show(view.deployment, card, output)).ask()

    def _show(
        self, deployment: Deployment, card: Mapping[str, str], output: CellOutput | None = None
    ) -> None:
        from picsellia_jupyter.magics.shells import ShellKernel
        from picsellia_jupyter.widgets.panel import DeploymentPanel

        before = self._open.pop(deployment.id, None)
        if before is not None:
            before.close()
        panel = DeploymentPanel(deployment, ShellKernel(self._shell), output)
        self._open[deployment.id] = panel
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
