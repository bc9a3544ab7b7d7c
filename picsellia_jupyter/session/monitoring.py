"""Monitoring the predictions of a user's own server, in any program."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from picsellia_jupyter.clients.kernel import KernelClient
from picsellia_jupyter.domain.errors import InvalidInputError, PlatformUnreachableError
from picsellia_jupyter.handles.monitor import Monitor
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.recording.keeper import Keeper
from picsellia_jupyter.recording.recorder import Recorder
from picsellia_jupyter.session.session import Session
from picsellia_jupyter.settings import Settings
from picsellia_jupyter.workflows import registry as finding
from picsellia_jupyter.workflows.outputs.labelling import Labelling
from picsellia_jupyter.workflows.outputs.reading import Reading

_FULL, _CHANNELS = ("raise", "drop"), ("rgb", "bgr")


def monitor(
    deployment: str,
    *,
    session: Session | None = None,
    labels: Mapping[int | str, str] | None = None,
    boxes: str = "xyxy",
    normalized: bool = False,
    channels: str = "rgb",
    full: str = "raise",
) -> Monitor:
    """Record the predictions of your own model in a deployment.

    Once in a program: `monitor = picsellia_jupyter.monitor("press-line")`, and then for each
    image `with monitor(image) as m: m.detections = model(image)`. A prediction goes to a spool
    on this machine first and from there to the platform, once, however this program or the
    platform ends.

    Args:
        deployment: its name or id.
        session: where it is; by default what the environment says, like `Session()`.
        labels: what the model says, name or index, and the deployment's label for it; for models
            that call or count them differently.
        boxes: the order of a box's numbers where the framework has none of its own: `xyxy`,
            `xywh` (from the corner), `cxcywh` (from the centre) or `yxyx`.
        normalized: coordinates are fractions of the image's sides.
        channels: of images that are arrays: `rgb`, or `bgr` as OpenCV reads them.
        full: where there is no room for a prediction, `raise` QueueFullError, or `drop` it,
            which is counted and logged.

    Raises:
        NotFoundError: there is no such deployment.
        InvalidInputError: an argument is none of these, or a label is not the deployment's.
        PlatformUnreachableError: nobody answers at the platform's address.
    """
    _check("full", full, _FULL)
    _check("channels", channels, _CHANNELS)
    own = session if session is not None else Session()
    platform = own.platform
    record = finding.find_deployment(platform, deployment)
    reading = Reading(record.type, Labelling(record.labels, labels), boxes, normalized)
    connect = _connector(own._settings, platform.organization_id)
    folder = own._settings.spools / _plain(record.id)
    keeper = Keeper(lambda: Recorder(connect, record.id, folder))
    return Monitor(record, reading, keeper, channels=channels, drops=full == "drop")


def _connector(settings: Settings, organization_id: str) -> Callable[[], KernelClient]:
    """What connects to the platform anew; a local one may have got another address."""

    def connect() -> KernelClient:
        host, token = settings.platform_address, settings.token
        if host is None:
            running = local_platform.find(settings.home)
            if running is None:
                raise PlatformUnreachableError(
                    f"No local platform runs in {settings.home}.",
                    "Start it: picsellia-jupyter platform start",
                )
            host, token = running.host, running.token
        return KernelClient.connect(host, token or "", organization_id=organization_id)

    return connect


def _plain(deployment_id: str) -> str:
    return re.sub(r"[^0-9A-Za-z_-]", "-", deployment_id)[:64]


def _check(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise InvalidInputError(f"{name}={given!r} is unknown.", f"Known: {', '.join(known)}.")
