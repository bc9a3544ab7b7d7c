import pickle
import warnings
import zipfile

import pytest

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving.gate import recognise

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # of two members of one name
    from tests.serving import corpus


@pytest.mark.parametrize("name", corpus.CASES)
def test_a_hostile_or_broken_file_is_refused_with_its_reason_and_a_remedy(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    content, told = corpus.CASES[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelLoadError) as caught:
        recognise(path)
    assert told in caught.value.fact
    assert caught.value.remedy
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_the_payload_of_the_pickles_is_live(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(corpus.EVIL)
    assert (tmp_path / corpus.CANARY).is_dir()


def test_the_corpus_has_forty_files_or_more():
    assert len(corpus.CASES) >= 40


def test_members_that_overlap_are_refused(tmp_path):
    path = tmp_path / "model"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", bytes(500))
        archive.writestr("b", bytes(500))
        archive.filelist[1].header_offset = archive.filelist[0].header_offset
    with pytest.raises(ModelLoadError, match="overlaps another member"):
        recognise(path)


def test_an_archive_in_front_of_another_one_is_refused(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(corpus.zipped([("data.pkl", "")])[:-1] + corpus.zipped([("data.pkl", "")]))
    with pytest.raises(ModelLoadError, match="its first 113 bytes are of no member"):
        recognise(path)
