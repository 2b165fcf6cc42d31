"""Tests of independence, ranks and covariances: equal to scipy and numpy in simple random samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from khaosat.stats.contingency import independence_test, wald_statistic
from khaosat.stats.moments import population_covariance
from khaosat.stats.ranks import rank_scores

TABLE = np.array([[30.0, 12.0, 8.0], [14.0, 25.0, 11.0]])


def multinomial(counts: np.ndarray) -> np.ndarray:
    """Covariance of the counts of a simple random sample."""
    p = counts.ravel() / counts.sum()
    return counts.sum() * (np.diag(p) - np.outer(p, p))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_ranks_under_equal_weights_are_scipys(values: list[int]) -> None:
    found = rank_scores(values, np.full(len(values), 3.7))
    np.testing.assert_allclose(found, (stats.rankdata(values) - 0.5) / len(values), atol=1e-12)
    np.testing.assert_array_equal(rank_scores(values, np.ones(len(values)), median=True), np.round(found, 9) > 0.5)


def test_nobody_has_no_ranks() -> None:
    assert len(rank_scores([], [])) == 0


def test_in_a_simple_random_sample_both_corrections_leave_pearson() -> None:
    known = stats.chi2_contingency(TABLE, correction=False)
    first, second = (
        independence_test(TABLE, multinomial(TABLE), n=100, df=1e9, statistic=name) for name in ("Chisq", "F")
    )
    assert first.statistic == pytest.approx(known.statistic)
    assert (first.df1, first.deff) == (2.0, pytest.approx(1))
    assert first.p_value == pytest.approx(known.pvalue)
    assert second.statistic == pytest.approx(known.statistic / 2)
    assert second.p_value == pytest.approx(known.pvalue, rel=1e-6)


@pytest.mark.parametrize("statistic", ["F", "Chisq", "Wald", "adjWald", "saddlepoint"])
def test_order_and_side_of_the_answers_do_not_matter(statistic: str) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(6, 40))
    matrix = noise @ noise.T
    there = independence_test(TABLE, matrix, n=100, df=12, statistic=statistic)
    places = np.arange(6).reshape(2, 3)
    for turned in (places[::-1], places[:, [2, 0, 1]], places.T):
        order = turned.ravel()
        again = independence_test(
            TABLE.ravel()[order].reshape(turned.shape), matrix[np.ix_(order, order)], n=100, df=12, statistic=statistic
        )
        assert again.statistic == pytest.approx(there.statistic)
        assert again.p_value == pytest.approx(there.p_value)


def test_without_freedom_or_columns_there_is_no_verdict() -> None:
    matrix = multinomial(TABLE)
    assert np.isnan(independence_test(TABLE, matrix, n=100, df=0).p_value)
    assert np.isnan(independence_test(TABLE[:, :1], np.eye(2), n=50, df=9).p_value)
    assert np.isnan(independence_test(TABLE[:, :0], np.zeros((0, 0)), n=0, df=9).p_value)
    assert np.isnan(independence_test(TABLE, matrix, n=100, df=1, statistic="adjWald").p_value)
    assert np.isnan(independence_test(TABLE, np.zeros((6, 6)), n=100, df=9).p_value)
    assert np.isnan(independence_test(TABLE, np.zeros((6, 6)), n=100, df=9, statistic="Wald").p_value)


def test_an_empty_cell_is_no_obstacle() -> None:
    table = np.array([[20.0, 0.0], [10.0, 30.0]])
    result = independence_test(table, multinomial(table), n=60, df=59)
    assert 0 < result.p_value < 0.001


def test_wald_needs_a_covariance_of_full_rank() -> None:
    assert np.isnan(wald_statistic(np.ones(2), np.ones((2, 2))))
    assert np.isnan(wald_statistic(np.ones(2), np.diag([1.0, 0.0])))
    assert wald_statistic(np.array([1e-6, 3.0]), np.diag([1e-12, 9.0])) == pytest.approx(2)


def test_equal_weights_give_numpys_covariance() -> None:
    values = np.random.default_rng(1).normal(size=(30, 3))
    matrix, influence = population_covariance(values, np.full(30, 7.0))
    np.testing.assert_allclose(matrix, np.cov(values.T), rtol=1e-12)
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-12)
    assert np.isnan(population_covariance(values[:1], [1.0])[0]).all()
