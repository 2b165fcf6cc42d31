"""The forecast of a yearly share: by hand, its edges, and how often its interval holds what comes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from khaosat.stats.year_end import year_end_share


def test_by_hand():
    """Moments by hand, the beta quantiles by scipy, ends widened to whole counts."""
    counts, totals, left = np.array([90, 180, 160]), np.array([100, 200, 200]), 300
    p = (counts.sum() + 0.5) / (totals.sum() + 1)
    mean = counts.sum() / totals.sum()
    spread = sum(n * (k / n - mean) ** 2 for k, n in zip(counts, totals, strict=True))
    between = (spread - 2 * p * (1 - p)) / (500 - (100**2 + 2 * 200**2) / 500)
    variance = p * (1 - p) / left + between + p * (1 - p) / 500 + between * (100**2 + 2 * 200**2) / 500**2
    variance *= (stats.t.ppf(0.975, 2) / stats.norm.ppf(0.975)) ** 2
    scale = p * (1 - p) / variance - 1
    low, high = stats.beta.ppf([0.025, 0.975], p * scale, (1 - p) * scale)
    found = year_end_share(340, 400, past_counts=counts, past_totals=totals, remaining=[left])
    expected = [(340 + 300 * 0.86) / 700, (340 + math.floor(300 * low)) / 700, (340 + math.ceil(300 * high)) / 700]
    assert found == pytest.approx(expected, abs=1e-12)


def test_nothing_remains_nothing_to_forecast():
    assert year_end_share(9, 10, past_counts=[9], past_totals=[10], remaining=[]) == (0.9, 0.9, 0.9)
    assert all(map(math.isnan, year_end_share(0, 0, past_counts=[], past_totals=[], remaining=[5])))


def test_fewer_than_three_periods_have_no_interval():
    estimate, low, high = year_end_share(9, 10, past_counts=[9, 8, 0], past_totals=[10, 10, 0], remaining=[10])
    assert estimate == pytest.approx(0.875)
    assert math.isnan(low)
    assert math.isnan(high)


quarters = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=3, max_size=8)


@given(quarters, st.lists(st.integers(1, 2000), min_size=1, max_size=3))
def test_the_interval_holds_the_estimate_within_what_is_possible(past, remaining):
    counts, totals = [k for k, _ in past], [k + more for k, more in past]
    count, total = counts[-1], totals[-1]
    estimate, low, high = year_end_share(count, total, past_counts=counts, past_totals=totals, remaining=remaining)
    if sum(totals) == 0:
        assert math.isnan(estimate)
    elif sum(n > 0 for n in totals) < 3:
        assert math.isnan(low)
    else:
        left = sum(remaining)
        assert count / (total + left) - 1e-12 <= low <= estimate + 1e-12
        assert estimate - 1e-12 <= high <= (count + left) / (total + left) + 1e-12


def test_more_periods_narrow_the_interval():
    few, many = (year_end_share(95, 100, past_counts=[95, 90, 97] * n, past_totals=[100] * 3 * n, remaining=[100])
                 for n in (1, 5))  # fmt: skip
    assert many[2] - many[1] < few[2] - few[1]


@pytest.mark.parametrize(("mean", "spread", "size"), [(0.97, 0.01, 1000), (0.97, 0.0, 1000), (0.995, 0.0, 100)])
def test_about_95_of_100_years_end_in_the_interval(mean, spread, size):
    rng = np.random.default_rng(2026)
    shares = np.clip(rng.normal(mean, spread, (400, 5)), 0, 1)
    counts = rng.binomial(size, shares)
    held = 0
    for year in counts:
        _, low, high = year_end_share(int(year[1:4].sum()), 3 * size, past_counts=year[:4], past_totals=[size] * 4,
                                      remaining=[size])  # fmt: skip
        held += low <= year[1:].sum() / (4 * size) <= high
    assert held >= 0.93 * 400
