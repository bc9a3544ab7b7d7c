"""Rollups against counting by hand, numpy's quantiles and scipy's KS."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.domain.rollups import Observed, Rollup, Tally
from picsellia_jupyter.workflows.dashboards import bin_edges, dashboard_of
from picsellia_jupyter.workflows.drift import ks_distance
from picsellia_jupyter.workflows.heatmaps import CELLS, heatmap
from picsellia_jupyter.workflows.metrics import summarize
from picsellia_jupyter.workflows.rollups import (
    NO_LABEL,
    Signal,
    add_all_up,
    add_up,
    images_by_label,
    labels_over,
    quantiles,
    samples,
    score_counts,
)

NAMES = {0: "zero", 1: "one", 2: "two"}


def observed(rows) -> Observed:
    """From `(at, latency_s, (width, height), [(class, score), …])` of each prediction."""
    shapes = [(owner, *shape) for owner, row in enumerate(rows) for shape in row[3]]
    log = PredictionLog(
        at=np.array([row[0] for row in rows], float),
        latency_s=np.array([row[1] for row in rows], float),
        shape_of=np.array([shape[0] for shape in shapes], np.int64),
        classes=np.array([shape[1] for shape in shapes], np.int64),
        scores=np.array([shape[2] for shape in shapes], float),
    )
    return Observed(log, np.array([row[2] for row in rows], np.int64).reshape(-1, 2))


def latencies(values) -> Rollup:
    return add_all_up(observed([(0.0, value, (10, 10), []) for value in values]))


def same(one: Rollup, other: Rollup) -> bool:
    plain = ("predictions", "shapes", "latency_us", "first_at", "last_at")
    return (
        all(getattr(one, name) == getattr(other, name) for name in plain)
        and one.tally.keys.tolist() == other.tally.keys.tolist()
        and one.tally.counts.tolist() == other.tally.counts.tolist()
    )


shape = st.tuples(st.integers(0, 3), st.floats(0, 1, width=32))
row = st.tuples(
    st.floats(0, 1e6), st.floats(0, 50), st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    st.lists(shape, max_size=4),
)  # fmt: skip
rows = st.lists(row, max_size=25)


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False), st.integers(1, 5))
def test_rollups_are_the_same_in_whatever_order_and_parts_predictions_come(given, random, parts):
    whole = add_all_up(observed(given))
    shuffled = random.sample(given, len(given))
    pieces = [add_all_up(observed(shuffled[start::parts])) for start in range(parts)]
    assert same(Rollup.sum(random.sample(pieces, parts)), whole)


@settings(deadline=None)
@given(rows, st.sampled_from([None, 0.0, 0.25, 0.3, 0.7, 0.995, 1.0]))
def test_counts_over_a_threshold_of_the_grid_are_those_of_counting_by_hand(given, threshold):
    whole = add_all_up(observed(given))
    found = [(index, score) for *_, shapes in given for index, score in shapes]
    over = over_threshold(np.array([score for _, score in found]), threshold)
    expected = {}
    for (index, _), is_over in zip(found, over, strict=True):
        if is_over:
            name = NAMES.get(index, f"class {index}")
            expected[name] = expected.get(name, 0) + 1
    assert labels_over(whole, NAMES, threshold) == expected
    best = [max(shapes, key=lambda one: one[1]) if shapes else None for *_, shapes in given]
    images = {}
    for one in best:
        hit = one is not None and over_threshold(np.array([one[1]]), threshold)[0]
        name = NAMES.get(one[0], f"class {one[0]}") if hit else NO_LABEL
        images[name] = images.get(name, 0) + 1
    got = {name: n for name, n in images_by_label(whole, NAMES, threshold).items() if n}
    assert got == images
    assert (whole.predictions, whole.shapes) == (len(given), len(found))


def test_between_steps_of_the_grid_scores_lie_evenly():
    whole = add_all_up(
        observed([(0, 0, (1, 1), [(0, score)]) for score in np.linspace(0.3001, 0.305, 100)])
    )
    assert labels_over(whole, NAMES, 0.30125) == {"zero": 75}


DISTRIBUTIONS = {
    "log-normal, narrow": lambda random, n: random.lognormal(-3.5, 0.05, n),
    "log-normal": lambda random, n: random.lognormal(-3.5, 0.3, n),
    "log-normal, wide": lambda random, n: random.lognormal(-3.5, 1.5, n),
    "gamma": lambda random, n: random.gamma(2.0, 0.02, n),
    "two peaks": lambda random, n: np.where(
        random.random(n) < 0.9, random.normal(0.012, 0.0005, n), random.normal(0.4, 0.05, n)
    ),
    "uniform": lambda random, n: random.uniform(0.005, 0.02, n),
    "exponential": lambda random, n: random.exponential(0.03, n),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_are_within_one_percent_of_rank(name):
    random = np.random.default_rng(11)
    values = np.abs(DISTRIBUTIONS[name](random, 20_000))
    shares = (0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
    got = quantiles(latencies(values), Signal.LATENCY, shares)
    ranks = np.searchsorted(np.sort(values), got) / len(values)
    assert np.abs(ranks - shares).max() <= 0.01
    print(f"{name}: rank error {np.abs(ranks - shares).max():.5f}")


def test_scores_near_one_have_ranks_too():
    random = np.random.default_rng(12)
    scores = 1 / (1 + np.exp(-random.normal(5, 2, 5000)))
    whole = add_all_up(observed([(0, 0, (1, 1), [(0, score)]) for score in scores]))
    shares = (0.05, 0.5, 0.95)
    got = quantiles(whole, Signal.TOP_SCORE, shares)
    ranks = np.searchsorted(np.sort(scores), got) / len(scores)
    assert np.abs(ranks - shares).max() <= 0.01


def test_where_values_are_alike_a_quantile_is_within_half_a_percent_of_them():
    whole = latencies([0.0125] * 50 + [0.0] * 50)
    assert quantiles(whole, Signal.LATENCY, (0.25,)) == [0.0]
    [high] = quantiles(whole, Signal.LATENCY, (0.75,))
    assert high == pytest.approx(0.0125, rel=0.005)
    assert quantiles(Rollup(), Signal.LATENCY, (0.5,)) is None


def test_the_ks_of_rollups_is_scipys_of_the_values_they_are_made_of():
    random = np.random.default_rng(13)
    one, other = random.lognormal(0, 0.3, 3000), random.lognormal(0.1, 0.3, 2000)
    sides = []
    for values in (one, other):
        whole = add_all_up(
            observed([(0, 0, (1, 1), [(0, min(value / 5, 1.0))]) for value in values])
        )
        sides.append(samples(whole)["best score"])
    clipped = (np.minimum(side / 5, 1) for side in (one, other))
    expected = stats.ks_2samp(*clipped, method="asymp").statistic
    assert ks_distance(*sides) == pytest.approx(expected, abs=0.005)
    assert (len(sides[0]), len(sides[1])) == (3000, 2000)


def test_images_without_a_shape_have_signals_too():
    whole = add_all_up(observed([(0, 0, (20, 10), []), (0, 0, (20, 10), [(1, 0.9), (0, 0.5)])]))
    found = samples(whole)
    assert {name: len(one) for name, one in found.items()} == dict.fromkeys(found, 2)
    assert found["shapes per image"].values.tolist() == [0, 2]
    assert quantiles(whole, Signal.RATIO, (0.5,)) == [pytest.approx(2, rel=0.005)]
    assert quantiles(whole, Signal.EXPECTED, (1.0,)) == [pytest.approx(1.4, rel=0.005)]


def test_a_score_is_one_value_an_image_however_many_shapes_it_has():
    crowded = add_all_up(observed([(0, 0, (20, 10), [(0, 0.9)] * 7)]))
    assert {name: len(one) for name, one in samples(crowded).items()} == dict.fromkeys(
        samples(crowded), 1
    )


def test_groups_are_added_up_apart():
    given = observed([(at, at, (1, 1), [(0, 0.5)] * at) for at in range(4)])
    first, empty, last = add_up(given, np.array([0, 2, 0, 2]), 3)
    assert (first.predictions, first.shapes, first.latency_us) == (2, 2, 2_000_000)
    assert (last.first_at, last.last_at) == (1, 3)
    assert same(empty, Rollup())


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 86_400), st.floats(0.001, 5), st.lists(shape, max_size=3)),
        min_size=1,
        max_size=30,
    )
)
def test_a_dashboard_of_rollups_is_that_of_the_predictions(given):
    one = observed(
        [
            (at, latency, (4, 3), shapes)
            for at, latency, shapes in sorted(given, key=lambda row: row[0])
        ]
    )
    edges = bin_edges(0.0, 86_400.0)
    bins = np.clip(np.searchsorted(edges, one.log.at, side="right") - 1, 0, len(edges) - 2)
    rollups = add_up(one, bins, len(edges) - 1)
    options = {"deployment": "d", "labels": NAMES, "threshold": 0.3}
    got = dashboard_of(rollups, edges, **options)
    expected = summarize(one.log, since=0.0, until=86_400.0, bins=24, **options)
    assert (got.inferences, got.shapes) == (expected.inferences, expected.shapes)
    assert dict(got.label_counts) == dict(expected.label_counts)
    assert (
        got.predictions_over_time.counts.tolist() == expected.predictions_over_time.counts.tolist()
    )
    assert got.mean_latency_s == pytest.approx(expected.mean_latency_s, abs=1e-6)
    assert got.latency_at == pytest.approx(expected.latency_at)
    assert score_counts(rollups[0], 20).sum() == rollups[0].shapes


@pytest.mark.parametrize(
    ("length_s", "width_s"),
    [(3600, 120), (86_400, 3600), (7 * 86_400, 21_600), (30 * 86_400, 86_400)],
)
def test_bins_are_whole_minutes_hours_and_days_but_at_the_ends(length_s, width_s):
    since = 1_700_000_123.5
    edges = bin_edges(since, since + length_s)
    inner = edges[1:-1]
    assert (edges[0], edges[-1]) == (since, since + length_s)
    assert set(np.diff(inner)) == {width_s}
    assert not (inner % width_s).any()
    assert len(edges) <= 33


def test_a_heatmap_counts_shapes_cell_by_cell():
    random = np.random.default_rng(14)
    corners = random.uniform(-5, 60, (50, 2)), random.uniform(65, 105, (50, 2))
    boxes = np.concatenate(corners, axis=1)
    got = heatmap([boxes[:20], boxes[20:], np.zeros((0, 4))], [(100, 100), (100, 100), (7, 7)])
    by_hand = np.zeros((CELLS, CELLS), int)
    lines = np.arange(CELLS + 1) * 100 / CELLS
    for left, top, right, bottom in np.clip(boxes, 0, 100):
        columns = (lines[:-1] < right) & (lines[1:] > left)
        rows_hit = (lines[:-1] < bottom) & (lines[1:] > top)
        by_hand += np.outer(rows_hit, columns)
    assert (got == by_hand).all()
    point = heatmap([np.array([[50.0, 25, 50, 25]])], [(100, 100)])
    assert np.argwhere(point).tolist() == [[CELLS // 4, CELLS // 2]]


def test_sizes_that_are_not_those_of_the_images_are_refused():
    with pytest.raises(InvalidPredictionError, match="1 predictions but sizes of shape"):
        Observed(observed([(0, 0, (1, 1), [])]).log, np.zeros((2, 2), np.int64))


def test_tallies_are_whole_numbers_beyond_what_floats_can_hold():
    many = Tally(np.array([7]), np.array([2**53]))
    assert Tally.sum([many, Tally(np.array([7]), np.array([1]))]).counts.tolist() == [2**53 + 1]
