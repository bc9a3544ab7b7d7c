"""Every case, in the order of the table."""

from tests.serving.toolchains import (
    classes,
    dense,
    detectors,
    keras_models,
    objects,
    queries,
    yolo,
)

CASES = [
    *classes.CASES,
    *yolo.CASES,
    *queries.CASES,
    *detectors.CASES,
    *objects.CASES,
    *dense.CASES,
    *keras_models.CASES,
]
