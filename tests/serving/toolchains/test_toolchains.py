"""What toolchains export, served: equal to what their own model finds in the same photo."""

import json

import numpy as np
import pytest

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import Masks, Prediction, Segmentation
from picsellia_jupyter.serving.engine import Engine
from picsellia_jupyter.serving.messages import LoadRequest
from tests.serving.test_outlines import filled
from tests.serving.toolchains import classes, exporters, view
from tests.serving.toolchains.case import Expected
from tests.serving.toolchains.cases import CASES

RUNS = [pytest.param(case, how, id=f"{case.name}-{how}") for case in CASES for how in case.formats]
PIXELS = 0.05
"""How far a coordinate may be off, in pixels of the photo."""


@pytest.fixture(scope="module", autouse=True)
def registered(tmp_path_factory):
    """An installed package that registers the network whose weights alone are stored."""
    site = tmp_path_factory.mktemp("site")
    info = site / "networks_of_the_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: networks-of-the-tests\n")
    (info / "entry_points.txt").write_text(
        "[picsellia_jupyter.architectures]\n"
        f"{classes.ARCHITECTURE} = {classes.Logits.__module__}:Logits\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield


@pytest.mark.parametrize(("case", "how"), RUNS)
def test_a_model_is_served_as_its_toolchain_reads_it(case, how, tmp_path):
    if case.needs:
        pytest.importorskip(case.needs, exc_type=Exception)
    expected = case.expected(exporters.eager(case), case.view)
    assert len(expected.classes) >= 1, "the case would show nothing"

    model = exporters.export(case, how, tmp_path / "model-latest")
    found = served(case, how, model).found

    assert found.inference_type is case.kind
    assert found.classes.tolist() == list(expected.classes)
    np.testing.assert_allclose(found.scores, expected.scores, atol=2e-4)
    check_geometry(found, expected)


def served(case, how, model):
    said = dict(case.said or {})
    if how != "ONNX":  # these programs do not tell the size of their input
        said["input"] = {"width": case.view.side, "height": case.view.side, **said.get("input", {})}
    path = model.with_name("serving.json")
    path.write_text(json.dumps(said))
    engine = Engine.load(LoadRequest(model, path if said else None, case.kind, case.labels))
    assert set(engine.loaded.labels) <= set(range(case.labels))
    return engine.predict(view.encoded(), "photo.png", record=False)


def check_geometry(found: Prediction, expected: Expected) -> None:
    if expected.boxes is not None:
        np.testing.assert_allclose(found.boxes_xyxy, expected.boxes, atol=PIXELS)
    if expected.paths is not None:
        paths = getattr(found, found.geometry)
        np.testing.assert_allclose(np.array(paths), expected.paths, atol=PIXELS)
    for mask, wanted in zip(drawn(found), expected.masks, strict=True):
        assert agreement(mask, wanted, exact=isinstance(found, Masks))


def drawn(found):
    if isinstance(found, Masks):
        return [rle.decode(code, view_size()) for code in found.masks]
    if isinstance(found, Segmentation):
        return [filled(polygon, (view.HEIGHT, view.WIDTH)) for polygon in found.polygons]
    return []


def view_size():
    from picsellia_jupyter.domain.predictions import ImageSize

    return ImageSize(view.WIDTH, view.HEIGHT)


def agreement(mask, wanted, *, exact):
    """Whether masks are the same but for rounding; a polygon is of the largest piece only."""
    if not exact:
        wanted = largest_piece(wanted)
    different = (mask != wanted).sum()
    # A polygon may leave its mask's border by a pixel.
    allowed = 0.002 * wanted.sum() + 2 if exact else 1.0 * border(wanted)
    return different <= allowed


def largest_piece(mask):
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    sizes = [
        ndimage.binary_fill_holes(labels == k, structure=np.ones((3, 3)))
        for k in range(1, count + 1)
    ]
    return max(sizes, key=np.sum)


def border(mask):
    padded = np.pad(mask, 1)
    return sum(int((np.diff(padded, axis=axis) != 0).sum()) for axis in (0, 1))
