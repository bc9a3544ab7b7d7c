"""Keras files and SavedModels that do harm or break off, made by Keras and TensorFlow themselves.

`FILES`: name to a function of a folder to work in and of the `Bait` that gives the bytes, and
what a deployment is told.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.serving.corpus import link, zipped
from tests.serving.hostile_torch import Bait, rewritten
from tests.serving.toolchains import keras_models

Maker = Callable[[Path, Bait], bytes]
FILES: dict[str, tuple[Maker, str]] = {}
LOADED: dict[str, tuple[Maker, str]] = {}
"""Those that the gate cannot tell from good ones: TensorFlow loads them, inside the sandbox."""


def hostile(name: str, told: str, into=FILES) -> Callable[[Maker], Maker]:
    def add(make: Maker) -> Maker:
        into[name] = make, told
        return make

    return add


# Keras ---------------------------------------------------------------------------------------


def _keras(folder: Path, *more) -> bytes:
    import keras

    layers = [keras.Input((32, 32, 1)), keras.layers.Flatten(), *more, keras.layers.Dense(3)]
    path = folder / "made.keras"
    keras.Sequential(layers).save(path)
    return path.read_bytes()


def _reconfigured(archive: bytes, change: Callable[[dict], None]) -> bytes:
    def changed(name: str, old: bytes) -> bytes:
        if name != "config.json":
            return old
        said = json.loads(old)
        change(said["config"]["layers"][-1])
        return json.dumps(said).encode()

    return rewritten(archive, changed)


@hostile("Keras with a Lambda", "with a Lambda, which holds code")
def keras_lambda(folder, bait):
    import keras

    written = str(bait.written)

    def seize(x):
        Path(written).touch()
        return x

    made = _keras(folder, keras.layers.Lambda(seize))
    bait.written.unlink()  # Keras calls it when it builds the model, too
    return made


@hostile("Keras in HDF5", "an HDF5 file")
def keras_h5(folder, bait):
    import keras

    path = folder / "made.h5"
    keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten()]).save(path)
    return path.read_bytes()


@hostile("Keras with a layer of another module", "imports os.system")
def keras_module(folder, bait):
    def change(layer):
        layer["module"], layer["class_name"] = "os", "system"
        layer["config"] = {"command": f"touch {bait.written}"}

    return _reconfigured(_keras(folder), change)


@hostile("Keras with a function of another module", "imports os.system")
def keras_function(folder, bait):
    def change(layer):
        layer["config"]["activation"] = {
            "module": "os", "class_name": "system", "config": f"touch {bait.written}",
            "registered_name": "system",
        }  # fmt: skip

    return _reconfigured(_keras(folder), change)


@hostile("Keras, 90% of it", "a broken zip archive")
def keras_cut(folder, bait):
    whole = _keras(folder)
    return whole[: len(whole) * 9 // 10]


@hostile("Keras with a download of Keras' own", "cannot load the Keras model", LOADED)
def keras_download(folder, bait):
    def change(layer):
        layer["module"], layer["class_name"] = "keras.utils", "get_file"
        layer["config"] = {
            "fname": str(bait.written), "origin": f"http://127.0.0.1:{bait.port}/x",
        }  # fmt: skip

    return _reconfigured(_keras(folder), change)


# SavedModels ---------------------------------------------------------------------------------


def _saved_model(folder: Path, harm: Callable) -> bytes:
    """A detector that does something else first."""
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 48, 64, 1), tf.float32, "images")])
        def __call__(self, images):
            done = harm(tf)
            # TensorFlow leaves out a file that it reads for nothing.
            used = tf.strings.length(done) if getattr(done, "dtype", None) == tf.string else 0
            with tf.control_dependencies([done]):
                boxes = tf.zeros((1, 3, 4)) + tf.cast(used, tf.float32) * 1e-9
                return {"boxes": boxes, "scores": tf.zeros((1, 3, 2))}

    module = Module()
    where = folder / "made"
    tf.saved_model.save(module, str(where), signatures=module.__call__.get_concrete_function())
    return keras_models.zipped(where, folder / "made-zip").read_bytes()


@hostile("SavedModel that reads", "the operator ReadFile")
def saved_model_reads(folder, bait):
    return _saved_model(folder, lambda tf: tf.io.read_file(str(bait.secret)))


@hostile("SavedModel that writes", "the operator WriteFile")
def saved_model_writes(folder, bait):
    return _saved_model(folder, lambda tf: tf.io.write_file(str(bait.written), "canary"))


@hostile("SavedModel that runs Python", "the operator EagerPyFunc")
def saved_model_python(folder, bait):
    return _saved_model(folder, lambda tf: tf.py_function(exec, [bait.code], []))


@hostile("SavedModel, 90% of it", "a broken zip archive")
def saved_model_cut(folder, bait):
    whole = _saved_model(folder, lambda tf: tf.zeros(()))
    return whole[: len(whole) * 9 // 10]


@hostile("SavedModel with a link", "a zip archive with a link")
def saved_model_link(folder, bait):
    whole = _saved_model(folder, lambda tf: tf.zeros(()))
    path = folder / "linked"
    path.write_bytes(whole)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link("assets/seized"), str(bait.secret))
    return path.read_bytes()


@hostile("SavedModel with a member outside", "a member outside itself")
def saved_model_outside(folder, bait):
    whole = _saved_model(folder, lambda tf: tf.zeros(()))
    return rewritten(whole, lambda name, old: old, **{f"..{bait.written}": b"canary"})


@hostile("SavedModel in a zip archive in a zip archive", "a zip archive of no known model format")
def saved_model_nested(folder, bait):
    return zipped([("model.zip", saved_model_writes(folder, bait))])


@hostile("SavedModel that saves itself elsewhere", "ermission denied", LOADED)
def saved_model_saves(folder, bait):
    def harm(tf):
        return tf.raw_ops.SaveV2(
            prefix=str(bait.written), tensor_names=["a"], shape_and_slices=[""],
            tensors=[tf.zeros(1)],
        )  # fmt: skip

    return _saved_model(folder, harm)
