"""What Keras and TensorFlow themselves write: .keras files and SavedModels."""

from __future__ import annotations

import functools
import shutil

import numpy as np

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains import dense, yolo
from tests.serving.toolchains.case import Case
from tests.serving.toolchains.classes import best_five
from tests.serving.toolchains.objects import (
    CLASSES,
    GRID,
    OBJECTS,
    SEGMENT,
    TF_FORM,
    tensorflow,
)
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


def segmenter():
    """Class logits at a quarter of the input's size, their channels last as all of TensorFlow's."""
    import keras

    keras.utils.set_random_seed(4)
    wide = keras.initializers.RandomNormal(stddev=0.25)
    return keras.Sequential([
        keras.Input((64, 64, 3)),
        keras.layers.AveragePooling2D(4),
        keras.layers.Conv2D(dense.CLASSES, 5, padding="same", kernel_initializer=wide),
    ])  # fmt: skip


def detector(*, with_masks=False):
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
            self.shapes = tf.Variable(
                rng.normal(0.02, 0.02, (192, OBJECTS * GRID**2)).astype("float32")
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
            masks = tf.reshape(tf.sigmoid(pixels @ self.shapes), (1, OBJECTS, GRID, GRID))
            more = {"detection_masks": tf.gather(masks, order, batch_dims=1)}
            return (more if with_masks else {}) | {
                "detection_boxes": tf.gather(boxes, order, batch_dims=1),
                "detection_scores": tf.gather(best, order, batch_dims=1),
                "detection_classes": tf.gather(
                    tf.cast(tf.argmax(scores, -1), tf.float32) + 1, order, batch_dims=1
                ),
                "num_detections": tf.constant([float(OBJECTS - 1)]),
            }

    return Detector()


def yolo8_segments():
    """As Ultralytics' exports are in TensorFlow: parts of the sides, prototypes' channels last."""
    import tensorflow as tf

    rng = np.random.default_rng(5)
    numbers, side = 4 + yolo.CLASSES + yolo.PROTOTYPES, 64

    def weights(columns):
        return tf.Variable(rng.normal(0, 1.5, (3, columns)).astype("float32"))

    class Segments(tf.Module):
        def __init__(self):
            super().__init__()
            self.levels = [weights(numbers) for _ in yolo.STRIDES]
            self.prototypes = weights(yolo.PROTOTYPES)

        @tf.function(input_signature=[tf.TensorSpec((1, side, side, 3), tf.float32, "images")])
        def __call__(self, images):
            levels = zip(yolo.STRIDES, self.levels, strict=True)
            table = tf.concat([self.cells(images, *level) for level in levels], 1)
            pooled = tf.nn.avg_pool2d(images, 4, 4, "VALID")
            grid = tf.tensordot(pooled, self.prototypes, 1)
            return {"output_0": tf.transpose(table, (0, 2, 1)), "output_1": grid}

        def cells(self, images, stride, level):
            raw = tf.tensordot(tf.nn.avg_pool2d(images, stride, stride, "VALID"), level, 1)
            raw = tf.reshape(raw, (1, -1, numbers))
            each = np.indices((side // stride,) * 2).reshape(2, -1).T[:, ::-1].astype("float32")
            centre = (each + tf.sigmoid(raw[..., :2])) * stride / side
            sides = tf.exp(tf.clip_by_value(raw[..., 2:4], -1, 1)) * stride * 2 / side
            scores = tf.sigmoid(raw[..., 4 : 4 + yolo.CLASSES])
            return tf.concat([centre, sides, scores, raw[..., 4 + yolo.CLASSES :]], -1)

    return Segments()


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


def likeliest(outputs, view):
    """Of maps with their channels last."""
    return dense.likeliest({n: np.moveaxis(one, -1, 1) for n, one in outputs.items()}, view)


def yolo_masks(outputs, view):
    rows = np.array(outputs["output_0"])
    rows[:, :4] *= view.side
    grid = np.moveaxis(outputs["output_1"], -1, 1)
    return yolo.masks({"output0": rows, "output1": grid}, view, five=False)


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
    Case(
        "TensorFlow Object Detection API", f"{SEGMENT}, masks",
        "the same, `detection_masks` (1, N, h, w), bytes of any size", InferenceType.MASK,
        CLASSES, functools.partial(detector, with_masks=True),
        functools.partial(tensorflow, masks=True), View(scale=1.0), formats=(SAVED_MODEL,),
        needs="tensorflow", export=export, run=run,
    ),
    Case(
        "Keras", "semantic segmentation", "(1, h, w, C) logits", InferenceType.MASK,
        dense.CLASSES, segmenter, likeliest, formats=(KERAS, SAVED_MODEL), real=True,
        needs="tensorflow", export=export, run=run,
    ),
    Case(
        "Ultralytics YOLOv8/11", f"{SEGMENT}, masks",
        "(1, 4 + C + 32, A) as parts of the sides, (1, h, w, 32)", InferenceType.MASK,
        yolo.CLASSES, yolo8_segments, yolo_masks, formats=(SAVED_MODEL,), needs="tensorflow",
        export=export, run=run,
    ),
]  # fmt: skip
