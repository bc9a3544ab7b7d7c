"""PyTorch files that really do harm when they are loaded or run, made by torch itself.

`FILES`: name to a function of the `Bait` that gives the file's bytes.
"""

from __future__ import annotations

import functools
import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.serving import models


@dataclass(frozen=True)
class Bait:
    """What hostile code is after; all of it outside the worker's own folder."""

    written: Path
    """A file that it makes."""
    secret: Path
    """A file that it reads."""
    port: int
    """Where somebody listens on the loopback interface."""

    @property
    def code(self) -> str:
        """Python that does all of it, each whether or not the others go well, then fails."""
        return (
            "import pathlib, socket, contextlib\n"
            "with contextlib.suppress(OSError):\n"
            f"    pathlib.Path({str(self.written)!r}).write_text('canary')\n"
            "with contextlib.suppress(OSError):\n"
            f"    socket.create_connection(('127.0.0.1', {self.port}), 1).close()\n"
            f"pathlib.Path({str(self.secret)!r}).read_text()\n"
        )


class Evil:
    """Runs code when it is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self):
        return exec, (self.code,)


Maker = Callable[[Bait], bytes]
FILES: dict[str, Maker] = {}


def hostile(name: str) -> Callable[[Maker], Maker]:
    def add(make: Maker) -> Maker:
        FILES[name] = make
        return make

    return add


# TorchScript ---------------------------------------------------------------------------------


@functools.cache
def _loads():
    import torch

    class Loads(torch.nn.Module):
        """Its state is set by a method of its own, which does as it likes."""

        def __init__(self, path: str, shared: bool):
            super().__init__()
            self.path, self.shared = path, shared
            self.boxes = torch.from_numpy(models.BOXES[None])
            self.scores = torch.from_numpy(models.SCORES[None])

        @torch.jit.export
        def __getstate__(self):
            return (self.path, self.shared, self.boxes, self.scores, self.training)

        @torch.jit.export
        def __setstate__(self, state: tuple[str, bool, torch.Tensor, torch.Tensor, bool]):
            self.path, self.shared = state[0], state[1]
            seized = torch.from_file(self.path, self.shared, 6, dtype=torch.uint8)
            if self.shared:
                seized.fill_(65)
            self.boxes, self.training = state[2], state[4]
            self.scores = state[3] + seized.sum() * 0

        def forward(self, images):
            return self.boxes, self.scores

    return Loads


@functools.cache
def _runs(saves: bool = False):
    import torch

    class Runs(torch.nn.Module):
        def __init__(self, path: str, shared: bool):
            super().__init__()
            self.path, self.shared = path, shared
            self.boxes = torch.nn.Buffer(torch.from_numpy(models.BOXES[None]))
            self.scores = torch.nn.Buffer(torch.from_numpy(models.SCORES[None]))

        def forward(self, images):
            seized = torch.from_file(self.path, self.shared, 6, dtype=torch.uint8)
            if self.shared:
                seized.fill_(65)
            return self.boxes, self.scores + seized.sum() * 0

    class Saves(Runs):
        def forward(self, images):
            torch.save(images, self.path)
            return self.boxes, self.scores

    return Saves if saves else Runs


def _scripted(module: Callable, path: Path, *, shared: bool) -> bytes:
    import torch

    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module(str(path), shared)), out)
    return out.getvalue()


@hostile("TorchScript that reads when it is loaded")
def script_reads_at_load(bait):
    return _scripted(_loads(), bait.secret, shared=False)


@hostile("TorchScript that writes when it is loaded")
def script_writes_at_load(bait):
    return _scripted(_loads(), bait.written, shared=True)


@hostile("TorchScript that reads when it is run")
def script_reads(bait):
    return _scripted(_runs(), bait.secret, shared=False)


@hostile("TorchScript that writes when it is run")
def script_writes(bait):
    return _scripted(_runs(), bait.written, shared=True)


@hostile("TorchScript that saves when it is run")
def script_saves(bait):
    return _scripted(_runs(saves=True), bait.written, shared=True)


@hostile("TorchScript that spells its call in another way")
def script_spaced(bait):
    return rewritten(
        script_writes(bait), lambda name, old: old.replace(b"torch.from_file", b"torch . from_file")
    )


# torch.export --------------------------------------------------------------------------------


def rewritten(archive: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """An archive with its members changed, and with more of them beside the first."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))
        for name, content in more.items():
            new.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def _pickled(bait: Bait) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save(Evil(bait.code), out)
    return out.getvalue()


def _replaced(archive: bytes, ending: str, content: bytes) -> bytes:
    return rewritten(archive, lambda name, old: content if name.endswith(ending) else old)


