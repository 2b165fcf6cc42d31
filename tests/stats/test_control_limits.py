"""Limits of counts: quantiles of known distributions, an honest share within them, and what history is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from khaosat.stats.control_limits import baseline, count_limits


@pytest.mark.parametrize("overdispersion", [0.0, 0.05])
def test_about_as_many_counts_as_promised_lie_within(overdispersion):
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(400):
        exposure = rng.integers(15, 24, size=25)
        rate = rng.gamma(1 / overdispersion, overdispersion, size=25) if overdispersion else np.ones(25)
        counts = rng.poisson(4 * exposure * rate)
        found = baseline(counts, exposure, least=6)
        low, high = count_limits(found.mean, found.variance, level=0.95)
        inside += list(((counts >= low) & (counts <= high))[6:])
    # Discrete limits cover a little more, a dispersion estimated from six counts at first a little less.
    assert 0.92 < np.mean(inside) < 0.98


def test_limits_are_the_quantiles_of_scipy():
    low, high = count_limits([30.0, 30.0], [30.0, 75.0], level=0.9)
    assert (low[0], high[0]) == stats.poisson.interval(0.9, 30)
    assert (low[1], high[1]) == stats.nbinom.interval(0.9, 30**2 / 45, 30 / 75)


def test_moments_by_hand():
    found = baseline([8, 12, 10, 99], [1, 1, 2, 2], least=3)
    rate = 30 / 4
    fitted = np.array([1, 1, 2]) * rate
    excess = (3 / 2 * ((np.array([8, 12, 10]) - fitted) ** 2).sum() - fitted.sum()) / (fitted**2).sum()
    assert excess > 0
    variance = 15 + excess * 15**2 + (2 / 4) ** 2 * (fitted + excess * fitted**2).sum()
    assert found.mean[3] == pytest.approx(15)
    assert found.variance[3] == pytest.approx(variance)


def test_a_count_is_judged_by_those_before_it_only():
    counts, exposure = np.arange(10, 22), np.full(12, 20)
    whole = baseline(counts, exposure)
    changed = baseline(np.where(np.arange(12) > 8, 999, counts), exposure)
    np.testing.assert_array_equal(whole.mean[:10], changed.mean[:10])
    assert not np.isfinite(whole.mean[:6]).any()
    assert list(baseline(counts, exposure, most=7).history) == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]


def test_the_season_counts_once_it_has_been_seen_twice():
    season = np.tile(np.arange(4), 4)
    counts = np.tile([10, 20, 30, 400], 4)
    found = baseline(counts, np.ones(16), season=season, least=4)
    assert found.seasonal.tolist() == [False] * 8 + [True] * 8
    np.testing.assert_allclose(found.mean[8:], counts[8:])


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 23)), max_size=30),
    st.integers(1, 5),
    st.sampled_from([0.5, 0.99]),
)
def test_whatever_comes_limits_are_ordered_or_missing(pairs, scale, level):
    counts, exposure = (np.array([pair[i] for pair in pairs], dtype=float) for i in range(2))
    found = baseline(counts, exposure, least=3)
    low, high = count_limits(found.mean, found.variance, level=level)
    known = np.isfinite(found.mean)
    assert (low[known] <= high[known]).all()
    assert (low[known] >= 0).all()
    assert np.isnan(low[~known]).all()
    scaled = baseline(counts, exposure * scale, least=3)
    np.testing.assert_allclose(scaled.mean, found.mean)
    np.testing.assert_allclose(scaled.variance, found.variance)
