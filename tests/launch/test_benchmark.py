"""What the benchmark of places starts, started once; nothing is timed."""

from __future__ import annotations

from benchmarks.places import load, on_ray
from benchmarks.places.__main__ import P50_MS
from benchmarks.places.ways import RAY, ways


def test_each_way_of_the_benchmark_answers_and_has_a_goal(tmp_path, long, monkeypatch):
    if not long:  # test_ray.py starts Ray for its own tests
        monkeypatch.setattr(on_ray, "installed", lambda: False)

    with ways(tmp_path) as found:
        seen = {way.name: load.measure(way.url, way.headers, 2, 4) for way in found}

    assert set(P50_MS) <= set(seen) <= {*P50_MS, RAY}
    assert all(0 < one.p50_ms <= one.p99_ms for one in seen.values())
