"""COCO's run-length code, written pixel by pixel: the oracle of our decoder."""

import numpy as np


def encode(mask: np.ndarray) -> str:
    """A mask as COCO spells it: down the columns, background first."""
    runs, value, length = [], False, 0
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            runs.append(length)
            value, length = pixel, 0
        length += 1
    runs.append(length)
    steps = [run - (runs[row - 2] if row > 2 else 0) for row, run in enumerate(runs)]
    return "".join(_spell(step) for step in steps)


def _spell(number: int) -> str:
    """Five bits a sign, the lowest first; the sixth says that more follow."""
    signs = ""
    while True:
        five_bits, number = number & 31, number >> 5
        done = number == (-1 if five_bits & 16 else 0)
        signs += chr(48 + five_bits + (0 if done else 32))
        if done:
            return signs
