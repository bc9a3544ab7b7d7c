"""Listings: values that show themselves as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.places import PlaceReport
from picsellia_jupyter.domain.registry import Datalake, Model


@dataclass(frozen=True, slots=True)
class RegistryListing:
    """The models of the Private Model Registry, each with its versions."""

    models: tuple[Model, ...]

    def __repr__(self) -> str:
        from picsellia_jupyter.display import listings

        return listings.registry_text(self.models)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import listings

        return {"text/html": listings.registry_table(self.models), "text/plain": repr(self)}


@dataclass(frozen=True, slots=True)
class DeploymentListing:
    """The organization's deployments, newest first."""

    records: tuple[DeploymentRecord, ...]

    def __repr__(self) -> str:
        from picsellia_jupyter.display import listings

        return listings.deployments_text(self.records)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import listings

        return {"text/html": listings.deployments_table(self.records), "text/plain": repr(self)}


@dataclass(frozen=True, slots=True)
class DatalakeListing:
    """Where predicted images can be stored, the default datalake first."""

    datalakes: tuple[Datalake, ...]

    def __repr__(self) -> str:
        from picsellia_jupyter.display import listings

        return listings.datalakes_text(self.datalakes)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import listings

        return {"text/html": listings.datalakes_table(self.datalakes), "text/plain": repr(self)}


@dataclass(frozen=True, slots=True)
class PlaceListing:
    """Where serving kernels can run, and what is there."""

    reports: tuple[PlaceReport, ...]

    def __repr__(self) -> str:
        from picsellia_jupyter.display import places

        return places.text(self.reports)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import places

        return {"text/html": places.table(self.reports), "text/plain": repr(self)}


@dataclass(frozen=True, slots=True)
class Status:
    """Where the session is connected, and what it found there."""

    rows: Mapping[str, str]

    def __repr__(self) -> str:
        from picsellia_jupyter.display import cards

        return cards.status_text(self.rows)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import cards

        return {"text/html": cards.status_card(self.rows), "text/plain": repr(self)}
