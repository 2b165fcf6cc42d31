"""Standardised ratios, shrinkage and funnel limits against R; identities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.funnel import binomial_limits, excess_spread, inflation
from khaosat.stats.standardised import byar_limits, exact_limits, gamma_poisson, ratio_change


@pytest.fixture(scope="module")
def r():
    return pd.read_csv(Path(__file__).parent.parent / "reference" / "units.csv")


@pytest.mark.parametrize(("limits", "name"), [(exact_limits, "exact"), (byar_limits, "byar")])
def test_limits_of_counts_are_those_of_r(r, limits, name):
    low, high = limits(r["observed"])
    np.testing.assert_allclose(low, r[f"{name}_low"], atol=1e-9)
    np.testing.assert_allclose(high, r[f"{name}_high"], atol=1e-9)


@pytest.mark.parametrize(("level", "name"), [(0.95, "limit"), (0.998, "far")])
def test_funnel_limits_are_interpolated_binomial_quantiles(r, level, name):
    low, high = binomial_limits(0.05, r["n"], level=level)
    np.testing.assert_allclose(low, r[f"{name}_low"], atol=1e-9)
    np.testing.assert_allclose(high, r[f"{name}_high"], atol=1e-9)


def test_the_change_of_a_ratio_is_that_of_poisson_test(r):
    o, e = r["observed"].to_numpy(), r["expected"].to_numpy()
    found = ratio_change(o, e, other_observed=o[::-1], other_expected=e[::-1])
    for values, name in zip(found, ("change", "change_low", "change_high"), strict=True):
        np.testing.assert_allclose(values, r[name], rtol=1e-9)


def test_shrinkage_is_the_negative_binomial_of_glm_nb(r):
    found = gamma_poisson(r["observed"].to_numpy(float), r["expected"].to_numpy())
    assert found.shape == pytest.approx(r["theta"][0], abs=1e-5)
    assert found.mean == pytest.approx(r["mu"][0], abs=1e-7)
    for values, name in zip(
        (found.pooled, found.low, found.high), ("pooled", "pooled_low", "pooled_high"), strict=True
    ):
        np.testing.assert_allclose(values, r[name], atol=1e-6)


def test_spread_between_units_is_spiegelhalters(r):
    z = (r["observed"] - r["expected"]) / np.sqrt(r["expected"])
    found = excess_spread(z, 1 / r["expected"])
    assert found.phi == pytest.approx(r["phi"][0], abs=1e-12)
    assert found.tau2 == pytest.approx(r["tau2"][0], abs=1e-12)
    assert inflation(found, 1 / r["expected"], how="multiplicative").tolist() == [np.sqrt(found.phi)] * len(r)
    assert (inflation(found, 1 / r["expected"], how="none") == 1).all()


def test_units_that_do_not_differ_are_all_pooled_into_one():
    expected = np.array([5.0, 10.0, 20.0, 40.0])
    found = gamma_poisson(expected.copy(), expected)
    assert np.isinf(found.shape)
    np.testing.assert_allclose(found.pooled, 1.0)
    assert (found.low < 1).all() and (found.high > 1).all()  # noqa: PT018
    assert gamma_poisson(expected[:2], expected[:2]) is None
    assert gamma_poisson(0 * expected, expected) is None


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0.5, 60)), min_size=3, max_size=12))
def test_pooled_ratios_lie_between_a_units_own_and_the_common_one(rows):
    observed, expected = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = gamma_poisson(observed, expected)
    if found is not None and np.isfinite(found.shape):
        own = observed / expected
        low, high = np.minimum(own, found.mean), np.maximum(own, found.mean)
        assert ((found.pooled >= low - 1e-9) & (found.pooled <= high + 1e-9)).all()


@given(st.floats(0.01, 0.6), st.floats(1, 500))
def test_limits_lie_around_the_target_and_wider_ones_outside(target, size):
    low, high = binomial_limits(target, [size])
    far_low, far_high = binomial_limits(target, [size], level=0.998)
    assert 0 <= far_low[0] <= low[0] + 1e-12
    assert low[0] <= target + 1 / size
    assert high[0] - 1e-12 <= far_high[0] <= 1
    assert binomial_limits(0.0, [size])[1][0] == 0


def test_nothing_before_or_nothing_at_all_is_no_change():
    ratio, low, high = ratio_change(
        [3, 0, 0], [2.0, 2.0, 0.0], other_observed=[0, 0, 1], other_expected=[2.0, 2.0, 1.0]
    )
    assert np.isinf(ratio[0])
    assert low[0] > 0
    assert np.isinf(high[0])
    assert np.isnan(ratio[1:]).all()
