"""Drift tests against scipy, and simulated windows, healthy and shifted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from picsellia_jupyter.domain.drift import Sample, Verdict
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.workflows.drift import drift, ks_distance, mmd, total_variation

observed = st.lists(st.floats(-5, 5, width=16), min_size=2, max_size=60).map(np.array)


@settings(deadline=None)
@given(observed, observed)
def test_the_distance_of_two_samples_is_scipys(one, other):
    expected = stats.ks_2samp(one, other, method="asymp").statistic
    assert ks_distance(Sample.of(one), Sample.of(other)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(200, 200), (1000, 230), (5000, 20_000)])
def test_p_and_its_adjustment_are_scipys(n, m):
    random = np.random.default_rng(1)
    names = [f"signal {k}" for k in range(8)]
    one = {name: random.normal(size=n) for name in names}
    other = {name: random.normal(0.05 * k, size=m) for k, name in enumerate(names)}
    got = drift(
        {k: Sample.of(v) for k, v in one.items()}, {k: Sample.of(v) for k, v in other.items()}
    )
    expected = [stats.ks_2samp(one[k], other[k], method="asymp").pvalue for k in names]
    assert [signal.p for signal in got.signals] == pytest.approx(expected, abs=1e-12)
    adjusted = stats.false_discovery_control(expected)
    assert [signal.q for signal in got.signals] == pytest.approx(adjusted, abs=1e-12)


def test_labels_are_tested_by_scipys_chi2_with_rare_ones_together():
    one, other = {"a": 300, "b": 200, "c": 1, "d": 2}, {"a": 250, "b": 250, "e": 3}
    [got] = drift({}, {}, label_counts=(one, other)).signals
    expected = stats.chi2_contingency([[300, 200, 3], [250, 250, 3]], correction=False)
    assert got.p == pytest.approx(expected.pvalue)
    assert got.effect == pytest.approx(np.sqrt(expected.statistic / 1006))
    assert (got.signal, got.test, got.verdict) == ("label", "chi2", Verdict.DRIFT)


def test_too_few_images_are_said_and_not_guessed():
    reference = Sample.of(np.zeros(1000))
    got = drift(
        {"x": reference, "y": reference},
        {"x": Sample.of(np.ones(199)), "y": Sample.of(np.array([]))},
    )
    assert [one.verdict for one in got.signals] == [Verdict.TOO_FEW] * 2
    assert [(one.effect, one.p) for one in got.signals] == [(1.0, None), (None, None)]
    assert got.verdict is Verdict.TOO_FEW
    assert drift({}, {}).verdict is Verdict.TOO_FEW


def test_a_shift_that_is_significant_and_negligible_is_no_drift():
    random = np.random.default_rng(2)
    reference, current = random.normal(size=100_000), random.normal(0.05, size=100_000)
    [got] = drift({"x": Sample.of(reference)}, {"x": Sample.of(current)}).signals
    assert got.q < 1e-6
    assert got.effect < 0.1
    assert got.verdict is Verdict.STEADY


def image_means(random, images, *, shift=0.0, spread=0.7):
    """(images,) mean scores of four boxes each; the boxes of an image are alike."""
    logits = random.normal(shift, spread, images)[:, None] + random.normal(0, 1, (images, 4))
    return (1 / (1 + np.exp(-logits))).mean(axis=1)


def test_healthy_windows_of_32_signals_alarm_in_at_most_seven_of_a_hundred():
    random = np.random.default_rng(3)
    alarms, windows = 0, 120
    for _ in range(windows):
        both = random.normal(size=(2, 32, 200))
        one, other = ({f"{k}": Sample.of(row) for k, row in enumerate(side)} for side in both)
        alarms += drift(one, other).verdict is Verdict.DRIFT
    print(f"healthy windows of 32 signals: {alarms / windows:.1%} alarm")
    assert alarms / windows <= 0.07


def test_healthy_windows_of_alike_boxes_alarm_as_rarely():
    random = np.random.default_rng(4)
    alarms, windows = 0, 600
    for _ in range(windows):
        sides = [{"score": Sample.of(image_means(random, 200))} for _ in range(2)]
        alarms += drift(*sides).verdict is Verdict.DRIFT
    print(f"healthy windows of alike boxes: {alarms / windows:.1%} alarm")
    assert alarms / windows <= 0.07


def test_a_logit_shift_of_three_tenths_is_seen_in_nine_of_ten_windows():
    # The scatter of the report that the goal comes from: boxes alike by 0.3, four an image.
    random = np.random.default_rng(5)
    seen, windows = 0, 200
    for _ in range(windows):
        one = {"score": Sample.of(image_means(random, 200, spread=0.3))}
        other = {"score": Sample.of(image_means(random, 200, spread=0.3, shift=0.3))}
        seen += drift(one, other).verdict is Verdict.DRIFT
    print(f"a logit shift of 0.3, 200 v 200 images: seen in {seen / windows:.1%}")
    assert seen / windows >= 0.9


def test_total_variation_by_hand():
    assert total_variation({"a": 1, "b": 1}, {"b": 5, "c": 5}) == 0.5
    assert total_variation({"a": 3}, {"a": 7}) == 0
    assert total_variation({"a": 3}, {}) is None


def test_mmd_sees_a_shift_of_embeddings_and_none_where_there_is_none():
    random = np.random.default_rng(6)
    reference = random.normal(size=(150, 32))
    distance, p = mmd(reference, random.normal(0.3, size=(150, 32)))
    assert distance > 0
    assert p == pytest.approx(1 / 201)
    healthy = [mmd(*random.normal(size=(2, 60, 16)), permutations=99, seed=k)[1] for k in range(40)]
    assert np.mean(np.array(healthy) <= 0.05) <= 0.12
    same, p_same = mmd(reference, reference)
    assert (same, p_same) == (pytest.approx(0, abs=1e-9), 1.0)


def test_mmd_is_the_sum_over_all_pairs():
    random = np.random.default_rng(7)
    one, other = random.normal(size=(5, 3)), random.normal(1, size=(4, 3))
    pooled = np.concatenate([one, other])
    squares = ((pooled[:, None] - pooled[None]) ** 2).sum(-1)
    kernel = np.exp(-squares / np.median(squares[np.triu_indices(9, 1)]))
    by_hand = kernel[:5, :5].mean() + kernel[5:, 5:].mean() - 2 * kernel[:5, 5:].mean()
    assert mmd(one, other)[0] == pytest.approx(by_hand)


def test_what_cannot_be_tested_is_refused_with_a_remedy():
    with pytest.raises(InvalidInputError, match=r"alpha is 5, not between 0 and 1"):
        drift({}, {}, alpha=5)
    with pytest.raises(InvalidInputError, match=r"shapes \(4, 2\) and \(4, 3\)"):
        mmd(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(InvalidInputError, match="There are 1 and 4 embeddings"):
        mmd(np.zeros((1, 2)), np.zeros((4, 2)))
    with pytest.raises(InvalidInputError, match="NaN or infinity"):
        Sample.of(np.array([np.nan]))
    with pytest.raises(InvalidInputError, match="values but"):
        Sample(np.zeros(2), np.zeros(3, np.int64))
