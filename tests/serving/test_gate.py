import contextlib
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving.gate import ModelFormat, recognise
from tests.serving import models

NAME = "model-latest"


def refusal(path):
    with pytest.raises(ModelLoadError) as caught:
        recognise(path)
    assert caught.value.remedy
    return str(caught.value)


def written(folder: Path, content: bytes) -> Path:
    path = folder / NAME
    path.write_bytes(content)
    return path


def zipped(**members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (models.onnx_detector, ModelFormat.ONNX),
        (models.torchscript_detector, ModelFormat.TORCHSCRIPT),
        (models.exported_detector, ModelFormat.TORCH_EXPORT),
    ],
)
def test_a_model_is_known_by_its_content_whatever_its_name(make, kind, tmp_path):
    assert recognise(make(tmp_path / "weights.pkl")) is kind


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_any_protocol_is_refused_by_name(protocol, tmp_path):
    told = refusal(written(tmp_path, pickle.dumps({"a": [Path()]}, protocol)))
    assert "is a Python pickle" in told
    assert "torch.onnx.export" in told


def test_what_old_torch_save_wrote_is_refused_as_a_pickle(tmp_path):
    import torch

    path = tmp_path / NAME
    torch.save({"w": torch.zeros(1)}, path, _use_new_zipfile_serialization=False)
    assert "pickle, which runs any code" in refusal(path)


def test_a_state_dict_is_known_without_being_unpickled(tmp_path):
    import torch

    path = tmp_path / NAME
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    assert recognise(path) is ModelFormat.TORCH_STATE_DICT


def test_a_module_saved_whole_is_refused_for_what_it_calls(tmp_path):
    import torch

    path = tmp_path / NAME
    torch.save(torch.nn.Linear(2, 2), path)
    told = refusal(path)
    assert "calls torch.nn.modules.linear.Linear: it runs code when it is loaded" in told
    assert "as ONNX" in told


def test_a_tar_archive_is_refused(tmp_path):
    path = tmp_path / NAME
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    assert "tar archive, as old torch.save wrote" in refusal(path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
        (b"\x1c\0\0\0TFL3" + bytes(99), "a TensorFlow Lite model"),
        (b"\x1f\x8b\x08" + bytes(99), "a gzip archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ((8).to_bytes(8, "little") + b'{"a":{}}', "a broken safetensors file ('data_offsets')"),
        (b"<html>not found</html>", "a web page"),
        (b"PK\x03\x04 and no more", "a broken zip archive"),
        (zipped(readme="hello"), "a zip archive of no known model format"),
        (zipped(**{"model.weights.h5": "", "config.json": "{"}), "a broken config.json"),
        # A TensorFlow SavedModel: the same wire format as ONNX, but no graph in field 7.
        (b"\x08\x01\x12\x03abc", "of no known model format"),
    ],
)
def test_other_files_are_refused_for_what_they_are(content, named, tmp_path):
    assert named in refusal(written(tmp_path, content))


def test_a_missing_file_is_told(tmp_path):
    assert "cannot be read: No such file" in refusal(tmp_path / NAME)


def test_an_onnx_file_that_breaks_off_is_refused(tmp_path):
    whole = models.onnx_detector(tmp_path / "whole").read_bytes()
    assert "of no known model format" in refusal(written(tmp_path, whole[:-10]))


@given(st.binary(max_size=300))
def test_any_content_is_recognised_or_refused(tmp_path_factory, content):
    path = written(tmp_path_factory.getbasetemp(), content)
    with contextlib.suppress(ModelLoadError):
        assert recognise(path) in ModelFormat


@pytest.mark.parametrize(
    ("size", "fine"),
    [
        ("s34", True),
        ("Symbol('s34', positive=True, integer=True)", True),
        ("2*s0 + Max(1, FloorDiv(u1, 2)) - floor(0.5*s0)", True),
        ("exec(bytes((112, 97)))", False),
        ("exec(chr(112) + chr(97))", False),
        ("Symbol('__import__')", True),  # a name, and no more
        ("__import__", False),
        ("s0.func", False),
        ("Max(exec, 1)", False),
        ("Function('exec')", False),
        ("(lambda: 1)()", False),
    ],
)
def test_the_sizes_of_an_exported_program_are_arithmetic(size, fine, tmp_path):
    graph = json.dumps({"sizes": [{"as_expr": {"expr_str": size}}]})
    path = written(tmp_path, zipped(**{"m__models__model.json": graph}))
    if fine:
        assert recognise(path) is ModelFormat.TORCH_EXPORT
    else:
        assert "which is code" in refusal(path)


def test_weights_and_graphs_are_data_and_the_rest_are_programs():
    data = {kind for kind in ModelFormat if not kind.is_program}
    assert data == {ModelFormat.ONNX, ModelFormat.TORCH_STATE_DICT, ModelFormat.SAFETENSORS}
