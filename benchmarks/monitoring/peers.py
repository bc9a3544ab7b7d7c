"""Other evaluators: `python -m benchmarks.monitoring.peers NAME FILE` runs one of them.

Prints wall seconds, CPU seconds and the average precision as JSON, on the last line.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Data = Mapping[str, Any]


def faster_coco_eval(data: Data) -> Callable[[], float]:
    """Its C++ evaluator, by pycocotools' steps."""
    from faster_coco_eval import COCO, COCOeval_faster

    def task() -> float:
        truth = COCO({key: data[key] for key in ("images", "categories", "annotations")})
        done = COCOeval_faster(truth, truth.loadRes(data["results"]), "bbox")
        done.evaluate()
        done.accumulate()
        done.summarize()
        return float(done.stats[0])

    return task


def torchmetrics(data: Data) -> Callable[[], float]:
    """Its mean average precision, over pycocotools."""
    import torch

    with _without_kernels():
        from torchmetrics.detection import MeanAveragePrecision

    def sides(rows: list[Mapping[str, Any]], *, scored: bool) -> list[dict[str, Any]]:
        by_image: dict[int, list[Mapping[str, Any]]] = {one["id"]: [] for one in data["images"]}
        for row in rows:
            by_image[row["image_id"]].append(row)
        return [
            {
                "boxes": torch.tensor([one["bbox"] for one in of]).reshape(-1, 4),
                "labels": torch.tensor([one["category_id"] for one in of], dtype=torch.int64),
                **({"scores": torch.tensor([one["score"] for one in of])} if scored else {}),
            }
            for of in by_image.values()
        ]

    found = sides(data["results"], scored=True)
    truth = sides(data["annotations"], scored=False)

    def task() -> float:
        metric = MeanAveragePrecision(box_format="xywh", iou_type="bbox")
        metric.update(found, truth)
        return float(metric.compute()["map"])

    return task


@contextlib.contextmanager
def _without_kernels() -> Iterator[None]:
    """Import torchvision where its compiled operators are of another build of torch.

    Average precision needs of it the arithmetic of boxes alone, which is plain Python.
    """
    import torch

    real = torch.library.register_fake
    torch.library.register_fake = lambda *_args, **_options: lambda function: function
    try:
        yield
    finally:
        torch.library.register_fake = real


_PEERS = {"faster_coco_eval": faster_coco_eval, "torchmetrics": torchmetrics}


def main() -> None:
    """Measure one of them once."""
    name, path = sys.argv[1:]
    data = json.loads(Path(path).read_text())
    with contextlib.redirect_stdout(io.StringIO()):
        task = _PEERS[name](data)
        wall, cpu = time.perf_counter(), time.process_time()
        ap = task()
        told = [time.perf_counter() - wall, time.process_time() - cpu, ap]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
