"""Predictions as the platform has recorded them."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import (
    InvalidPredictionError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage
from picsellia_jupyter.domain.recorded import Wanted
from picsellia_jupyter.wire.predictions import SHAPE_KEYS, Json, from_shapes
from picsellia_jupyter.wire.recorded import query_language, wanted_to_query
from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT_S = 30.0
_NEWEST = 1000
"""Most that the platform gives at once."""
_MOST_TWINS = 10
_UNNAMED = re.compile(r"class (\d+)")
"""What the local platform calls a class that has no label."""


class RecordedPredictions(SdkConnection):
    """What the deployments of an organization have recorded."""

    @sdk.translated
    def newest_prediction(self, record: DeploymentRecord) -> tuple[PredictedImage, bytes] | None:
        """What the champion of a deployment found last, and the encoded image it is about.

        Returns:
            None where the deployment has recorded no image yet.
        """
        # The newest first, by default; what orders otherwise is not said of the cloud.
        items = self._assets(record.id, limit=1)["items"]
        if not items:
            return None
        asset = self._get(f"/api/predicted/asset/{items[0]['id']}")
        photo = self._image(asset["data"])
        try:
            return predicted_image(record, asset, photo), photo
        except (KeyError, TypeError, ValueError, InvalidPredictionError) as error:
            if self.is_local:
                raise
            raise PlatformError(
                f"{self.host} has a prediction of {record.name!r}, spelled as cannot be read here.",
                f"Look at it on its page: {self.pages.deployment(record.id)}",
            ) from error

    @sdk.translated
    def count_recorded(self, deployment_id: str) -> int | None:
        """How many predictions have an image; None where the platform does not count them."""
        count = self._assets(deployment_id, limit=1).get("count")
        return None if count is None else int(count)

    @sdk.translated
    def recorded_as(self, deployment_id: str, own_id: str) -> list[str]:
        """The platform's ids of a prediction that was sent with an id of our own."""
        asked = {"custom_metadata": json.dumps({PREDICTION_ID_KEY: own_id})}
        found = self._assets(deployment_id, limit=_MOST_TWINS, **asked)["items"]
        # A filter that is not understood finds everything.
        return [str(one["oracle_prediction_id"]) for one in found if _own_id(one) == own_id]

    @sdk.translated
    def duplicates(self, deployment_id: str) -> dict[str, int]:
        """Our ids of predictions that are recorded more than once, among the newest thousand."""
        assets = self._assets(deployment_id, limit=_NEWEST)["items"]
        often = Counter(own for one in assets if (own := _own_id(one)))
        return {own: times for own, times in often.items() if times > 1}

    @sdk.translated
    def recorded_ids(
        self, record: DeploymentRecord, wanted: Wanted, *, limit: int, after: str = ""
    ) -> tuple[tuple[str, ...], str]:
        """Ids of predicted assets, newest first, and what continues the list.

        Args:
            record: of the deployment.
            wanted: which of them.
            limit: at most so many.
            after: what the part before gave; empty for the first one.

        Returns:
            The ids, and an empty text where the list ends.

        Raises:
            NotFoundError: there is no such label.
            PlatformError: this is a cloud, which does not filter by that.
        """
        asked = {"limit": str(limit), **({"cursor": after} if after else {})}
        if self.is_local:
            path = f"/api/local/deployments/{record.id}/predictedassets"
            told = self._get(path, asked | wanted_to_query(wanted))
        else:
            told = self._get(
                f"/api/deployment/{record.id}/predictedassets",
                asked | query_language(wanted, f"{record.url or self.host}"),
            )
        return tuple(str(item["id"]) for item in told["items"]), str(told["next_cursor"] or "")

    @sdk.translated
    def recorded_prediction(
        self, record: DeploymentRecord, asset_id: str
    ) -> tuple[PredictedImage, bytes]:
        """What the champion found in a predicted asset, and its encoded image."""
        asset = self._get(f"/api/predicted/asset/{asset_id}")
        photo = self._image(asset["data"])
        return predicted_image(record, asset, photo), photo

    def _assets(self, deployment_id: str, *, limit: int, **asked: str) -> Json:
        path = f"/api/deployment/{deployment_id}/predictedassets"
        return self._get(path, {"limit": str(limit), **asked})

    @functools.cached_property
    def _near(self) -> httpx.Client:
        """For images on this machine, which no proxy leads to; making one takes 60 ms."""
        return httpx.Client(trust_env=False, timeout=_TIMEOUT_S)

    @functools.cached_property
    def _far(self) -> httpx.Client:
        return httpx.Client(timeout=_TIMEOUT_S)

    @sdk.translated
    def recorded_images(
        self,
        record: DeploymentRecord,
        *,
        since: float | None,
        until: float | None,
        filters: Filters,
        limit: int,
    ) -> tuple[int, list[tuple[PredictedImage, Callable[[], bytes]]]]:
        """The newest recorded images of a range, each with what gives its photo.

        Args:
            record: of the deployment.
            since: seconds since the epoch, UTC; None begins with the first one.
            until: likewise; None ends now.
            filters: which of them.
            limit: most that are told, at most 500.

        Returns:
            How many there are, and the newest of them, newest first.

        Raises:
            PlatformError: this is the cloud.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} does not tell its images by time.",
                f"See {record.url or self.host}, or take them from "
                f"session.sdk.get_deployment({record.name!r}).list_predicted_assets().",
            )
        asked = {
            "from_timestamp": since, "to_timestamp": until, "limit": limit,
            **{name: getattr(filters, name) for name in ("version", "label", "tag", "source")},
        }  # fmt: skip
        given = {name: str(value) for name, value in asked.items() if value is not None}
        reply = self._get(f"/api/local/deployments/{record.id}/images", given)
        return int(reply["count"]), [self._with_photo(record, asset) for asset in reply["items"]]

    def _with_photo(
        self, record: DeploymentRecord, asset: Mapping[str, Any]
    ) -> tuple[PredictedImage, Callable[[], bytes]]:
        data = asset["data"]
        photo = functools.partial(self._image, data)
        has_size = bool((data.get("meta") or {}).get("width"))
        return predicted_image(record, asset, b"" if has_size else photo()), photo

    def _image(self, data: Mapping[str, Any]) -> bytes:
        url = (
            data.get("presigned_url")
            or self._get(f"/api/data/{data['id']}/presigned-url")["presigned_url"]
        )
        remote = urlsplit(url).hostname not in _LOOPBACK
        try:
            reply = (self._far if remote else self._near).get(url)
        except httpx.TransportError as error:
            raise PlatformUnreachableError(
                f"The storage does not give {data['filename']} out ({type(error).__name__}).",
                "Check your network, and try again.",
            ) from error
        if not reply.is_success:
            raise PlatformError(
                f"The storage does not give {data['filename']} out (HTTP {reply.status_code}).",
                "Look at it on the platform.",
            )
        return reply.content


def _own_id(asset: Mapping[str, Any]) -> str | None:
    """The id that a serving kernel gave a prediction."""
    said = (asset["data"].get("custom_metadata") or {}).get(PREDICTION_ID_KEY)
    return str(said) if said else None


def predicted_image(
    record: DeploymentRecord, asset: Mapping[str, Any], photo: bytes
) -> PredictedImage:
    """What the champion found, of an asset as the platform spells it."""
    (champion, *_) = (one for one in asset["predictions"] if not one.get("is_shadow"))
    if SHAPE_KEYS[record.type] not in champion:
        # Without this a prediction of another spelling would be one that found nothing.
        raise KeyError(SHAPE_KEYS[record.type])
    return PredictedImage(
        source=str(asset["data"]["filename"]),
        size=_size(asset["data"].get("meta") or {}, photo),
        found=from_shapes(record.type, champion, _indices(record, champion)),
        latency_s=float(champion.get("latency") or 0.0),
        prediction_id=str(asset["oracle_prediction_id"]),
        tags=tuple(str(one["name"]) for one in asset["data"].get("tags") or ()),
    )


def _indices(record: DeploymentRecord, champion: Mapping[str, Any]) -> Mapping[str, int]:
    """The class index of each label, those too that the model version has no name for."""
    shapes = champion.get(SHAPE_KEYS[record.type]) or []
    names = (str(shape.get("label", {}).get("name")) for shape in shapes)
    unnamed = {name: int(found[1]) for name in names if (found := _UNNAMED.fullmatch(name))}
    return unnamed | {name: index for index, name in record.labels.items()}


def _size(meta: Mapping[str, Any], photo: bytes) -> ImageSize:
    """Of the upright photo: as the platform says, or else as it is."""
    if meta.get("width") and meta.get("height"):
        return ImageSize(int(meta["width"]), int(meta["height"]))
    import io

    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(photo)) as image:
        return ImageSize(*ImageOps.exif_transpose(image).size)
