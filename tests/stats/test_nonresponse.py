from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.nonresponse import ResponseCells, joined_cells, response_factors


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cell = np.append(np.arange(3), rng.integers(0, 3, 15))
    responded = np.append(np.ones(3, dtype=bool), rng.random(15) < 0.6)
    return cell, responded, rng.uniform(1, 9, 18), rng.normal(3, 1, 18)


def adjusted_total(weights: np.ndarray, cell: np.ndarray, responded: np.ndarray, y: np.ndarray) -> float:
    factor = response_factors(weights[:, None], cell=cell, responded=responded)[cell, 0]
    return float(np.sum(weights * responded * factor * y))


@given(st.integers(0, 10_000))
def test_influence_is_the_derivative_by_every_weight_drawn(seed):
    cell, responded, weights, y = drawn(seed)
    factor = response_factors(weights[:, None], cell=cell, responded=responded)[cell, 0]
    after = weights * responded * factor
    found = ResponseCells(cell=cell, before=weights, after=after).residual((after * y)[:, None])[:, 0]
    for i, weight in enumerate(weights):
        step = 1e-5 * weight
        up, down = (adjusted_total(weights + s * step * np.eye(18)[i], cell, responded, y) for s in (1, -1))
        assert found[i] == pytest.approx(weight * (up - down) / (2 * step), rel=1e-5, abs=1e-6)


@given(st.integers(0, 10_000))
def test_respondents_carry_the_weight_of_everybody_in_their_class(seed):
    cell, responded, weights, _ = drawn(seed)
    factor = response_factors(weights[:, None], cell=cell, responded=responded)[cell, 0]
    np.testing.assert_allclose(np.bincount(cell, weights * responded * factor), np.bincount(cell, weights), rtol=1e-12)


def test_a_class_without_response_has_no_factor():
    factors = response_factors(np.ones((2, 1)), cell=np.array([0, 1]), responded=np.array([True, False]))
    assert factors.ravel().tolist() == [1.0, np.inf]


def joined(keys, responded, everybody, *, fewest=10, most=3.0):
    responded, everybody = np.array(responded), np.array(everybody, dtype=float)
    return joined_cells(
        np.array(keys), responded=responded, factors_of=(everybody, responded.astype(float)), fewest=fewest, most=most
    ).tolist()


def test_a_class_is_joined_within_the_leading_column_even_if_the_other_neighbour_is_smaller():
    keys = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert joined(keys, [11, 40, 4, 50], [15, 50, 6, 60]) == [0, 1, 2, 2]


def test_a_class_with_too_large_a_factor_is_joined_though_it_has_respondents_enough():
    assert joined([[0], [1], [2]], [20, 30, 30], [90, 40, 40]) == [0, 0, 1]


def test_everything_ends_in_one_class_if_need_be():
    assert joined([[0], [1], [2]], [1, 2, 3], [10, 20, 30]) == [0, 0, 0]
