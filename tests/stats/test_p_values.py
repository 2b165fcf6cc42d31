"""P-values and their adjustment: equal to scipy and statsmodels; the saddlepoint to a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from khaosat.stats.p_values import chi2_p_value, chi2_sum_p_value, f_p_value, holm, t_p_value


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], atol=1e-12)


def test_missing_p_values_do_not_count_as_tests() -> None:
    np.testing.assert_array_equal(holm([np.nan, 0.02, np.nan, 0.04]), [np.nan, 0.04, np.nan, 0.04])
    assert len(holm([])) == 0


def test_tails_are_scipys_and_need_degrees_of_freedom() -> None:
    assert f_p_value(3.1, 2.4, 30.5) == pytest.approx(stats.f.sf(3.1, 2.4, 30.5))
    assert chi2_p_value(4.2, 3) == pytest.approx(stats.chi2.sf(4.2, 3))
    np.testing.assert_allclose(t_p_value([-2.1, 0.3], 7), 2 * stats.t.sf([2.1, 0.3], 7))
    assert np.isnan([f_p_value(1, 1, 0), f_p_value(np.nan, 1, 9), chi2_p_value(1, 0), t_p_value(1.0, 0)]).all()


@pytest.mark.parametrize("q", [0.7, 2.0, 3.4999, 3.5, 3.5001, 6.0, 15.0])
def test_the_saddlepoint_comes_near_the_simulated_tail(q: float) -> None:
    rng, scales, df2 = np.random.default_rng(8), np.array([2.0, 1.0, 0.5]), 30
    drawn = (scales * rng.chisquare(1, (400_000, 3))).sum(axis=1) / (rng.chisquare(df2, 400_000) / df2)
    assert chi2_sum_p_value(q, scales, df2=df2) == pytest.approx((drawn > q).mean(), rel=0.05)


def test_the_saddlepoint_has_no_answer_without_scales() -> None:
    assert np.isnan([chi2_sum_p_value(1, [], df2=9), chi2_sum_p_value(np.nan, [1], df2=9)]).all()
    assert np.isnan([chi2_sum_p_value(1, [1, 0], df2=9), chi2_sum_p_value(1, [1], df2=0)]).all()
