"""Dataset versions of pages whose ground truth is known, made with the SDK alone."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from picsellia_jupyter.demo.catalog import LABELS
from picsellia_jupyter.demo.pages import Page
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.session import Session
from picsellia_jupyter.wire.coco import to_coco


def save_pages(pages: Mapping[str, Page], folder: Path) -> tuple[Path, ...]:
    """Write pages into a folder, each under its name.

    Returns:
        Their paths, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages.items():
        page.image.save(folder / name, quality=85)
    return tuple(folder / name for name in pages)


def annotated_version(
    session: Session,
    dataset: str,
    version: str,
    pages: Mapping[str, Page],
    *,
    lock: bool = False,
) -> Any:
    """Make a dataset version of pages and what is written on them.

    Args:
        session: of a platform.
        dataset: name of the dataset, made where there is none.
        version: name of the version, which is new.
        pages: by the names of their files.
        lock: whether nothing may be changed in it from then on.

    Returns:
        The SDK's dataset version.
    """
    sdk = session.sdk
    known = {one.name: one for one in _listed(sdk)}
    made = (known.get(dataset) or sdk.create_dataset(dataset)).create_version(version)
    made.set_type("OBJECT_DETECTION")
    # The SDK's progress bars would fill the notebook.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        paths = save_pages(pages, Path(folder))
        data = sdk.get_datalake().upload_data([str(path) for path in paths])
        made.add_data(data).wait_for_done()
        coco = Path(folder) / "coco.json"
        coco.write_text(json.dumps(_coco(pages)), encoding="utf-8")
        made.import_annotations_coco_file(str(coco))
    if lock:
        made.lock()
    return made


def _listed(sdk: Any) -> Sequence[Any]:
    found: Sequence[Any] = sdk.list_datasets()
    return found


def _coco(pages: Mapping[str, Page]) -> dict[str, Any]:
    images = [
        PredictedImage(
            source=name, size=ImageSize(*page.image.size), found=page.truth, latency_s=0.0
        )
        for name, page in pages.items()
    ]
    data = to_coco(images, dict(LABELS))
    for annotation in data["annotations"]:
        del annotation["score"]
    return data


def opened(path: str | Path, truth: Detections) -> Page:
    """A page that lies in a file."""
    with Image.open(path) as image:
        return Page(image.convert("RGB"), truth)
