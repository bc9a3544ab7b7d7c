"""What Keras and TensorFlow themselves write: .keras files and SavedModels."""

from __future__ import annotations

import functools
import shutil

import numpy as np

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.case import Case
from tests.serving.toolchains.classes import best_five
from tests.serving.toolchains.objects import CLASSES, OBJECTS, TF_FORM, tensorflow
from tests.serving.toolchains.view import View

KERAS, SAVED_MODEL = "Keras", "SavedModel"
LABELS = 7


def classifier(activation: str | None = None):
    """A small convolutional network, as Keras' guides build one."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    wide = keras.initializers.RandomNormal(stddev=0.5)
    return keras.Sequential([
        keras.Input((64, 64, 3)),
        layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.AveragePooling2D(8),
        layers.Flatten(),
        layers.Dense(LABELS, activation=activation, kernel_initializer=wide),
    ])  # fmt: skip


def detector():
    """Bytes of any size in, the Object Detection API's outputs out."""
    import tensorflow as tf

    rng = np.random.default_rng(21)

    class Detector(tf.Module):
        def __init__(self):
            super().__init__()
            self.corners = tf.Variable(rng.normal(0, 0.3, (192, OBJECTS * 4)).astype("float32"))
            self.scores = tf.Variable(
                rng.normal(0, 0.3, (192, OBJECTS * CLASSES)).astype("float32")
            )

        @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, "input_tensor")])
        def __call__(self, input_tensor):
            small = tf.image.resize(tf.cast(input_tensor, tf.float32) / 255, (8, 8), "area")
            pixels = tf.reshape(small, (1, 192))
            numbers = tf.reshape(tf.sigmoid(pixels @ self.corners), (1, OBJECTS, 4))
            start = numbers[..., :2] * 0.6
            boxes = tf.concat([start, start + 0.15 + numbers[..., 2:] * 0.25], -1)
            scores = tf.reshape(tf.sigmoid(pixels @ self.scores), (1, OBJECTS, CLASSES))
            best = tf.reduce_max(scores, -1)
            order = tf.argsort(best, direction="DESCENDING")
            return {
                "detection_boxes": tf.gather(boxes, order, batch_dims=1),
                "detection_scores": tf.gather(best, order, batch_dims=1),
                "detection_classes": tf.gather(
                    tf.cast(tf.argmax(scores, -1), tf.float32) + 1, order, batch_dims=1
                ),
                "num_detections": tf.constant([float(OBJECTS - 1)]),
            }

    return Detector()


def export(case, how, path):
    """Write the model with the toolchain's own exporter."""
    import tensorflow as tf

    model = case.make()
    if how == KERAS:
        model.save(path.with_suffix(".keras"))
        return path.with_suffix(".keras").rename(path)
    folder = path.with_name("exported")
    if isinstance(model, tf.Module) and not hasattr(model, "export"):
        tf.saved_model.save(model, str(folder), signatures=model.__call__.get_concrete_function())
    else:
        model.export(str(folder), verbose=False)
    return zipped(folder, path)


def zipped(folder, path):
    """A folder as the archive that is stored."""
    made = shutil.make_archive(str(path.with_name("archive")), "zip", folder)
    shutil.move(made, path)
    return path


def run(case):
    """The eager model's own outputs for the photo."""
    batch = np.ascontiguousarray(case.view.input().transpose(0, 2, 3, 1))
    found = case.make()(batch if case.view.scale > 1 else batch.astype(np.uint8))
    if not isinstance(found, dict):
        found = {"output_0": found}
    return {name: np.asarray(value) for name, value in found.items()}


def _classes(outputs, activation):
    return Case(
        "Keras", "classification", outputs, InferenceType.CLASSIFICATION, LABELS,
        functools.partial(classifier, activation),
        functools.partial(best_five, probable=activation is not None), View(resize="stretch"),
        formats=(KERAS, SAVED_MODEL), real=True, needs="tensorflow", export=export, run=run,
    )  # fmt: skip


CASES = [
    _classes("(1, C) logits", None),
    _classes("(1, C) probabilities", "softmax"),
    Case(
        "TensorFlow Object Detection API", "object detection", f"{TF_FORM}, bytes of any size",
        InferenceType.OBJECT_DETECTION, CLASSES, detector, tensorflow, View(scale=1.0),
        formats=(SAVED_MODEL,), needs="tensorflow", export=export, run=run,
    ),
]  # fmt: skip
