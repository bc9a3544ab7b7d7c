"""What a deployment can be made from, as it was last read; nothing here asks anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.places import Kind, PlaceReport
from picsellia_jupyter.domain.registry import Datalake, Model, ModelFile, ModelVersion
from picsellia_jupyter.workflows.deploying import DEFAULT_FILE


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What the registry's list leaves out of a version."""

    files: tuple[ModelFile, ...]
    experiment_id: str | None
    """Where it came from; None where it was imported by hand."""


@dataclass(frozen=True, slots=True)
class Choices:
    """A registry, datalakes and deployments in memory: the ports that `check` asks."""

    listed: tuple[Model, ...] = ()
    """Every private model, with its versions."""
    lakes: tuple[Datalake, ...] = ()
    """The default one first."""
    records: tuple[DeploymentRecord, ...] = ()
    """All deployments."""
    serves_itself: bool = False
    """Whether the platform hosts what is deployed with Picsellia Serving."""
    saved: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the saved places by their names."""
    reports: tuple[PlaceReport, ...] = ()
    """What each place has; empty until they have answered."""
    facts: Mapping[str, VersionFacts] = field(default_factory=dict)
    """Of the versions that were asked for, by their ids."""
    allowance: Allowance | None = None
    """None where the platform does not tell."""
    is_read: bool = False
    """Whether the registry has answered."""

    def models(self) -> Sequence[Model]:
        """Every private model."""
        return self.listed

    def versions(self, model: Model) -> Sequence[ModelVersion]:
        """The versions of a model, oldest first."""
        return model.versions

    def files(self, version: ModelVersion) -> Sequence[ModelFile]:
        """The files of a version; the usual one is taken to be there until they are known."""
        known = self.facts.get(version.id)
        return known.files if known else (ModelFile("", DEFAULT_FILE, ""),)

    def datalakes(self) -> Sequence[Datalake]:
        """All of them, the default one first."""
        return self.lakes

    def find_deployment(self, name: str) -> DeploymentRecord | None:
        """The one of a name or an id, if there is one."""
        return next((one for one in self.records if name in (one.name, one.id)), None)

    def find_version(self, title: str) -> ModelVersion | None:
        """The version of a title such as `digits-detector:0`; None if there is none."""
        return next((version for version in self.all_versions() if version.title == title), None)

    def all_versions(self) -> list[ModelVersion]:
        """Every version, the newest of a model first."""
        return [version for model in self.listed for version in reversed(model.versions)]

    def report(self, place: str) -> PlaceReport | None:
        """What a place has, if it has answered."""
        return next((one for one in self.reports if one.place.name == place), None)

    def place_names(self) -> list[str]:
        """The places one can type after `--on`, Ray left out."""
        known = [one.place.name for one in self.reports if one.place.kind is Kind.SERVER]
        return list(dict.fromkeys([*self.saved, *known]))
