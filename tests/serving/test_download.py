import pytest

from picsellia_jupyter.domain.errors import NotFoundError, PlatformError
from picsellia_jupyter.serving import download
from tests.serving import fakes


@pytest.fixture
def platform(tmp_path):
    model = tmp_path / "weights.onnx"
    model.write_bytes(b"weights")
    return fakes.store(fakes.FakePlatform(), model, {"format": 1})


def fetch(platform, cache, name="model-latest", version=fakes.VERSION):
    return download.fetch(
        platform, platform.model_version(version), name, cache, on_download=lambda _: None
    )


def test_the_model_and_its_manifest_are_fetched(platform, tmp_path):
    files = fetch(platform, tmp_path / "cache")
    assert files.model.read_bytes() == b"weights"
    assert files.manifest.read_bytes() == b'{"format": 1}'


def test_complete_files_are_not_fetched_again(platform, tmp_path):
    first = fetch(platform, tmp_path / "cache")
    assert fetch(platform, tmp_path / "cache") == first
    assert platform.downloads == ["model-latest", "serving.json"]


def test_a_file_that_lost_bytes_is_fetched_again(platform, tmp_path):
    fetch(platform, tmp_path / "cache").model.write_bytes(b"weig")
    assert fetch(platform, tmp_path / "cache").model.read_bytes() == b"weights"


def test_two_files_of_the_same_file_name_do_not_meet(platform, tmp_path):
    other = tmp_path / "other" / "weights.onnx"
    other.parent.mkdir()
    other.write_bytes(b"others")
    platform.stored["model-old"] = other
    assert fetch(platform, tmp_path / "cache").model.read_bytes() == b"weights"
    assert fetch(platform, tmp_path / "cache", "model-old").model.read_bytes() == b"others"


def test_a_version_without_a_manifest_has_none(platform, tmp_path):
    del platform.stored["serving.json"]
    assert fetch(platform, tmp_path / "cache").manifest is None


def test_an_unknown_file_is_answered_with_the_nearest_name(platform, tmp_path):
    with pytest.raises(NotFoundError, match="Did you mean 'model-latest'"):
        fetch(platform, tmp_path / "cache", "model-lates")


def test_an_id_cannot_lead_out_of_the_cache(platform, tmp_path):
    with pytest.raises(PlatformError, match="is no UUID"):
        fetch(platform, tmp_path / "cache", version="../../etc")
