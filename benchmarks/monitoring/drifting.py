"""Drift of 32 signals: what one look at a window costs.

Goal: at most 50 ms for 32 signals of 1,000 images on either side, Benjamini-Hochberg included.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.serving.goals import Goals
from picsellia_jupyter.domain.drift import Sample
from picsellia_jupyter.workflows.drift import drift, mmd

GOAL_MS = 50.0
SIGNALS, IMAGES = 32, 1_000


def run(goals: Goals, *, quick: bool) -> None:
    """Measure, print, and note the goal."""
    random = np.random.default_rng(0)
    both = random.normal(size=(2, SIGNALS, IMAGES))
    rounds = 5 if quick else 20
    drift({"warm": Sample.of(both[0, 0])}, {"warm": Sample.of(both[1, 0])})
    took = min(_drift_ms(both) for _ in range(rounds))
    embeddings = random.normal(size=(2, 500, 128))
    far = min(_mmd_ms(embeddings) for _ in range(3))
    print("\n| drift | ms |\n|---|---:|")
    print(f"| {SIGNALS} signals of {IMAGES:,} v {IMAGES:,} images, KS and BH | {took:.1f} |")
    print(f"| MMD of embeddings, 500 v 500, d = 128, 200 permutations | {far:.0f} |")
    goals.at_most("DR1", f"drift of {SIGNALS} signals", took, GOAL_MS, " ms")


def _drift_ms(both: np.ndarray) -> float:
    begun = time.perf_counter()
    one, other = ({f"{k}": Sample.of(row) for k, row in enumerate(side)} for side in both)
    drift(one, other)
    return (time.perf_counter() - begun) * 1e3


def _mmd_ms(both: np.ndarray) -> float:
    begun = time.perf_counter()
    mmd(both[0], both[1])
    return (time.perf_counter() - begun) * 1e3
