"""The Settings tab of a panel: every setting saves itself; alerts; the danger zone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from picsellia_jupyter.display import forms, panels
from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState
from picsellia_jupyter.domain.loops import Loop
from picsellia_jupyter.widgets.panel_alerts import AlertsPart
from picsellia_jupyter.widgets.panel_danger import DangerPart
from picsellia_jupyter.widgets.setting_row import SettingRow, button, problem, put, toggle
from picsellia_jupyter.widgets.settings_model import (
    Setting,
    SettingState,
    Value,
    apply,
    stored,
)

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.promoting import Promoted

Act = Callable[["Deployment"], None]
Do = Callable[[Act], None]
"""Has something done with the deployment, on the panel's own thread."""

NO_SHADOW = "None"
_THRESHOLD = "Only shapes scored over it are considered, from the next prediction on."
_SAMPLES = "Share of the images that are kept, from 0 to 1. Metrics are of all predictions."
_SHADOW = "Predicts on the same images beside the champion; only the champion's answers count."
_CIRCLE = "The whole circle, from predictions to the next champion"
_UNSET = "Not set up: {parts}. It is done through the SDK: session.sdk.get_deployment(…)."
_CLOUD = "The pipeline, alerts and the promotion of a shadow model are set on its page:"


class SettingsTab:
    """The widgets of the tab and what they do; `box` holds them all."""

    def __init__(self, record: DeploymentRecord, do: Do, *, is_local: bool) -> None:
        """Show what is known, and ask nobody yet.

        Args:
            record: of the deployment.
            do: has something done with the deployment in the background.
            is_local: whether this is a local platform, which has routes for all of it.
        """
        self._do = do
        self._is_local = is_local
        self._lock = threading.RLock()
        self._filling: int | None = None
        self._states: dict[Setting, SettingState] = {}
        self._loop: Loop | None = None
        self._rows = {row.setting: row for row in _rows()}
        self.promote, self.back = button("Promote to champion"), button("Roll back")
        self._said, self._unset, self._picture = w.HTML(), w.HTML(), w.HTML()
        self.alerts = AlertsPart(do)
        self.danger = DangerPart(record, do)
        self.box = self._laid_out(record)
        for row in self._rows.values():
            row.watch(self._changed)
        self.promote.on_click(lambda _button: do(self._promote))
        self.back.on_click(lambda _button: do(self._roll_back))
        self.learn(record)

    def read(self, deployment: Deployment) -> None:
        """Ask for what can be chosen, the pipeline and the alerts; on the panel's thread."""
        platform = deployment._platform
        lakes = [(lake.name, lake.name) for lake in platform.datalakes()]
        champion = platform.model_version(deployment.record.model_version_id)
        versions = [v for m in platform.models() for v in platform.versions(m)]
        same = [v.title for v in versions if v.type is champion.type and v.id != champion.id]
        with self._lock:
            self._filling = threading.get_ident()
            self._rows[Setting.DATALAKE].offer(lakes, deployment.datalake)
            shadows = [(NO_SHADOW, ""), *((title, title) for title in same)]
            self._rows[Setting.SHADOW].offer(shadows, deployment.shadow or "")
            self._filling = None
        if self._is_local:
            self._loop = deployment.switches()
            circle = deployment.pipeline()
            put(self._picture, panels.folded(_CIRCLE, circle._repr_html_()))
            toggle(self.back, shown=bool(circle.facts.champion_before))
            self.alerts.show(tuple(deployment.alerts))
        self.learn(deployment.record)

    def learn(self, record: DeploymentRecord) -> None:
        """Show what the platform says, where the user is not at it."""
        values = stored(record, self._loop)
        with self._lock:
            for setting, row in self._rows.items():
                toggle(row.box, shown=setting in values)
                if setting in values:
                    before = self._states.get(setting, SettingState())
                    self._keep(setting, before.learned(values[setting]))
            toggle(self.promote, shown=self._is_local and bool(record.shadow_title))
            unset = [
                part.title.lower() for part, runs in (self._loop or {}).items() if runs is None
            ]
            put(self._unset, forms.hint(_UNSET.format(parts=", ".join(unset))) if unset else "")
            served = record.serving and record.state is not ServingState.STOPPED
            self.danger.learn(record, is_served=bool(served))

    # Saving ------------------------------------------------------------------------------------

    def _changed(self, row: SettingRow) -> None:
        with self._lock:
            if self._filling == threading.get_ident() or row.value is None:
                return
            state = self._states[row.setting].typed(row.value)
            self._keep(row.setting, state)
        self._do(lambda deployment: self._save(deployment, row.setting))

    def _save(self, deployment: Deployment, setting: Setting) -> None:
        state = self._states[setting]
        value = state.wanted
        if value == state.stored:
            # It was put back before anybody was asked.
            self._settle(setting, lambda now: now.saved(value, value))
            return
        try:
            apply(deployment, setting, value)
        except Exception as error:  # noqa: BLE001 - shown at its field, whatever it is
            failure = error
            self._settle(setting, lambda now: now.failed(value, failure))
            return
        if setting.part is not None:
            self._loop = {**(self._loop or {}), setting.part: bool(value)}
        self._settle(setting, lambda now: now.saved(value, _taken(deployment, setting, value)))
        self.learn(deployment.record)

    def _settle(self, setting: Setting, change: Callable[[SettingState], SettingState]) -> None:
        with self._lock:
            self._keep(setting, change(self._states[setting]))

    def _keep(self, setting: Setting, state: SettingState) -> None:
        self._states[setting] = state
        self._filling = threading.get_ident()
        try:
            self._rows[setting].show(state)
        finally:
            self._filling = None

    def _promote(self, deployment: Deployment) -> None:
        self._go_over(deployment, deployment.promote_shadow, "d.promote_shadow()")

    def _roll_back(self, deployment: Deployment) -> None:
        self._go_over(deployment, deployment.rollback, "d.rollback()")

    def _go_over(self, deployment: Deployment, change: Callable[[], Promoted], line: str) -> None:
        """Change the champion, and say what came of it; the one before predicts meanwhile."""
        put(self._said, forms.status("The new champion is loaded beside the old one…"))
        try:
            said = change().in_words()
        except Exception as error:  # noqa: BLE001 - shown at its field, whatever it is
            put(self._said, problem(error))
            return
        put(self._said, forms.status(said) + forms.line(line))
        self.read(deployment)

    # Layout ------------------------------------------------------------------------------------

    def _laid_out(self, record: DeploymentRecord) -> Any:
        boxes = {setting: row.box for setting, row in self._rows.items()}
        general = [
            boxes[one]
            for one in (
                Setting.NAME, Setting.THRESHOLD, Setting.DATALAKE, Setting.SAMPLE_RATE,
                Setting.SHADOW,
            )
        ]  # fmt: skip
        toggle(self.back, shown=False)
        for note in (self.promote, self.back, self._said):
            note.add_class("pxj-under")
        rest = (
            self._local_parts(boxes)
            if self._is_local
            else [w.HTML(panels.link(_CLOUD, record.url))]
        )
        box = w.VBox([*general, self.promote, self.back, self._said, *rest, self.danger.box])
        box.add_class("pxj-settings")
        return box

    def _local_parts(self, boxes: Mapping[Setting, Any]) -> list[Any]:
        """What only a local platform has routes for."""
        parts = [boxes[one] for one in self._rows if one.part is not None]
        head = w.HTML(panels.section("Retraining pipeline"))
        return [head, self._picture, *parts, self._unset, self.alerts.box]


def _rows() -> list[SettingRow]:
    def wide(**options: Any) -> dict[str, Any]:
        return {**options, "layout": w.Layout(width="auto")}

    text = w.Text(**wide(description="Name", continuous_update=False))
    number = {"step": 0.01, "continuous_update": False}
    threshold = w.FloatText(**wide(description="Threshold", **number))
    rate = w.FloatText(**wide(description="Sample rate", **number))
    return [
        SettingRow(Setting.NAME, text),
        SettingRow(Setting.THRESHOLD, threshold, _THRESHOLD),
        SettingRow(Setting.DATALAKE, w.Dropdown(**wide(description="Datalake"))),
        SettingRow(Setting.SAMPLE_RATE, rate, _SAMPLES),
        SettingRow(Setting.SHADOW, w.Dropdown(**wide(description="Shadow model")), _SHADOW),
        *(
            SettingRow(one, w.Checkbox(**wide(description=one.part.title, indent=False)))
            for one in Setting
            if one.part is not None
        ),
    ]


def _taken(deployment: Deployment, setting: Setting, value: Value) -> Value:
    """What the platform made of a value, such as a name without the blanks around it."""
    return stored(deployment.record, None).get(setting, value)
