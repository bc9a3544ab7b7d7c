"""TensorFlow's own exports, run by TensorFlow: equal to what the eager model gives."""

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import InvalidInputError, ModelLoadError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import runtimes, trial
from picsellia_jupyter.serving.gate import ModelFormat, recognise
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.serving.runtimes import tensorflow_files
from picsellia_jupyter.serving.runtimes.options import Options
from tests.optional import needs
from tests.serving.toolchains.keras_models import classifier, detector, zipped

needs("tensorflow")

FORMATS = [ModelFormat.KERAS, ModelFormat.SAVED_MODEL]


def images(count):
    return np.random.default_rng(5).random((count, 3, 64, 64), dtype=np.float32)


def eager(model, batch):
    return np.asarray(model(batch.transpose(0, 2, 3, 1)))


@pytest.fixture(scope="module")
def model():
    return classifier()


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """The same model in both formats."""
    folder = tmp_path_factory.mktemp("exported")
    model.save(folder / "m.keras")
    model.export(str(folder / "saved"), verbose=False)
    return {
        ModelFormat.KERAS: (folder / "m.keras").rename(folder / "model-latest"),
        ModelFormat.SAVED_MODEL: zipped(folder / "saved", folder / "model-zipped"),
    }


def load(path, **options):
    made = runtimes.load(path, Options(**options))
    made.tune(images(1))
    return made


@pytest.mark.parametrize("kind", FORMATS)
def test_a_model_gives_what_keras_gives(kind, model, files):
    runtime = load(files[kind])

    found = np.concatenate([one["output_0"] for one in runtime.run(images(3))])

    assert found == pytest.approx(eager(model, images(3)), abs=1e-5)
    assert f"({kind.value}, CPU)" in runtime.title
    assert (runtime.signature.layout, runtime.signature.channels) == ("NHWC", 3)
    assert [(one.dtype, one.shape) for one in runtime.inputs] == [("float32", (None, 64, 64, 3))]
    assert [(one.name, one.shape) for one in runtime.outputs] == [("output_0", (None, 7))]


@pytest.mark.parametrize("kind", FORMATS)
def test_its_own_outputs_are_given_for_its_own_inputs(kind, model, files):
    runtime = load(files[kind])
    batch = images(2)
    given = {runtime.inputs[0].name: np.ascontiguousarray(batch.transpose(0, 2, 3, 1))}

    assert runtime.infer(given)["output_0"] == pytest.approx(eager(model, batch), abs=1e-5)
    with pytest.raises(InvalidInputError, match="cannot take these tensors"):
        runtime.infer({runtime.inputs[0].name: np.zeros((1, 2, 2, 7), np.float32)})


def test_bytes_of_any_size_go_into_a_detector_one_image_at_a_time(tmp_path):
    import tensorflow as tf

    network = detector()
    signature = network.__call__.get_concrete_function()
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=signature)
    runtime = load(zipped(tmp_path / "saved", tmp_path / "m"))
    photos = np.round(np.random.default_rng(6).random((2, 3, 40, 56)) * 255).astype(np.float32)

    found = runtime.run(photos)

    assert (runtime.signature.dtype, runtime.signature.batch) == ("uint8", 1)
    for one, photo in zip(found, photos, strict=True):
        want = network(photo.transpose(1, 2, 0)[None].astype(np.uint8))
        assert one["detection_boxes"].shape == (1, 8, 4)
        for name, array in want.items():
            assert one[name] == pytest.approx(np.asarray(array), abs=1e-5)


def test_a_precision_that_is_not_the_files_own_is_said_not_to_be_taken(files):
    runtime = load(files[ModelFormat.KERAS], precision="fp16")
    assert (runtime.precision, runtime.device) == ("fp32", "cpu")
    assert "fp32 as in its file, not fp16" in runtime.title


def test_a_device_that_is_not_there_is_refused_with_those_that_are(files):
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    with pytest.raises(ModelLoadError, match=r"no device 'cuda:0' for TensorFlow here: cpu\."):
        load(files[ModelFormat.KERAS], device="cuda:0")


def test_a_keras_that_loads_unsafely_is_refused():
    tensorflow_files._check_version("3.13.2")
    tensorflow_files._check_version("3.15.1")
    with pytest.raises(ModelLoadError, match=r"keras 3\.9\.0 is too old.*keras>=3\.13\.2"):
        tensorflow_files._check_version("3.9.0")


def test_a_layer_with_code_in_it_is_refused_by_keras_itself_too(tmp_path):
    import keras

    canary = tmp_path / "canary"
    name = str(canary)
    code = keras.layers.Lambda(lambda x: (open(name, "w").close(), x)[1])  # noqa: PTH123
    layers = [keras.Input((8, 8, 3)), code]
    keras.Sequential(layers).save(tmp_path / "m.keras")
    canary.unlink(missing_ok=True)

    with pytest.raises(ModelLoadError, match=r"cannot load the Keras model.*never run here"):
        runtimes.load_as(ModelFormat.KERAS, tmp_path / "m.keras", Options())
    with pytest.raises(ModelLoadError, match="Lambda"):
        recognise(tmp_path / "m.keras")
    assert not canary.exists()


def test_a_model_is_served_by_a_confined_worker(files):
    kind = InferenceType.CLASSIFICATION
    request = LoadRequest(files[ModelFormat.SAVED_MODEL], None, kind, 7)
    pool = Pool(request, lambda *_: None, lambda _: None, photo=trial.photo())
    try:
        loaded = pool.start()
        assert trial.run(pool, loaded).found == 5
    finally:
        pool.stop()
    assert "TensorFlow SavedModel" in loaded.runtime
    assert loaded.memory_bytes > 100 * 2**20
