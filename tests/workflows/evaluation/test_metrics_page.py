from pathlib import Path

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform import supervised
from picsellia_jupyter.workflows.evaluation import coco, reports
from tests.workflows.evaluation.random_sets import BOX_STATS, KEYPOINT_STATS, random_set
from tests.workflows.evaluation.reviewed import classes, image, subject

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_every_figure_of_objects_has_its_formula_on_the_page():
    for name in {*BOX_STATS, *KEYPOINT_STATS}:
        assert f"`{name}`" in PAGE, name


def test_every_figure_of_classes_has_its_formula_on_the_page():
    labels = tuple("abcdef")
    one = image(classes(("a", 1.0)), classes(("a", 0.9), ("b", 0.1)))
    about = subject(InferenceType.CLASSIFICATION, known=labels, threshold=None)
    for name in reports.report([one], about).scores:
        assert f"`{name}`" in PAGE, name


def test_every_kind_of_error_and_every_supervised_service_is_on_the_page():
    data = next(one for one in map(_boxes, range(9)) if len(one.truth))
    for kind in coco.evaluate(data).errors().counts:
        assert kind in PAGE, kind
    for service in supervised.SINGLE_SERVICES:
        assert f"`REVIEWS_{service.upper()}_STATS`" in PAGE, service


def _boxes(seed):
    return random_set(seed, coco.Overlap.BOX)
