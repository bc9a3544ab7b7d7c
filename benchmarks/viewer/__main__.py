"""`python -m benchmarks.viewer [--quick]`."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from importlib import resources

from benchmarks.serving.goals import Goals
from benchmarks.viewer import frames, grids
from benchmarks.viewer.costs import Cost, cost
from benchmarks.viewer.frames import Frames
from benchmarks.viewer.peer import costs_of_peer
from benchmarks.viewer.scenes import Scene, scenes
from benchmarks.viewer.ways import MATPLOTLIB, OURS, SUPERVISION, WAYS, viewer_page
from picsellia_jupyter.display.viewer import packed

COUNTS = (10, 100, 1000, 10_000)
ROUNDS = 9
"""Of ours."""
PATIENCE_MS = 8000.0
"""What takes longer with 1,000 shapes is not asked for 10,000."""
ONE_FRAME_MS = 17.0
"""At 60 a second, and what the clock of a browser rounds."""


Table = dict[str, dict[int, Cost]]


def main() -> int:
    """Measure, print the table and the goals; 0 where those that were measured hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewer")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, within a minute")
    quick = parser.parse_args().quick
    goals = Goals()
    found = scenes(COUNTS)
    table = _measure(found, quick=quick, goals=goals)
    _show(table)
    _judge(table, goals)
    seen = _watch(found, 40 if quick else 120, goals)
    _measure_grids(2 if quick else 5, goals)
    goals.show()
    print(_short(table, seen, goals))
    return 0 if goals.held else 1


def _measure(found: Sequence[Scene], *, quick: bool, goals: Goals) -> Table:
    table: Table = {}
    for name, way in WAYS.items():
        if name == SUPERVISION and importlib.util.find_spec("supervision") is None:
            table[name] = _measure_elsewhere(name, quick=quick, goals=goals)
            continue
        way(found[0])
        costs = table.setdefault(name, {})
        for count, scene in zip(COUNTS, found, strict=True):
            last = costs.get(COUNTS[-2])
            if name != OURS and last and (quick or last.ms > PATIENCE_MS):
                goals.left_out.append(f"{name} with {count:,} shapes, which takes long")
                continue
            rounds = ROUNDS if name == OURS else 1 if quick else 3
            costs[count] = cost(way, scene, rounds)
    return table


def _measure_elsewhere(name: str, *, quick: bool, goals: Goals) -> dict[int, Cost]:
    """Of a way that is not installed here."""
    counts = COUNTS[:-1] if quick else COUNTS
    found = costs_of_peer(name, counts, 1 if quick else 3)
    if found is None:
        goals.left_out.append(f"{name}, which is not installed (make bench-peers)")
        return {}
    return dict(zip(counts, found, strict=True))


def _judge(table: Table, goals: Goals) -> None:
    ours, theirs = table[OURS], table[MATPLOTLIB]
    goals.at_most(
        "V1",
        "CPU time of a 1080p image with 1,000 shapes",
        ours[1000].ms,
        50.0,
        " ms",
        beside=f"matplotlib {theirs[1000].ms:,.0f} ms (x {theirs[1000].ms / ours[1000].ms:.0f})",
    )
    share = ours[1000].size / theirs[1000].size
    goals.at_most(
        "V2",
        "its bytes",
        ours[1000].size / 1e3,
        390.0,
        " kB",
        beside=f"matplotlib {theirs[1000].size / 1e3:,.0f} kB (x {1 / share:.0f})",
    )
    goals.at_least("V3", "times as fast as matplotlib", theirs[1000].ms / ours[1000].ms, 60.0)
    goals.at_most("V4", "share of matplotlib's bytes", share, 0.1)
    a_box = (ours[10_000].size - ours[1000].size) / 9000
    goals.at_most("V5", "a box", a_box, 16.0, " bytes")
    script = resources.files("picsellia_jupyter.display").joinpath("viewer.min.js").read_text()
    goals.at_most(
        "V6",
        "script of a picture, minified",
        len(script.encode()) / 1e3,
        10.0,
        " kB",
        beside=f"{len(packed(script)) / 1e3:.1f} kB packed, as it is in outputs",
    )


def _measure_grids(rounds: int, goals: Goals) -> None:
    costs = grids.measure(scenes((20,))[0], rounds)
    for name, one in costs.items():
        print(
            f"{grids.IMAGES} images, {name:<12}{one.seconds:>7.2f} s "
            f"({one.cpu_s:.2f} s of processors) {one.size / 1e6:>6.2f} MB"
        )
    goals.at_most("V10", f"grid of {grids.IMAGES} images", costs["grid"].seconds, 1.0, " s")
    goals.at_most("V11", "its bytes", costs["grid"].size / 1e6, 2.0, " MB")


def _watch(found: Sequence[Scene], moves: int, goals: Goals) -> dict[int, Frames]:
    with frames.chromium() as browser:
        if browser is None:
            goals.left_out.append("frames, for want of Chromium")
            return {}
        pages = {count: viewer_page(scene) for count, scene in zip(COUNTS, found, strict=True)}
        seen = {count: frames.watch(browser, page, moves) for count, page in pages.items()}
    goals.at_most("V7", "slider, a frame at 1,000", seen[1000].slider_ms, ONE_FRAME_MS, " ms")
    goals.at_most("V8", "slider, a frame at 10,000", seen[10_000].slider_ms, 50.0, " ms")
    goals.at_most("V12", "pointer at 10,000, a move", seen[10_000].pointer_ms, ONE_FRAME_MS, " ms")
    goals.at_most("V9", "network requests", float(sum(one.requests for one in seen.values())), 0)
    for count, one in seen.items():
        print(
            f"{count:>6} shapes in Chromium: {one.slider_ms:.1f} ms a frame as the slider moves, "
            f"{one.pointer_ms:.3f} ms a move of the pointer"
        )
    return seen


def _show(table: Table) -> None:
    print(f"{'1920 x 1080':<14}" + "".join(f"{count:>22,} shapes" for count in COUNTS))
    for name, costs in table.items():
        cells = (f"{cost.ms:>14,.1f} ms {cost.size / 1e3:>8,.0f} kB" for cost in costs.values())
        print(f"{name:<14}" + "  ".join(cells))


def _short(table: Table, seen: dict[int, Frames], goals: Goals) -> str:
    """The last line."""
    ours, theirs = table[OURS][1000], table[MATPLOTLIB][1000]
    missed = [goal.what for goal in goals.measured if not goal.held]
    verdict = f"missed: {'; '.join(missed)}" if missed else "all goals held"
    frame = f", {seen[1000].slider_ms:.1f} ms a frame" if seen else ""
    return (
        f"viewer: {ours.ms:.0f} ms and {ours.size / 1e3:.0f} kB at 1,000 shapes "
        f"(matplotlib {theirs.ms:.0f} ms, {theirs.size / 1e3:.0f} kB){frame}; {verdict}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
