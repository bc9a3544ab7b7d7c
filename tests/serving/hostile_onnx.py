"""ONNX files that reach for other files or for code, and what a worker says of each.

`FILES`: name to a function of a folder beside the model, and of a secret, that gives the bytes.
`ALIKE`: those that are refused as another one of them is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.serving import models

Maker = Callable[[Path, Path], bytes]
FILES: dict[str, Maker] = {}
SIZE = models.BOXES.nbytes


def hostile(name: str) -> Callable[[Maker], Maker]:
    def add(make: Maker) -> Maker:
        FILES[name] = make
        return make

    return add


def external(location: str, *, offset: int = 0, length: int = SIZE, constant: bool = False):
    """A model whose boxes lie in another file."""
    from onnx import TensorProto, helper

    tensor = TensorProto(name="boxes", data_type=TensorProto.FLOAT, dims=[1, *models.BOXES.shape])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    node = helper.make_node("Identity", ["boxes"], ["found"])
    if constant:
        node = helper.make_node("Constant", [], ["found"], value=tensor)
    return _model([node], [] if constant else [tensor])


def _model(nodes, tensors=(), domains=()):
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info(
        "images", TensorProto.FLOAT, (1, 1, models.HEIGHT, models.WIDTH)
    )
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, (1, *models.BOXES.shape))
    graph = helper.make_graph(nodes, "hostile", [image], [found], initializer=list(tensors))
    sets = [helper.make_opsetid("", 17), *(helper.make_opsetid(name, 1) for name in domains)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString()


@hostile("an absolute path")
def absolute(beside, secret):
    return external(str(secret))


@hostile("a path out of its folder")
def upwards(beside, secret):
    return external(os.path.relpath(secret, beside))


@hostile("a path out of the root")
def from_the_root(beside, secret):
    return external(f"../../..{secret}")


@hostile("a symbolic link")
def symbolic_link(beside, secret):
    (beside / "link.bin").symlink_to(secret)
    return external("link.bin")


@hostile("a hard link")
def hard_link(beside, secret):
    os.link(secret, beside / "hard.bin")
    return external("hard.bin")


@hostile("another model's file")
def another_model(beside, secret):
    (beside / "other.bin").write_bytes(bytes(4096))
    return external("other.bin")


@hostile("its own file")
def itself(beside, secret):
    return external("model-latest")


@hostile("an offset past the end")
def offset(beside, secret):
    (beside / "short.bin").write_bytes(bytes(SIZE))
    return external("short.bin", offset=2**40)


@hostile("a length past the end")
def length(beside, secret):
    (beside / "short.bin").write_bytes(bytes(SIZE))
    return external("short.bin", length=2**40)


@hostile("an offset that is negative")
def negative_offset(beside, secret):
    (beside / "short.bin").write_bytes(bytes(SIZE))
    return external("short.bin", offset=-(2**40))


@hostile("an offset and a length that overflow together")
def overflow(beside, secret):
    (beside / "short.bin").write_bytes(bytes(SIZE))
    return external("short.bin", offset=2**63 - 1, length=2**63 - 1)


@hostile("a device")
def device(beside, secret):
    return external("/dev/zero")


@hostile("a pipe that nobody writes into")
def pipe(beside, secret):
    os.mkfifo(beside / "pipe.bin")
    return external("pipe.bin")


@hostile("an address in memory")
def address(beside, secret):
    return external("*/_ORT_MEM_ADDR_/*", offset=4096)


@hostile("a constant elsewhere")
def constant(beside, secret):
    return external(str(secret), constant=True)


@hostile("an exabyte of zeros")
def exabyte(beside, secret):
    from onnx import helper, numpy_helper

    sides = numpy_helper.from_array(np.array([2**58, 4]), "sides")
    zeros = helper.make_node("ConstantOfShape", ["sides"], ["found"])
    return _model([zeros], [sides])


@hostile("an operator of another domain")
def operator(beside, secret):
    from onnx import helper

    node = helper.make_node("Evil", ["images"], ["found"], domain="evil.example")
    return _model([node], domains=["evil.example"])


ALIKE = (
    "a path out of the root", "another model's file", "an offset past the end",
    "a length past the end", "an offset that is negative", "a pipe that nobody writes into",
    "an offset and a length that overflow together",
)  # fmt: skip
