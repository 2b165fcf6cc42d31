"""Restricted cubic splines: straight outside, smooth inside, and every natural spline is one of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from khaosat.stats.splines import restricted_cubic

_knots = st.lists(st.integers(0, 60), min_size=3, max_size=6, unique=True).map(lambda k: np.sort(np.array(k, float)))


@given(knots=_knots, heights=st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_every_natural_cubic_spline_is_a_combination_of_the_basis(knots, heights):
    natural = CubicSpline(knots, heights[: len(knots)], bc_type="natural")
    x = np.linspace(knots[0], knots[-1], 40)
    basis = np.column_stack([np.ones(len(x)), x, restricted_cubic(x, knots)])
    fitted = basis @ np.linalg.lstsq(basis, natural(x), rcond=None)[0]
    np.testing.assert_allclose(fitted, natural(x), atol=1e-6)


@given(knots=_knots)
def test_beyond_the_outer_knots_it_is_a_straight_line(knots):
    right = restricted_cubic(knots[-1] + np.arange(3.0), knots)
    left = restricted_cubic(knots[0] - np.arange(3.0), knots)
    np.testing.assert_allclose(right[2] - right[1], right[1] - right[0], atol=1e-8)
    np.testing.assert_array_equal(left, 0.0)


@pytest.mark.parametrize("knots", [[0, 1], [0, 1, 1], [2, 1, 0]])
def test_knots_that_are_too_few_or_do_not_rise_are_refused(knots):
    with pytest.raises(ValueError, match="three rising knots"):
        restricted_cubic([1.0], knots)
