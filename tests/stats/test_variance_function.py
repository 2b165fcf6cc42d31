"""Variances by a function of size: its constant by hand; whose variance it takes the place of."""

from __future__ import annotations

import numpy as np
import pytest

from khaosat.stats.variance_function import sampling_variances


def test_the_constant_is_the_mean_of_n_times_variance_by_degrees_of_freedom() -> None:
    found = sampling_variances(
        np.array([3.0, 4.0, 5.0]), np.array([0.02, 0.05, 0.0]), effective_n=np.array([100.0, 20.0, 10.0]),
        primary_units=np.array([21, 5, 1]), smooth=np.array([False, False, True]), share=False,
    )  # fmt: skip
    k = (20 * 100 * 0.02 + 4 * 20 * 0.05) / 24
    np.testing.assert_allclose(found.variance, [0.02, 0.05, k / 10])
    assert found.df.tolist() == [20, 4, 24]
    assert found.smoothed.tolist() == [False, False, True]


def test_a_share_of_one_is_as_uncertain_as_others_of_its_size() -> None:
    shares = np.array([0.8, 0.85, 0.9, 0.75, 1.0])
    n = np.full(5, 30.0)
    found = sampling_variances(
        shares, shares * (1 - shares) / (n - 1), effective_n=n, primary_units=np.full(5, 30),
        smooth=np.array([False] * 4 + [True]), share=True,
    )  # fmt: skip
    assert 0.02**2 < found.variance[4] < 0.85 * 0.15 / 29
    np.testing.assert_allclose(found.variance[:4], (shares * (1 - shares) / 29)[:4])


def test_all_smoothed_shares_follow_one_design_effect() -> None:
    """Variances of exactly d·p(1 − p)/n come back where the shares are equal."""
    n = np.array([10.0, 20.0, 40.0, 80.0])
    found = sampling_variances(
        np.full(4, 0.8), 2.5 * 0.16 / n, effective_n=n, primary_units=np.array([3, 4, 5, 6]),
        smooth=np.ones(4, dtype=bool), share=True,
    )  # fmt: skip
    np.testing.assert_allclose(found.variance, 2.5 * 0.16 / n)
    assert (found.df == 2 + 3 + 4 + 5).all()


@pytest.mark.parametrize("share", [True, False])
def test_where_no_unit_tells_there_is_no_variance(share: bool) -> None:
    found = sampling_variances(
        np.array([1.0, 1.0]), np.zeros(2), effective_n=np.full(2, 30.0), primary_units=np.array([30, 30]),
        smooth=np.ones(2, dtype=bool), share=share,
    )  # fmt: skip
    assert np.isnan(found.variance).all()


def test_a_unit_counted_in_full_stays_certain() -> None:
    found = sampling_variances(
        np.array([0.5, 1.0]), np.array([0.01, 0.0]), effective_n=np.full(2, 30.0), primary_units=np.array([30, 0]),
        smooth=np.ones(2, dtype=bool), share=True,
    )  # fmt: skip
    assert found.variance[1] == 0
    assert np.isinf(found.df[1])
