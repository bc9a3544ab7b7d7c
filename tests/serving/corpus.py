"""Malicious and broken model files, made on the spot. `CASES`: name to (content, what is told)."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import zipfile

CASES = {}
CANARY = "picsellia-canary"


class Payload:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (CANARY,)


def zipped(members, **how):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def case(name, told, content):
    assert name not in CASES
    CASES[name] = (content, told)


def keras(config):
    return zipped([("metadata.json", "{}"), ("config.json", json.dumps(config)),
                   ("model.weights.h5", "x")])  # fmt: skip


def safetensors(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member


for protocol in range(6):
    case(f"pickle {protocol}", "Python pickle", pickle.dumps(Payload(), protocol))
EVIL = pickle.dumps(Payload())
case("torch zip", "calls posix.mkdir", zipped([("a/data.pkl", EVIL), ("a/version", "3")]))
case("torch zip, protocol 0", "calls posix.mkdir",
     zipped([("a/data.pkl", pickle.dumps(Payload(), 0))]))  # fmt: skip
case("torch zip, broken pickle", "a broken pickle", zipped([("a/data.pkl", EVIL[:9])]))
case("gzip", "a gzip archive", gzip.compress(EVIL))
case("bzip2", "of no known model format", bz2.compress(EVIL))
case("xz", "of no known model format", lzma.compress(EVIL))
case("7z", "a 7z archive", b"7z\xbc\xaf\x27\x1c" + EVIL)
case("zip of a pickle", "a zip archive of no known", zipped([("model.pkl", EVIL)]))
case("zip of a zip", "a zip archive of no known", zipped([("m.zip", zipped([("m.pkl", EVIL)]))]))
_bad = bytearray(zipped([("a/data.pkl", EVIL)]))
_bad[_bad.index(b"mkdir")] ^= 1
case("bad checksum", "a broken zip archive", bytes(_bad))
_tar = io.BytesIO()
with tarfile.open(fileobj=_tar, mode="w") as _archive:
    _archive.addfile(tarfile.TarInfo("pickle"))
case("legacy tar", "a tar archive", _tar.getvalue())
case("torch.package", "a torch.package", zipped([("m/.data/extern_modules", ""), ("m/a.py", "")]))
for call in ("save", "from_file"):
    case(f"TorchScript {call}", f"calls aten::{call}",
         zipped([("a/data.pkl", ""), ("a/code/m.py", f"  torch.{call}(x, 'f')")]))  # fmt: skip
case("AOTInductor", "machine code",
     zipped([("m/models/model.json", ""), ("m/data/aotinductor/model/m.so", "ELF")]))  # fmt: skip
for layer in ("Lambda", "TFSMLayer"):
    case(f"Keras {layer}", f"with a {layer}",
         keras({"layers": [{"class_name": layer, "module": "keras.layers"}]}))  # fmt: skip
case("Keras module", "imports os.system", keras({"class_name": "system", "module": "os"}))
case("Keras own class", "a class of one's own",
     keras({"class_name": "Evil", "registered_name": "my>Evil"}))  # fmt: skip
case("Keras config", "a broken config.json", zipped([("config.json", "{"),
                                                      ("model.weights.h5", "")]))  # fmt: skip
case("Keras h5", "an HDF5 file", b"\x89HDF\r\n\x1a\n" + bytes(64))
for operator in ("WriteFile", "ReadFile", "PyFunc", "EagerPyFunc"):
    node = b"\x0a\x01n\x12" + bytes([len(operator)]) + operator.encode()
    case(f"SavedModel {operator}", f"the operator {operator}", zipped([("m/saved_model.pb", node)]))
case("safetensors length", "a header of", (2**60).to_bytes(8, "little") + b"{}")
case("safetensors JSON", "a broken safetensors", safetensors(b"{nope"))
case("safetensors list", "a broken safetensors", safetensors(b'{"a":[]}'))
case(
    "safetensors overlap",
    "overlap or leave a gap",
    safetensors({n: {"data_offsets": [k, 4]} for n, k in (("a", 0), ("b", 2))}, bytes(4)),
)
case(
    "safetensors gap",
    "overlap or leave a gap",
    safetensors({"a": {"data_offsets": [2, 4]}}, bytes(4)),
)
case("safetensors short", "0 bytes of tensors", safetensors({"a": {"data_offsets": [0, 4]}}))
case("bomb by ratio", "a zip bomb",
     zipped([("a/data.pkl", bytes(2**22))], compression=zipfile.ZIP_DEFLATED))  # fmt: skip
case("bomb by count", "members, over", zipped([(f"{n}", "") for n in range(20_001)]))
for name in ("../data.pkl", "/etc/data.pkl", "a/../../b", "C:\\b"):
    case(f"zip with {name}", "outside itself", zipped([(name, "")]))
case("zip with a link", "a zip archive with a link", zipped([(link("data.pkl"), "/etc/passwd")]))
case("zip, cut off", "a broken zip archive", zipped([("a/data.pkl", EVIL)])[:-8])
case(
    "LFS pointer", "a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0"
)
case("empty", "is empty", b"")
case("web page", "a web page", b"<!doctype html><h1>404</h1>")
case("TensorFlow Lite", "a TensorFlow Lite model", b"\x1c\0\0\0TFL3" + bytes(64))
