"""Replicates of primary units: balance, sums, and the variance of a mean that they must give back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.replicates import (
    bootstrap,
    hadamard,
    half_samples,
    jackknife,
    rank,
    replicate_covariance,
    replicate_variance,
)


@pytest.mark.parametrize("at_least", [1, 2, 3, 4, 7, 12, 13, 20, 21, 29, 37, 64, 90, 130])
def test_hadamard_matrices_are_orthogonal_with_a_constant_first_column(at_least: int) -> None:
    matrix = hadamard(at_least)
    n = len(matrix)
    assert n >= at_least
    assert set(np.unique(matrix)) <= {-1, 1}
    np.testing.assert_array_equal(matrix.T @ matrix, n * np.eye(n))
    assert (matrix[:, 0] == 1).all()


@given(st.integers(1, 20), st.floats(0, 0.9))
def test_every_half_sample_keeps_the_sum_of_a_stratum(n_strata: int, rho: float) -> None:
    strata = np.repeat(np.arange(n_strata), 2)
    made = half_samples(strata, rho=rho)
    sums = np.add.reduceat(made.weights, np.arange(0, 2 * n_strata, 2), axis=0)
    np.testing.assert_allclose(sums, 2)
    np.testing.assert_allclose(made.weights.mean(axis=1), 1)


@given(st.integers(2, 30), st.integers(0, 1000))
def test_the_jackknife_of_a_mean_is_the_textbook_variance(n: int, seed: int) -> None:
    y, fraction = np.random.default_rng(seed).normal(size=n), 0.2
    made = jackknife(np.zeros(n, dtype=int), fractions=np.full(n, fraction))
    means = (y @ made.weights / made.weights.sum(axis=0))[None, :]
    expected = y.var(ddof=1) / n * (1 - fraction)
    np.testing.assert_allclose(replicate_variance(means, factors=made.factors), [expected])
    np.testing.assert_allclose(replicate_covariance(means, factors=made.factors), [[expected]])


def test_strata_with_one_unit_have_no_replicate() -> None:
    made = jackknife(np.array([0, 1, 1]), fractions=np.zeros(3))
    assert made.weights.tolist() == [[1, 1], [0, 2], [2, 0]]
    again = bootstrap(np.array([0, 1, 1]), fractions=np.zeros(3), n=5, rng=np.random.default_rng(0))
    assert (again.weights[0] == 1).all()


@given(st.integers(0, 1000), st.floats(0, 0.9))
def test_bootstrap_multipliers_have_mean_one_and_the_variance_of_the_design(seed: int, fraction: float) -> None:
    """With t ~ binomial(n - 1, 1/n), a unit's multiplier has variance 1 - f."""
    n, draws = 6, 4000
    made = bootstrap(
        np.zeros(n, dtype=int), fractions=np.full(n, fraction), n=draws, rng=np.random.default_rng(seed)
    )  # fmt: skip
    np.testing.assert_allclose(made.weights.sum(axis=0), n)
    np.testing.assert_allclose(made.weights.var(), 1 - fraction, rtol=0.1)
    assert made.weights.min() > -1e-12
    assert made.factors.sum() == pytest.approx(draws / (draws - 1))


def test_rank_of_nothing_and_of_repeats() -> None:
    assert rank(np.zeros((0, 3))) == 0
    assert rank(np.ones((5, 3))) == 1
    assert rank(np.eye(4)[:, :3] + 1) == 3
