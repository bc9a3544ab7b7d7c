import json

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.catalog import ASSETS, MODELS
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.registry import InferenceType

MEGABYTE = 1_000_000


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_brings_its_weights_in_two_formats_and_its_conventions(model):
    notebook = {"training.ipynb"} if model.name == "digits-detector" else set()
    assert set(model.files) == {"model-latest", "model-export", "serving.json", *notebook}
    for path in model.files.values():
        assert 0 < path.stat().st_size < MEGABYTE
    assert json.loads(model.files["serving.json"].read_text())["format"] == 1


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_tells_its_labels_and_what_it_was_trained_on(model):
    assert model.labels == {digit: str(digit) for digit in range(10)}
    assert set(model.repartition) == set(model.labels.values())
    assert min(model.repartition.values()) > 500
    assert model.training_parameters["steps"] > 0


def test_weights_do_not_tell_where_they_were_made():
    for model in MODELS:
        weights = [path for path in model.files.values() if path.suffix != ".ipynb"]
        for path in weights:
            content = path.read_bytes()
            assert not [
                trace for trace in (b"ipykernel", b".venv", b"site-packages") if trace in content
            ]


def test_there_is_one_detector_and_one_classifier():
    assert {model.name: model.type for model in MODELS} == {
        "digits-detector": InferenceType.OBJECT_DETECTION,
        "digits-classifier": InferenceType.CLASSIFICATION,
    }


def test_forty_pages_fit_in_three_megabytes():
    pages = catalog.pages()

    assert len(set(pages)) == 40
    assert sum(page.stat().st_size for page in pages) < 3 * MEGABYTE


def test_the_ground_truth_lies_inside_each_page():
    for page in catalog.pages():
        truth = catalog.ground_truth(page)
        with Image.open(page) as image:
            assert len(truth) > 5
            assert (truth.boxes_xyxy >= 0).all()
            assert (truth.boxes_xyxy[:, 2:] <= image.size).all()


def test_a_page_is_known_by_its_file_name_wherever_it_was_copied(tmp_path):
    page = catalog.pages()[0]

    copied = catalog.ground_truth(tmp_path / page.name)

    np.testing.assert_array_equal(copied.boxes_xyxy, catalog.ground_truth(page).boxes_xyxy)


def test_a_page_of_another_name_is_answered_with_the_nearest_one(tmp_path):
    with pytest.raises(NotFoundError, match=r"'page_07.jpeg'.*Did you mean 'page_07.jpg'\?"):
        catalog.ground_truth(tmp_path / "page_07.jpeg")


def test_there_are_pictures_of_every_digit():
    digits = catalog.digits()

    assert np.bincount([label for _, label in digits]).tolist() == [3] * 10
    assert all(Image.open(path).size == (96, 96) for path, _ in digits)


def test_nothing_lies_in_the_image_folders_that_is_not_listed():
    kept = {path for folder in ("pages", "digits") for path in (ASSETS / folder).iterdir()}

    assert kept == {*catalog.pages(), *(path for path, _ in catalog.digits())}
