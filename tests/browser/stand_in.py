"""A form in a kernel that speaks as ours does, so that what is tested is the front end alone.

Executed in a notebook's first cell; afterwards `from picsellia_jupyter.magics import
open_deploy_form` gives this form, and `%deploy` opens it from a cell.
"""

from __future__ import annotations

import sys
import types
import uuid

import ipywidgets as w
from comm import create_comm
from IPython import get_ipython
from IPython.display import HTML, display

PLACEHOLDER = "The form was opened in a dialog."
opened = []


class Form:
    """Four fields, and buttons that say what was chosen."""

    def __init__(self, given, cell):
        self.id, self.given, self.busy = uuid.uuid4().hex, given, False
        self.name = w.Text(description="Name", value="quickstart")
        self.strategy = w.RadioButtons(options=["Serving", "Monitoring"], description="Strategy")
        self.threshold = w.FloatSlider(description="Threshold", min=0, max=1, value=0.1)
        self.lake = w.Dropdown(options=["default", "edge"], description="Datalake")
        buttons = [
            self._button("Insert", lambda _: self.comm.send({"insert": self.line()})),
            self._button("Cancel", lambda _: self.close("cancelled"), "jp-mod-reject"),
            self._button("Deploy", lambda _: self.deploy(), "jp-mod-accept"),
        ]
        row = w.HBox(buttons, layout=w.Layout(justify_content="flex-end"))
        fields = [self.name, self.strategy, self.threshold, self.lake]
        for field in fields:
            field.layout = w.Layout(width="auto")
        self.said = w.Label()
        self.view = w.VBox([*fields, self.said, row])
        self.handle = None
        if cell:
            told = {"picsellia": {"id": self.id}}
            self.handle = display(HTML(PLACEHOLDER), display_id=True, metadata=told)
        self.comm = create_comm(target_name="picsellia.dialog", primary=False)
        self.heard, self.inline = [], False
        self.comm.on_msg(lambda message: self._hear(message["content"]["data"]))
        self.comm.on_close(self._show_inline)
        self.comm.open(data=self._open())

    def _open(self):
        what = {"open": True, "id": self.id, "model_id": self.view.model_id, "kind": "deploy"}
        return {**what, "title": "Deploy a model version"}

    def _button(self, text, clicked, role=None):
        button = w.Button(description=text)
        for name in ["jp-Dialog-button", "jp-mod-styled", *([role] if role else [])]:
            button.add_class(name)
        button.on_click(clicked)
        return button

    def _hear(self, data):
        self.heard += list(data)
        if "reattach" in data:
            self.comm.send(self._open())
            self.comm.send({"busy": self.busy})
        elif "cancelled" in data or "cancel" in data:
            self.close("cancelled")

    def _show_inline(self, _message):
        self.inline = True

    def line(self):
        return f"%deploy digits --threshold {self.threshold.value:g} --name {self.name.value}"

    def deploy(self):
        if self.name.value == "slow":
            self.busy, self.said.value = True, "Deploying …"
            self.comm.send({"busy": True})
        else:
            self.close("deployed")

    def close(self, outcome):
        words = [outcome, self.name.value, self.strategy.value, f"{self.threshold.value:g}"]
        said = " ".join([*words, self.lake.value])
        card = {"text/html": f"<b>{said}</b>", "text/plain": said}
        done = outcome == "deployed"
        if self.handle:
            self.handle.update(HTML(card["text/html"]))
        what = {"close": True, "id": self.id, "outcome": outcome, "card": card}
        named = {"line": self.line() if done else "", "name": self.name.value if done else ""}
        self.comm.send({**what, **named})
        self.comm.close()


def open_deploy_form(model=None, *, cell=True, threshold=None, on=None):
    opened.append(Form({"model": model, "threshold": threshold, "on": on}, cell))


magics = types.ModuleType("picsellia_jupyter.magics")
magics.open_deploy_form = open_deploy_form
package = types.ModuleType("picsellia_jupyter")
package.magics = magics
sys.modules |= {"picsellia_jupyter": package, "picsellia_jupyter.magics": magics}
get_ipython().register_magic_function(lambda _line: open_deploy_form(), "line", "deploy")
