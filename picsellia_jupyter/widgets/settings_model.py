"""The settings of a panel without its widgets: what stands where, and the Python for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.loops import Loop, Part
from picsellia_jupyter.domain.registry import InferenceType

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

Value = str | float | bool | None


class Setting(str, Enum):
    """What can be set; its value is the name of the attribute, or of the pipeline's part."""

    NAME = "name"
    THRESHOLD = "threshold"
    DATALAKE = "datalake"
    SAMPLE_RATE = "sample_rate"
    SHADOW = "shadow"
    FEEDBACK_LOOP = "feedback_loop"
    CONTINUOUS_TRAINING = "continuous_training"
    CONTINUOUS_DEPLOYMENT = "continuous_deployment"

    @property
    def part(self) -> Part | None:
        """The part of the pipeline that it switches."""
        return Part(self.value) if self.value in {one.value for one in Part} else None


class Phase(str, Enum):
    """How far a setting's way to the platform is."""

    KEPT = "kept"
    SAVING = "saving"
    SAVED = "saved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SettingState:
    """One setting: what the platform has, and what the user wants instead."""

    stored: Value = None
    wanted: Value = None
    phase: Phase = Phase.KEPT
    error: Exception | None = None

    def typed(self, value: Value) -> SettingState:
        """After the user has put a value into the field."""
        if value == self.stored and self.phase is not Phase.SAVING:
            return SettingState(value, value)
        return replace(self, wanted=value, phase=Phase.SAVING, error=None)

    def saved(self, asked: Value, taken: Value) -> SettingState:
        """After the platform has taken a value, perhaps as another: a name without its blanks."""
        if self.wanted != asked:
            return replace(self, stored=taken)
        return SettingState(taken, taken, Phase.SAVED)

    def failed(self, value: Value, error: Exception) -> SettingState:
        """After the platform has refused a value; it stays in the field, to be mended."""
        if self.wanted != value:
            return self
        return replace(self, phase=Phase.FAILED, error=error)

    def learned(self, value: Value) -> SettingState:
        """After the platform has told what it has; what is under way or wrong stays."""
        if self.phase in (Phase.SAVING, Phase.FAILED):
            return replace(self, stored=value)
        phase = self.phase if value == self.stored else Phase.KEPT
        return SettingState(value, value, phase)


def stored(record: DeploymentRecord, loop: Loop | None) -> Mapping[Setting, Value]:
    """What a deployment has of each setting; those that it cannot have are left out."""
    values: dict[Setting, Value] = {
        Setting.NAME: record.name,
        Setting.DATALAKE: record.datalake_name,
        Setting.SAMPLE_RATE: record.sample_rate,
        Setting.SHADOW: record.shadow_title,
    }
    if record.type is not InferenceType.CLASSIFICATION:
        values[Setting.THRESHOLD] = record.threshold or 0.0
    for part, runs in (loop or {}).items():
        if runs is not None:
            values[Setting(part.value)] = runs
    return values


def line(setting: Setting, value: Value) -> str:
    """The Python that sets it."""
    if setting.part is not None:
        return f'd.{"resume" if value else "pause"}("{setting.value}")'
    if setting is Setting.SHADOW and not value:
        return "d.shadow = None"
    if isinstance(value, float):
        return f"d.{setting.value} = {value:g}"
    return f"d.{setting.value} = {value!r}"


def apply(deployment: Deployment, setting: Setting, value: Value) -> None:
    """Set it.

    Raises:
        PicselliaJupyterError: the value is none, or the platform refuses it.
    """
    if setting.part is not None:
        (deployment.resume if value else deployment.pause)(setting.value)
    elif setting is Setting.SHADOW:
        deployment.shadow = str(value) if value else None
    else:
        setattr(deployment, setting.value, value)
