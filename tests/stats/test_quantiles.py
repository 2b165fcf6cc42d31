"""Weighted quantiles: numpy's where weights are equal, repeated values where they are whole, equivariance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.quantiles import QuantileRule, weighted_quantile

NUMPY = {
    "math": "inverted_cdf", "school": "averaged_inverted_cdf", "hf4": "interpolated_inverted_cdf", "hf5": "hazen",
    "hf6": "weibull", "hf7": "linear", "hf8": "median_unbiased",
}  # fmt: skip
PROBS = [0.0, 0.13, 0.31, 0.5, 0.77, 0.93, 1.0]
VALUES = st.lists(st.integers(-50, 50), min_size=1, max_size=25)


@pytest.mark.parametrize("rule", NUMPY)
@given(values=VALUES)
def test_equal_weights_are_numpys_methods(rule: QuantileRule, values: list[int]) -> None:
    found = weighted_quantile(values, np.ones(len(values)), probs=PROBS, rule=rule)
    np.testing.assert_allclose(found, np.quantile(values, PROBS, method=NUMPY[rule]), atol=1e-9)


@pytest.mark.parametrize("rule", ["math", "school"])
@given(values=VALUES, seed=st.integers(0, 99))
def test_a_weight_of_three_is_three_respondents(rule: QuantileRule, values: list[int], seed: int) -> None:
    times = np.random.default_rng(seed).integers(1, 4, len(values))
    many = np.repeat(values, times)
    found = weighted_quantile(values, times, probs=PROBS, rule=rule)
    np.testing.assert_array_equal(found, weighted_quantile(many, np.ones(len(many)), probs=PROBS, rule=rule))


@pytest.mark.parametrize("rule", ["math", "school", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"])
@given(values=VALUES, scale=st.floats(0.01, 1000), seed=st.integers(0, 99))
def test_the_unit_of_the_weights_does_not_matter(
    rule: QuantileRule, values: list[int], scale: float, seed: int
) -> None:
    weights = np.random.default_rng(seed).uniform(1, 9, len(values))
    once, again = (weighted_quantile(values, w, probs=PROBS[1:-1], rule=rule) for w in (weights, weights * scale))
    np.testing.assert_allclose(once, again, atol=1e-9)


def test_shahvaish_depends_on_the_unit_of_the_weights_as_it_does_in_r() -> None:
    thousands, ones = (weighted_quantile(range(9), np.full(9, w), probs=0.5, rule="shahvaish") for w in (5.0, 1.0))
    assert (ones, thousands) == (4.0, 6.0)


def test_a_tie_between_the_share_and_the_running_sum_is_seen_whatever_the_weights() -> None:
    weights = np.full(200, 30.97)  # a plain sum of a hundred of them is not half of that of all
    assert np.cumsum(weights)[99] != weights.sum() / 2
    assert weighted_quantile(range(200), weights, probs=0.5, rule="school") == 99.5


def test_below_the_share_of_the_smallest_value_it_is_the_answer() -> None:
    """R survey 4.1 gives the second smallest (math) or goes below the data (hf4)."""
    for rule in ("math", "school", "hf4", "hf7"):
        assert weighted_quantile([1, 5, 9], [4, 1, 1], probs=0.0, rule=rule) == 1


def test_no_values_and_shares_beyond_the_ends_have_no_quantile() -> None:
    assert np.isnan(weighted_quantile([], [], probs=[0.5])).all()
    assert np.isnan(weighted_quantile([1, 2], [1, 1], probs=[-0.1, 1.1, np.nan])).all()
    assert weighted_quantile([3], [2.0], probs=[0.2, 0.9], rule="hf7").tolist() == [3, 3]
