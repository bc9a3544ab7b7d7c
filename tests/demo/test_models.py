"""The committed weights, measured as they are served."""

import io

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.evaluation import mean_average_precision
from picsellia_jupyter.demo.pages import compose_digit, compose_page
from picsellia_jupyter.demo.scans import load_scans, split_scans
from picsellia_jupyter.serving import manifest, pixels, runtimes
from picsellia_jupyter.serving.engine import Engine
from picsellia_jupyter.serving.messages import LoadRequest

DETECTOR, CLASSIFIER = catalog.MODELS


def served(model):
    files = model.files
    return Engine.load(LoadRequest(files["model-latest"], files["serving.json"], model.type))


def png(image):
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


@pytest.fixture(scope="module")
def test_scans():
    return split_scans(load_scans())["test"]


def test_the_detector_reaches_its_stated_ap50_on_the_held_out_pages():
    engine = served(DETECTOR)
    pages = catalog.pages()

    found = [engine.predict(page.read_bytes(), page.name, record=False).found for page in pages]

    ap50 = mean_average_precision(found, [catalog.ground_truth(page) for page in pages])
    assert ap50 > 0.95
    assert ap50 == pytest.approx(DETECTOR.score, abs=0.005)


def test_the_classifier_reaches_its_stated_accuracy_on_every_held_out_digit(test_scans):
    engine = served(CLASSIFIER)

    answers = [
        engine.predict(png(compose_digit(test_scans, row, seed=0)), "digit", record=False)
        .found.classes[0]
        for row in range(len(test_scans))
    ]  # fmt: skip

    accuracy = np.mean(np.array(answers) == test_scans.labels)
    assert accuracy > 0.97
    assert accuracy == pytest.approx(CLASSIFIER.score, abs=0.005)


def test_the_classifier_reads_the_committed_digits():
    engine = served(CLASSIFIER)

    answers = [
        (int(engine.predict(path.read_bytes(), path.name, record=False).found.classes[0]), label)
        for path, label in catalog.digits()
    ]

    assert sum(read == written for read, written in answers) >= 29


@pytest.mark.parametrize(
    ("model", "images"),
    [
        (DETECTOR, catalog.pages()[:3]),
        (CLASSIFIER, [path for path, _ in catalog.digits()[:10]]),
    ],
    ids=["detector", "classifier"],
)
def test_both_formats_of_a_model_agree(model, images):
    spec = manifest.parse(manifest.read(model.files["serving.json"]), model.type, None).input
    batch = np.concatenate([pixels.to_input(photo(path), spec)[0] for path in images])

    onnx = runtimes.load(model.files["model-latest"]).run(batch)
    exported = runtimes.load(model.files["model-export"]).run(batch)

    for one, other in zip(onnx, exported, strict=True):
        assert set(one) >= {"boxes", "scores"} or set(one) == {"logits"}
        for array, same in zip(one.values(), other.values(), strict=True):
            np.testing.assert_allclose(array, same, rtol=1e-4, atol=1e-4)


def photo(path):
    return pixels.decode(path.read_bytes(), path.name)


def test_the_committed_pages_are_composed_of_test_scans(test_scans):
    for seed, path in list(enumerate(catalog.pages()))[::10]:
        page, truth = compose_page(test_scans, seed), catalog.ground_truth(path)
        np.testing.assert_array_equal(page.truth.boxes_xyxy, truth.boxes_xyxy)
        np.testing.assert_array_equal(page.truth.classes, truth.classes)
        with Image.open(path) as committed:
            difference = np.abs(
                np.asarray(page.image, np.float32) - np.asarray(committed, np.float32)
            )
        assert difference.mean() < 6
