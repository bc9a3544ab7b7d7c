"""The Picsellia API through the official SDK: cloud and local differ by `host` alone.

What the SDK cannot do goes through its own connection to `/api/local/…` of the local
platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from typing_extensions import Self

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.dashboards import Dashboards
from picsellia_jupyter.clients.datalakes import Datalakes
from picsellia_jupyter.clients.deployment_settings import DeploymentSettings
from picsellia_jupyter.clients.downloads import Listen, Stored, fetch, ignore
from picsellia_jupyter.clients.evaluations import Evaluations
from picsellia_jupyter.clients.hosted import HostedEndpoint
from picsellia_jupyter.clients.metered import Metered
from picsellia_jupyter.clients.server_figures import ServerFigures
from picsellia_jupyter.clients.trainings import Trainings
from picsellia_jupyter.clients.watching import Watching
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    Heartbeat,
    Strategy,
)
from picsellia_jupyter.domain.errors import NotServingError, PlatformError
from picsellia_jupyter.domain.registry import (
    Framework,
    InferenceType,
    Model,
    ModelFile,
    ModelVersion,
)
from picsellia_jupyter.domain.secret_text import Secret
from picsellia_jupyter.wire import resources


class PlatformClient(
    Dashboards,
    Datalakes,
    DeploymentSettings,
    Evaluations,
    Metered,
    ServerFigures,
    Trainings,
    Watching,
):
    """One organization on one platform. Not thread-safe: one thread, one client."""

    look: Callable[[str, str], Heartbeat | None] = staticmethod(lambda _host, _deployment_id: None)
    """Finds the kernel that serves a deployment, where the platform takes no heartbeats."""

    def __init__(self, sdk_client: Any, host: str, token: str, ping: Mapping[str, Any]) -> None:
        super().__init__(sdk_client, host, ping)
        self._token = Secret(token)
        self._relay: str | None = None
        self._monitored: dict[str, Any] = {}
        self._versions: dict[str, ModelVersion] = {}

    def __repr__(self) -> str:
        return f"PlatformClient(host={self.host!r}, organization={self.organization_name!r})"

    @classmethod
    @sdk.translated
    def connect(
        cls,
        host: str,
        token: str,
        *,
        organization_id: str | None = None,
        organization: str | None = None,
        relay: str | None = None,
    ) -> Self:
        """Connect to a platform and an organization on it; the default one if none is named.

        Args:
            host: address of the platform.
            token: API token for it.
            organization_id: of the organization.
            organization: its name.
            relay: address of a proxy that alone leads to `host`.

        Raises:
            PlatformUnreachableError: nobody answers at `host`.
            AuthenticationError: the token is not accepted.
        """
        client, ping = sdk.connect(
            host, token, organization_id=organization_id, organization=organization, relay=relay
        )
        made = cls(client, host, token, ping)
        made._relay = relay
        return made

    def beside(self) -> Self:
        """The same platform over a connection of its own, for another thread."""
        return type(self).connect(
            self.host, self._token, organization_id=self.organization_id, relay=self._relay
        )

    @property
    def token(self) -> str:
        """The API token; a serving kernel's front needs it, nothing else does."""
        return str(self._token)  # plain: a cluster is sent it with its job

    @property
    def sdk_client(self) -> Any:
        """The official SDK's own `picsellia.Client`, connected."""
        return self._sdk

    # Registry ------------------------------------------------------------------------------

    @sdk.translated
    def models(self) -> list[Model]:
        """Every private model, without its versions."""
        items = self._get(f"/api/organization/{self.organization_id}/models")["items"]
        return [Model(str(item["id"]), str(item["name"])) for item in items]

    @sdk.translated
    def versions(self, model: Model) -> list[ModelVersion]:
        """The versions of a model, oldest first."""
        items = self._get(f"/api/model/{model.id}/versions")["items"]
        found = [resources.model_version_from_json(item) for item in items]
        return sorted(found, key=_number)

    @sdk.translated
    def registry(self) -> list[Model]:
        """Every private model with its versions, in one request where the platform can."""
        if "all_versions" not in self.capabilities:
            return [replace(model, versions=tuple(self.versions(model))) for model in self.models()]
        items = self._get("/api/local/versions")["items"]
        by_model: dict[str, list[ModelVersion]] = {}
        for version in map(resources.model_version_from_json, items):
            by_model.setdefault(version.model_id, []).append(version)
        return [
            replace(model, versions=tuple(sorted(by_model.get(model.id, ()), key=_number)))
            for model in self.models()
        ]

    @sdk.translated
    def model_version(self, version_id: str) -> ModelVersion:
        """One model version by its id."""
        return resources.model_version_from_json(self._get(f"/api/model/version/{version_id}"))

    @sdk.translated
    def files(self, version: ModelVersion) -> list[ModelFile]:
        """The files of a model version."""
        items = self._get(f"/api/model/version/{version.id}/modelfiles")["items"]
        return [ModelFile(str(i["id"]), str(i["name"]), str(i["filename"])) for i in items]

    @sdk.translated
    def experiment_of(self, version: ModelVersion) -> str | None:
        """The experiment that a version came from; None where it was imported by hand."""
        try:
            context = self._get(f"/api/model/version/{version.id}/context")
        except Exception as error:
            if not sdk.is_not_found(error):
                raise
            return None
        found = context.get("experiment_id")
        return str(found) if found else None

    @sdk.translated
    def download(self, file: ModelFile, folder: Path, listen: Listen | None = None) -> Path:
        """Fetch a model file; it appears in `folder` whole or not at all.

        What broke off or was interrupted is gone on with; a file that is there already, by
        its SHA-256, is not fetched again.

        Args:
            file: of a model version.
            folder: made where it is not there.
            listen: told how many bytes have come, of how many.

        Returns:
            Its path: `folder` / its file name.

        Raises:
            PlatformUnreachableError: the storage breaks off again and again.
            PlatformError: it refuses, or gives something else than was stored.
        """
        target = folder / Path(file.filename).name
        return fetch(lambda: self._stored(file), target, listen=listen or ignore)

    @sdk.translated
    def create_model(self, name: str, description: str) -> Model:
        """Add a model to the Private Model Registry.

        Raises:
            ConflictError: the name is taken.
        """
        made = self._sdk.create_model(name, description)
        return Model(str(made.id), str(made.name))

    @sdk.translated
    def create_version(
        self,
        model: Model,
        *,
        kind: InferenceType,
        framework: Framework,
        labels: Mapping[int, str],
        description: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> ModelVersion:
        """Add a version to a model."""
        made = self._sdk.get_model_by_id(model.id).create_version(
            labels={str(index): name for index, name in labels.items()},
            framework=framework.value,
            type=kind.value,
            description=description,
            base_parameters=dict(parameters or {}),
        )
        return self.model_version(str(made.id))

    @sdk.translated
    def store_file(self, version: ModelVersion, name: str, path: Path) -> None:
        """Store a file with a model version under a logical name."""
        self._sdk.get_model_version_by_id(version.id).store(name, str(path))

    @sdk.translated
    def set_context(
        self,
        version: ModelVersion,
        *,
        repartitions: Mapping[str, Mapping[str, int]],
        parameters: Mapping[str, Any],
    ) -> None:
        """Say what a version was trained on: label counts per dataset alias.

        Raises:
            PlatformError: this is the cloud, which knows it of an experiment alone.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} takes what a model was trained on from its experiment alone.",
                f"Export the model from an experiment: {self.pages.model_version(version.id)}",
            )
        self._send(
            "put",
            f"/api/local/model/version/{version.id}/context",
            {
                "datas": [
                    {"name": alias, "repartition": dict(counts)}
                    for alias, counts in repartitions.items()
                ],
                "parameters": dict(parameters),
            },
        )

    # Deployments ---------------------------------------------------------------------------

    @sdk.translated
    def deployments(self) -> list[DeploymentRecord]:
        """All deployments, newest first, without logging in to each of their services."""
        items = self._get(f"/api/organization/{self.organization_id}/deployments")["items"]
        lakes = {lake.id: lake.name for lake in self.datalakes()}
        records = [self._record(item, lakes) for item in items]
        return sorted(records, key=lambda record: -(record.created_at or 0.0))

    @sdk.translated
    def find_deployment(self, name: str) -> DeploymentRecord | None:
        """The deployment of a name or an id, if there is one."""
        path = f"/api/organization/{self.organization_id}/deployments/find"
        for key in ("id", "name") if _is_id(name) else ("name",):
            try:
                return self._record(self._get(path, {key: name}))
            except Exception as error:
                if not sdk.is_not_found(error):
                    raise
        return None

    @sdk.translated
    def deployment(self, deployment_id: str) -> DeploymentRecord:
        """One deployment by its id, as it is now."""
        return self._record(self._get(f"/api/deployment/{deployment_id}"))

    @sdk.translated
    def monitoring_host(self, deployment_id: str) -> str:
        """Address of the service that records a deployment's predictions."""
        return str(self._get(f"/api/deployment/{deployment_id}").get("oracle_host") or self.host)

    @sdk.translated
    def create_deployment(self, plan: DeploymentPlan) -> DeploymentRecord:
        """Make the deployment a plan asks for.

        Raises:
            ConflictError: the name is taken.
            QuotaSpentError: no MPU is left for Picsellia Serving.
        """
        made = self._sdk.create_deployment(
            model_version=self._sdk.get_model_version_by_id(plan.model_version.id),
            name=plan.name,
            min_threshold=plan.threshold,
            target_datalake=self._sdk.get_datalake(id=plan.datalake.id),
            disable_serving=plan.strategy is Strategy.MONITORING,
        )
        try:
            return self.deployment(str(made.id))
        except BaseException:
            self.delete_deployment(str(made.id))
            raise

    @sdk.translated
    def set_threshold(self, deployment_id: str, threshold: float) -> DeploymentRecord:
        """Change a deployment's threshold; it holds from the next prediction on."""
        self._send("patch", f"/api/deployment/{deployment_id}", {"min_threshold": threshold})
        return self.deployment(deployment_id)

    @sdk.translated
    def delete_deployment(self, deployment_id: str) -> None:
        """Remove a deployment with its predicted assets; the images stay in their datalake."""
        self._sdk.connection.delete(
            f"/api/deployment/{deployment_id}", params={"force_delete": True}
        )
        self._monitored.pop(deployment_id, None)

    @sdk.translated
    def hosted_endpoint(self, record: DeploymentRecord) -> HostedEndpoint:
        """Where Picsellia serves a deployment.

        Raises:
            NotServingError: it says no address.
        """
        address = self._get(f"/api/deployment/{record.id}").get("serving_host")
        if not address:
            raise NotServingError(
                f"Picsellia does not say where it serves {record.name!r}.",
                f"See {self.pages.deployment(record.id)}",
            )
        return HostedEndpoint(str(address), self._token, record.id, record.type, self.pages)

    # Inside --------------------------------------------------------------------------------

    def _stored(self, file: ModelFile) -> Stored:
        """Where a model file is now, by an address that is good for some minutes."""
        raw = self._get(f"/api/model/file/{file.id}")
        name = str(raw["object_name"])
        url = raw.get("presigned_url") or self._sdk.connection.init_download(name)
        here = urlsplit(url).netloc == urlsplit(self.host).netloc
        return Stored(name, url, raw.get("sha256"), self._relay if here else None)

    def _record(
        self, raw: Mapping[str, Any], lakes: Mapping[str, str] | None = None
    ) -> DeploymentRecord:
        known = lakes or {lake.id: lake.name for lake in self.datalakes()}
        version_id = raw.get("model_version_id")
        version = self._version(str(version_id)) if version_id else None
        lake = known.get(str(raw.get("target_datalake_id")), "")
        shadow_id = raw.get("shadow_model_version_id")
        shadow = self._version(str(shadow_id)) if shadow_id else None
        record = resources.deployment_from_json(
            raw, version=version, shadow=shadow, datalake_name=lake
        )
        return record if self.is_local else self._of_cloud(record)

    def _of_cloud(self, record: DeploymentRecord) -> DeploymentRecord:
        """With its page, and the kernel of ours that serves it."""
        record = replace(record, url=self.pages.deployment(record.id))
        beat = self.look(self.host, record.id)
        if beat is None:
            return record
        return replace(record, serving=beat.kernel, state=beat.state, reason=beat.reason)

    def _version(self, version_id: str) -> ModelVersion:
        """A model version, asked for once: what a deployment shows of it does not change."""
        if version_id not in self._versions:
            self._versions[version_id] = self.model_version(version_id)
        return self._versions[version_id]

    def _sdk_deployment(self, deployment_id: str) -> Any:
        if deployment_id not in self._monitored:
            raw = self._get(f"/api/deployment/{deployment_id}")
            self._monitored[deployment_id] = sdk.monitored_deployment(
                self._sdk.connection, raw, self._relay, once=not self.is_local
            )
        return self._monitored[deployment_id]


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _number(version: ModelVersion) -> int:
    return version.version
