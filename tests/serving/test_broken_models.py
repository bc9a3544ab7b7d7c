"""ONNX files that name other files or code, and broken files of every kind, in real workers."""

import warnings
from pathlib import Path

import pytest

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pool import Pool
from tests.serving import broken, fakes, hostile_onnx
from tests.serving.test_hostile_models import refused

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # of two members of one name
    from tests.serving import corpus


@pytest.fixture
def beside(tmp_path):
    """The folder that a deployment downloads its model to."""
    folder = tmp_path / "cache" / fakes.VERSION / "file-0"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", hostile_onnx.FILES)
def test_an_onnx_model_that_is_not_whole_in_its_file_is_refused(
    name, start, serving, beside, tmp_path, long
):
    if name in hostile_onnx.ALIKE and not long:
        pytest.skip("refused by the rule of another file, which is tried; --long tries each")
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(4096))

    def make(path):
        path.write_bytes(hostile_onnx.FILES[name](beside, secret))
        return path

    kernel = start(make)
    told = refused(kernel)
    if name == "an operator of another domain":
        assert told == (
            "The model needs the operator evil.example:Evil, which onnxruntime does not have."
        )
        assert "libraries of others are never loaded" in kernel.status()["error"]["detail"]
    elif name == "an exabyte of zeros":
        assert told == "1 image does not fit into the memory of this machine."
    else:
        assert "onnxruntime cannot load the model, it " in told
        assert "external_data=False" in kernel.status()["error"]["detail"]
    assert serving.predict(monitor="False").json()["detection_classes"] == [0]


@pytest.mark.parametrize("name", broken.FILES)
def test_a_broken_model_file_is_refused(name, start, serving, long):
    if name not in broken.QUICK and not long:
        pytest.skip("refused by the rule of another file, which is tried; --long tries each")
    make, reason = broken.FILES[name]

    def write(path):
        path.write_bytes(make())
        return path

    assert reason in refused(start(write))
    assert serving.predict(monitor="False").json()["detection_classes"] == [0]


@pytest.mark.parametrize("name", corpus.CASES)
def test_a_worker_too_refuses_every_file_of_the_corpus(name, tmp_path, long):
    if not long:
        pytest.skip("the gate alone is asked of each in test_corpus.py; --long asks workers")
    content, told = corpus.CASES[name]
    path = tmp_path / "model-latest"
    path.write_bytes(content)
    request = LoadRequest(path, None, InferenceType.CLASSIFICATION)
    pool = Pool(request, lambda *_: None, lambda _: None, workers=1)
    try:
        with pytest.raises(ModelLoadError) as caught:
            pool.start()
    finally:
        pool.stop()
    assert told in caught.value.fact
    assert caught.value.remedy
    assert not Path("/", corpus.CANARY).exists()  # where workers run
