"""Average precision of 5,000 images and 57,472 detections, beside the field's evaluators.

The data are made, with one seed. Each evaluator begins with plain values in memory and ends with
COCO's twelve figures. *Wall* is the median of the rounds, *CPU* the processor time of all
threads: on a busy machine it is the fairer one.

Peers that are not installed here run in the environment of `make bench-peers`, if there is one.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.serving.goals import Goals
from picsellia_jupyter.domain.evaluation import Coverage
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Named, Objects, Overlap
from picsellia_jupyter.domain.ground_truth import ReviewedImage as Reviewed
from picsellia_jupyter.domain.predictions import Detections, ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.evaluation import coco
from picsellia_jupyter.workflows.evaluation.reports import Subject, report

IMAGES, TRUTH, FOUND, LABELS = 5_000, 50_000, 57_472, 20
SIDE = 640
PEERS_PYTHON = Path(__file__).parents[2] / "build" / "peers" / "bin" / "python"
PEERS = ("faster_coco_eval", "torchmetrics")
GOAL_S, GOAL_TIMES, GOAL_REPORT_S = 0.5, 50.0, 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """How long an evaluator took, and what it said."""

    name: str
    wall_s: float
    cpu_s: float
    ap: float | None

    def line(self) -> str:
        """A row of the table."""
        said = "none" if self.ap is None else f"{self.ap:.12f}"
        return f"| {self.name} | {self.wall_s:.3f} | {self.cpu_s:.3f} | {said} |"


def run(goals: Goals, *, quick: bool) -> None:
    """Measure, print a table, and note what of the goals was reached."""
    share, rounds = (10, 1) if quick else (1, 3)
    data = made_set(share)
    print(f"\n{len(data.sizes):,} images, {len(data.truth):,} objects, {len(data.found):,} found\n")
    print("| evaluator | wall s | CPU s | AP |\n|---|---:|---:|---:|")
    ours = measure("picsellia_jupyter", lambda: our_ap(data), rounds)
    print(ours.line(), flush=True)
    theirs = measure("pycocotools", lambda: their_ap(data), 1)
    print(theirs.line(), flush=True)
    for peer in PEERS:
        print(beside(peer, data), flush=True)
    images = reviewed(data)
    whole = measure("whole report, champion and shadow", lambda: whole_report(images), 1)
    print(whole.line(), flush=True)
    beyond = abs((ours.ap or 0) - (theirs.ap or 0))
    goals.at_most(
        "E1",
        "average precision",
        ours.wall_s,
        GOAL_S,
        " s",
        beside=f"pycocotools {theirs.wall_s:.1f} s (x {theirs.wall_s / ours.wall_s:.0f})",
    )
    goals.at_least("E2", "CPU of pycocotools", theirs.cpu_s / ours.cpu_s, GOAL_TIMES, " x ours")
    goals.at_most("E3", "difference of AP from pycocotools", beyond, 0.0)
    goals.at_most("E4", "whole report with intervals", whole.wall_s, GOAL_REPORT_S, " s")


def measure(name: str, task: Callable[[], float | None], rounds: int) -> Measured:
    """The median of some rounds."""
    walls, cpus, ap = [], [], None
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        ap = task()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Measured(name, float(np.median(walls)), float(np.median(cpus)), ap)


def our_ap(data: EvaluationSet) -> float | None:
    """Ours."""
    return coco.summary(data, coco.evaluate(data))["ap_50_95"]


def their_ap(data: EvaluationSet) -> float:
    """That of pycocotools, by its own usual steps."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = dataset(data)
        truth.createIndex()
        done = COCOeval(truth, truth.loadRes(results(data)), "bbox")
        done.evaluate()
        done.accumulate()
        done.summarize()
    return float(done.stats[0])


def whole_report(images: Sequence[Reviewed]) -> float | None:
    """Everything that `d.evaluate()` shows, of champion and shadow."""
    labels = [f"label {n}" for n in range(LABELS)]
    coverage = Coverage(len(images), len(images), {})
    subject = Subject("lines", InferenceType.OBJECT_DETECTION, labels, 0.3, coverage)
    return report(images, subject).scores["ap_50_95"]


