import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.workflows.metrics import parse_range, summarize

NAMES = {0: "zero", 1: "one", 2: "two"}


def log_of(rows) -> PredictionLog:
    """A log from `(at, latency_s, [(class, score), …])` of each prediction."""
    shapes = [(owner, *shape) for owner, row in enumerate(rows) for shape in row[2]]
    return PredictionLog(
        at=np.array([row[0] for row in rows], float),
        latency_s=np.array([row[1] for row in rows], float),
        shape_of=np.array([shape[0] for shape in shapes], np.int64),
        classes=np.array([shape[1] for shape in shapes], np.int64),
        scores=np.array([shape[2] for shape in shapes], float),
    )


def dashboard(log, *, threshold=0.3, since=0.0, until=100.0, bins=10):
    return summarize(
        log,
        deployment="d",
        labels=NAMES,
        threshold=threshold,
        since=since,
        until=until,
        bins=bins,
    )


score = st.floats(0, 1, width=32)
rows = st.lists(
    st.tuples(st.floats(-20, 120), st.floats(0, 5), st.lists(st.tuples(st.integers(0, 4), score))),
    max_size=30,
).map(sorted)


@settings(deadline=None)
@given(rows, score)
def test_a_dashboard_agrees_with_counting_by_hand(rows, threshold):
    got = dashboard(log_of(rows), threshold=threshold)
    within = [row for row in rows if 0 <= row[0] <= 100]
    shapes = [shape for row in within for shape in row[2]]
    kept = [shape for shape in shapes if np.float32(shape[1]) > np.float32(threshold)]

    assert got.inferences == len(within)
    assert got.predictions_over_time.counts.sum() == len(within)
    assert got.score_histogram.counts.sum() == len(shapes)
    assert got.shapes == len(kept)
    assert sum(got.label_counts.values()) == len(kept)
    for index in range(5):
        name = NAMES.get(index, f"class {index}")
        assert got.label_counts.get(name, 0) == sum(shape[0] == index for shape in kept)
    assert list(got.label_counts.values()) == sorted(got.label_counts.values(), reverse=True)


@settings(deadline=None)
@given(rows)
def test_each_bin_holds_the_predictions_of_its_time_and_their_latency(rows):
    got = dashboard(log_of(rows))
    edges = got.predictions_over_time.edges
    filled = 0
    for row in range(10):
        last = row == 9
        latencies = [
            latency
            for at, latency, _ in rows
            if edges[row] <= at < edges[row + 1] or (last and at == edges[10])
        ]
        assert got.predictions_over_time.counts[row] == len(latencies)
        if latencies:
            assert edges[row] < got.latency_at[filled] < edges[row + 1]
            assert got.latency_p50_s[filled] == pytest.approx(np.percentile(latencies, 50))
            assert got.latency_p95_s[filled] == pytest.approx(np.percentile(latencies, 95))
            filled += 1
    assert len(got.latency_at) == len(got.latency_p50_s) == len(got.latency_p95_s) == filled


def test_latency_over_the_whole_range():
    log = log_of([(at, at / 100, []) for at in range(101)])
    got = dashboard(log)
    assert got.mean_latency_s == pytest.approx(0.5)
    assert got.p50_s == pytest.approx(0.5)
    assert got.p95_s == pytest.approx(0.95)


def test_a_score_equal_to_the_threshold_is_not_considered():
    log = log_of([(1, 0.1, [(0, 0.3), (1, 0.31)])])
    assert dashboard(log, threshold=0.3).label_counts == {"one": 1}


def test_a_float32_score_equal_to_the_threshold_is_not_considered_either():
    stored = float(np.float32(0.3))
    assert stored > 0.3
    assert dashboard(log_of([(1, 0.1, [(0, stored)])]), threshold=0.3).shapes == 0


def test_without_a_threshold_everything_is_considered():
    log = log_of([(1, 0.1, [(0, 0.0), (2, 0.01)])])
    assert dashboard(log, threshold=None).label_counts == {"zero": 1, "two": 1}


def test_scores_fall_into_twenty_bars_from_zero_to_one():
    got = dashboard(log_of([(1, 0.1, [(0, 0.0), (0, 0.049), (0, 0.05), (0, 1.0)])]))
    assert got.score_histogram.edges == pytest.approx(np.linspace(0, 1, 21))
    assert got.score_histogram.counts.tolist() == [2, 1, *[0] * 17, 1]


def test_an_empty_log_has_no_latency_and_empty_counts():
    got = dashboard(log_of([]))
    assert (got.inferences, got.shapes) == (0, 0)
    assert (got.mean_latency_s, got.p50_s, got.p95_s) == (None, None, None)
    assert got.predictions_over_time.counts.tolist() == [0] * 10
    assert got.score_histogram.counts.tolist() == [0] * 20
    assert got.label_counts == {}
    assert len(got.latency_at) == 0


def test_two_classes_of_one_name_are_counted_together():
    log = log_of([(1, 0.1, [(0, 0.9), (1, 0.9)])])
    same = {0: "digit", 1: "digit"}
    got = summarize(log, deployment="d", labels=same, threshold=0.3, since=0, until=2)
    assert got.label_counts == {"digit": 2}


def test_without_a_beginning_the_range_begins_with_the_first_prediction():
    got = dashboard(log_of([(7, 0.1, []), (9, 0.1, [])]), since=None)
    assert (got.since, got.until, got.inferences) == (7, 100, 2)


@pytest.mark.parametrize("rows", [[], [(100, 0.1, [])]])
def test_a_range_of_no_length_is_a_minute_wide(rows):
    got = dashboard(log_of(rows), since=None)
    assert (got.since, got.until, got.inferences) == (40, 100, len(rows))


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(InvalidInputError, match="ends 50 s before it begins"):
        dashboard(log_of([]), since=150)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("24h", 86_400),
        ("30m", 1_800),
        ("30min", 1_800),
        ("7d", 604_800),
        ("1h", 3_600),
        ("1.5 h", 5_400),
        (" 2W ", 1_209_600),
        ("90s", 90),
        ("all", None),
    ],
)
def test_ranges_as_they_are_typed(typed, seconds):
    assert parse_range(typed) == seconds


@pytest.mark.parametrize(
    "typed", ["", "24", "h", "-1h", "0d", "yesterday", "1h30m", "1e9h", "9999999999d", "٣h"]
)
def test_other_ranges_are_refused_and_the_forms_shown(typed):
    with pytest.raises(InvalidInputError, match=r"30m, 24h or 7d; or all") as refusal:
        parse_range(typed)
    assert repr(typed) in str(refusal.value)
