"""A serving kernel's metrics, as Prometheus reads them."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    UnknownMetricFamily,
)

from picsellia_jupyter.serving.readings import Numbers, Readings
from picsellia_jupyter.serving.traffic import SECONDS, Requests

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Upper bounds of the buckets of a batch's size."""
_P = "picsellia_serving_"


def render(accepted: str, requests: Mapping[str, Requests], now: Readings) -> tuple[bytes, str]:
    """All metrics.

    Args:
        accepted: the formats that are understood, as an `Accept` header tells them.
        requests: what became of the requests, by route.
        now: everything else.

    Returns:
        The text, and its content type.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(requests, now))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accepted)
    return encode(registry), content_type


class _Collector:
    """Makes metrics of one moment."""

    def __init__(self, requests: Mapping[str, Requests], now: Readings) -> None:
        self._requests = requests
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """All metrics but those of the process itself."""
        now = self._now
        yield from _of_requests(self._requests)
        yield from _of_recording(now)
        yield from _of_model(now)
        yield _of_memory(now.worker_pids)
        if now.workers is not None:
            yield from _of_workers(now.workers)
        yield from _as_triton(self._requests, now)

    def describe(self) -> Iterable[Metric]:
        """Nothing: it is alone, so no name can come twice."""
        return ()


def _of_requests(requests: Mapping[str, Requests]) -> Iterable[Metric]:
    total = CounterMetricFamily(
        f"{_P}requests", "Requests answered, by what became of them.", labels=["route", "outcome"]
    )
    took = HistogramMetricFamily(
        f"{_P}request_duration_seconds", "From a request's head to its reply.", labels=["route"]
    )
    at_hand = GaugeMetricFamily(
        f"{_P}requests_in_flight", "Requests that are being answered.", labels=["route"]
    )
    for route, one in requests.items():
        for outcome, count in one.outcomes.items():
            total.add_metric([route, outcome], count)
        took.add_metric([route], _cumulated(SECONDS, one.buckets), one.seconds)
        at_hand.add_metric([route], one.in_flight)
    return total, took, at_hand


def _of_recording(now: Readings) -> Iterable[Metric]:
    return (
        _count("predictions_recorded", "Predictions that the platform has recorded.", now.recorded),
        _count("predictions_failed", "Predictions that it would not record.", now.failed),
        _gauge("predictions_pending", "Predictions that wait to be recorded.", now.pending),
    )


def _of_model(now: Readings) -> Iterable[Metric]:
    yield _gauge("ready", "Whether it serves its deployment: 1 or 0.", int(now.ready))
    if now.version is None or now.model is None:
        return
    told = InfoMetricFamily(f"{_P}model", "The model version that is served, and how.")
    model = now.model
    told.add_metric(
        [],
        {
            "model": now.version.model_name,
            "version": str(now.version.version),
            "runtime": model.runtime,
            "device": model.device,
            "precision": model.precision,
            "sandbox": model.sandbox,
        },
    )
    yield told


def _of_workers(numbers: Numbers) -> Iterable[Metric]:
    sizes = HistogramMetricFamily(f"{_P}batch_size", "Images in the batches the model was given.")
    batches = [0] * (len(BATCHES) + 1)
    for size, images in numbers.batches.items():
        batches[bisect.bisect_left(BATCHES, size)] += images // size
    sizes.add_metric([], _cumulated(BATCHES, batches), sum(numbers.batches.values()))
    return (
        _gauge("queue_depth", "Images that wait for a model worker.", numbers.queued),
        _gauge("in_flight", "Images that a model worker has.", numbers.in_flight),
        _count("worker_restarts", "Model workers started after one died.", numbers.restarts),
        _count("queue_seconds", "Seconds that images waited for the model.", numbers.queue_s),
        _count("model_seconds", "Seconds that the model ran.", numbers.run_s),
        sizes,
    )


def _of_memory(pids: Sequence[int]) -> Metric:
    import psutil

    memory = GaugeMetricFamily(
        f"{_P}worker_resident_memory_bytes",
        "Resident memory of each model worker; process_resident_memory_bytes is the front's.",
        labels=["worker"],
    )
    for number, pid in enumerate(pids):
        try:
            memory.add_metric([str(number)], psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            continue  # it died since
    return memory


def _as_triton(requests: Mapping[str, Requests], now: Readings) -> Iterable[Metric]:
    """The names that dashboards made for Triton ask for."""
    if now.version is None:
        return
    success = sum(one.outcomes["success"] for one in requests.values())
    failure = sum(sum(one.outcomes.values()) for one in requests.values()) - success
    figures = {
        "request_success": success,
        "request_failure": failure,
        "request_duration_us": sum(one.seconds for one in requests.values()) * 1e6,
    }
    if now.workers is not None:
        figures["count"] = sum(now.workers.batches.values())
        figures["queue_duration_us"] = now.workers.queue_s * 1e6
        figures["compute_infer_duration_us"] = now.workers.run_s * 1e6
        figures["pending_request_count"] = now.workers.queued
    where = [now.version.model_name, str(now.version.version)]
    for name, value in figures.items():
        # Triton's counters have no `_total`, which the counters of this library must have.
        metric = UnknownMetricFamily(
            f"nv_inference_{name}", "As Triton tells it.", labels=["model", "version"]
        )
        metric.add_metric(where, int(value))
        yield metric


def _cumulated(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Buckets as Prometheus has them: each holds those below it."""
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, itertools.accumulate(counts), strict=True))


def _count(name: str, told: str, value: float) -> Metric:
    return CounterMetricFamily(_P + name, told, value=value)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(_P + name, told, value=value)