def beside(peer: str, data: EvaluationSet) -> str:
    """A row of a peer, in whichever environment has it."""
    for python in (Path(sys.executable), PEERS_PYTHON):
        if not python.exists():
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({**dataset(data), "results": results(data)}, file)
            file.flush()
            command = [str(python), "-m", "benchmarks.monitoring.peers", peer, file.name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Measured(peer, *json.loads(done.stdout.splitlines()[-1])).line()
    why = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return f"| {peer}: {textwrap.shorten(why, 90, placeholder=' …')} | | | |"


# Data ----------------------------------------------------------------------------------------


def made_set(share: int = 1) -> EvaluationSet:
    """A set whose detections lie near the truth, with wrong labels and strays among them."""
    rng = np.random.default_rng(0)
    images, n, m = IMAGES // share, TRUTH // share, FOUND // share
    image_of, classes = rng.integers(0, images, n), rng.integers(0, LABELS, n)
    boxes = np.column_stack([rng.uniform(0, 500, (n, 2)), rng.uniform(10, 130, (n, 2))])
    source = rng.integers(0, n, m)
    noise = rng.normal(0, 1, (m, 4)) * rng.choice([1.0, 4.0, 30.0], (m, 1))
    near = np.abs(boxes[source] + noise) + 1
    strange = rng.random(m) < 0.15
    labels = np.where(strange, rng.integers(0, LABELS, m), classes[source])
    near, boxes = np.rint(near * 8) / 8, np.rint(boxes * 8) / 8
    truth = Objects(image_of, classes, np.ones(n), boxes)
    found = Objects(image_of[source], labels, rng.random(m), near)
    names = [f"label {row}" for row in range(LABELS)]
    return EvaluationSet([ImageSize(SIDE, SIDE)] * images, names, truth, found, Overlap.BOX)


def dataset(data: EvaluationSet) -> dict[str, object]:
    """The truth as COCO's JSON."""
    boxes = np.asarray(data.truth.shapes)
    rows = zip(data.truth.image_of + 1, data.truth.classes + 1, boxes.tolist(), strict=True)
    return {
        "images": [
            {"id": n + 1, "width": size.width, "height": size.height}
            for n, size in enumerate(data.sizes)
        ],
        "categories": [{"id": n + 1, "name": name} for n, name in enumerate(data.labels)],
        "annotations": [
            {
                "id": n + 1, "image_id": int(image), "category_id": int(label), "bbox": box,
                "area": box[2] * box[3], "iscrowd": 0,
            }
            for n, (image, label, box) in enumerate(rows)
        ],
    }  # fmt: skip


def results(data: EvaluationSet) -> list[dict[str, object]]:
    """What was found as COCO's JSON."""
    side = data.found
    boxes = np.asarray(side.shapes).tolist()
    rows = zip(side.image_of + 1, side.classes + 1, boxes, side.scores, strict=True)
    return [
        {
            "image_id": int(image), "category_id": int(label), "bbox": box, "score": float(score)
        }
        for image, label, box, score in rows
    ]  # fmt: skip


def reviewed(data: EvaluationSet) -> list[Reviewed]:
    """The same as reviewed images; the shadow model finds what the champion finds, and less."""
    truth, found = _by_image(data, data.truth), _by_image(data, data.found)
    images = zip(data.sizes, truth, found, strict=True)
    return [
        Reviewed(
            str(row), float(row), size, there, seen, shadow=_first(seen), shadow_model="digits:1"
        )
        for row, (size, there, seen) in enumerate(images)
    ]


def _first(named: Named) -> Named:
    kept = np.arange(len(named.labels)) % 10 > 0
    labels = tuple(label for label, keep in zip(named.labels, kept, strict=True) if keep)
    return Named(labels, named.objects.take(kept))


def _by_image(data: EvaluationSet, side: Objects) -> list[Named]:
    order = np.argsort(side.image_of, kind="stable")
    cuts = np.searchsorted(side.image_of[order], np.arange(1, len(data.sizes)))
    boxes = np.asarray(side.shapes)
    corners = np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]).astype(np.float32)
    return [
        Named(
            tuple(data.labels[row] for row in side.classes[rows]),
            Detections(side.classes[rows], side.scores[rows].astype(np.float32), corners[rows]),
        )
        for rows in np.split(order, cuts)
    ]