def _exported(changes: Callable[[str, dict], None]) -> bytes:
    """The detector's archive, with its JSON members changed."""

    def change(name: str, old: bytes) -> bytes:
        if not name.endswith(".json"):
            return old
        said = json.loads(old)
        changes(name, said)
        return json.dumps(said).encode()

    return rewritten(models.exported_bytes(), change)


@functools.cache
def _seizing():
    """An operator with the signature of `aten::from_file`, which torch itself does not export."""
    import torch

    schema = "(str filename, bool? shared, int? size) -> Tensor"
    seize = torch.library.custom_op(
        "hostile::seize", lambda _, __, size: torch.zeros(size), mutates_args=(), schema=schema
    )
    seize.register_fake(lambda _, __, size: torch.zeros(size))
    return seize


def _exported_seizing(path: Path, *, shared: bool) -> bytes:
    import torch

    seize = _seizing()

    class Seizes(torch.nn.Module):
        def forward(self, images):
            seized = (
                seize(str(path), shared, 6).fill_(65) if shared else seize(str(path), shared, 1)
            )
            boxes = torch.from_numpy(models.BOXES[None])
            return boxes + seized.sum() * 0, torch.from_numpy(
                models.SCORES[None]
            ) + images.sum() * 0

    out = io.BytesIO()
    torch.export.save(torch.export.export(Seizes(), (models.images(),)), out)
    return rewritten(
        out.getvalue(), lambda name, old: old.replace(b"ops.hostile.seize", b"ops.aten.from_file")
    )


@hostile(".pt2 that reads when it is run")
def export_reads(bait):
    return _exported_seizing(bait.secret, shared=False)


@hostile(".pt2 that writes when it is run")
def export_writes(bait):
    return _exported_seizing(bait.written, shared=True)


@hostile(".pt2 with pickled sample inputs")
def export_samples(bait):
    return _replaced(models.exported_bytes(), "sample_inputs/model.pt", _pickled(bait))


@hostile(".pt2 with a pickled weight")
def export_weight(bait):
    def change(name, said):
        if "weights_config" in name:
            said["config"]["boxes"]["use_pickle"] = True

    return _replaced(_exported(change), "weights/weight_0", _pickled(bait))


def _with_constant(path_name: str, content: bytes) -> bytes:
    def change(name, said):
        if "constants_config" in name:
            said["config"]["c"] = {
                "path_name": path_name, "is_param": False, "use_pickle": True, "tensor_meta": None,
            }  # fmt: skip

    return rewritten(
        _exported(change),
        lambda name, old: old,
        **{f"archive__data__constants__{path_name}": content},
    )


@hostile(".pt2 with a pickled constant")
def export_constant(bait):
    return _with_constant("tensor_0", _pickled(bait))


@hostile(".pt2 with a pickled object")
def export_object(bait):
    return _with_constant("opaque_obj_0", pickle.dumps(Evil(bait.code)))


@hostile(".pt2 with code for the size of a tensor")
def export_expression(bait):
    code = f"exec({bait.code!r})"

    def change(name, said):
        if "models/model.json" in name:
            values = said["graph_module"]["graph"]["tensor_values"]
            values["images"]["sizes"][0] = {"as_expr": {"expr_str": code, "hint": None}}

    return _exported(change)


@hostile(".pt2 with machine code")
def export_machine_code(bait):
    import _ctypes

    library = Path(_ctypes.__file__).read_bytes()
    assert library[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")
    more = {"archive__data__aotinductor__model__wrapper.so": library}
    return rewritten(models.exported_bytes(), lambda name, old: old, **more)


@hostile(".pt2 in a zip archive")
def export_in_an_archive(bait):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("model.pt2", export_object(bait))
    return out.getvalue()


# Python itself -------------------------------------------------------------------------------


@hostile("torch.save of an object")
def saved_object(bait):
    return _pickled(bait)


@hostile("torch.save of an object, in its old form")
def saved_object_of_old(bait):
    import torch

    out = io.BytesIO()
    torch.save(Evil(bait.code), out, _use_new_zipfile_serialization=False)
    return out.getvalue()


@hostile("torch.save with a second root")
def saved_with_two_roots(bait):
    """The first root is what torch reads; whoever looks at the last one sees plain tensors."""
    import torch

    good = io.BytesIO()
    torch.save({"w": torch.zeros(1)}, good)
    with zipfile.ZipFile(good) as archive:
        more = {f"z/{name.partition('/')[2]}": archive.read(name) for name in archive.namelist()}
    return rewritten(_pickled(bait), lambda name, old: old, **more)


@hostile("torch.package")
def package(bait):
    import torch.package

    out = io.BytesIO()
    with torch.package.PackageExporter(out) as exporter:
        exporter.save_source_string("evil", bait.code)
        exporter.save_pickle("model", "model.pkl", {"of": "evil"})
    return out.getvalue()
