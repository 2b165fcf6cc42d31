"""Polychoric correlations: known truths, frequency weights, and influence as the derivative by a weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from khaosat.stats.bivariate_normal import bivariate_cdf, bivariate_density
from khaosat.stats.polychoric import polychoric, polychoric_influence, threshold_influence


def sample(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three items of 3, 5 and 2 levels cut from a common variable, with blanks; uneven weights."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 1)) + rng.normal(size=(n, 3))
    codes = np.column_stack(
        [np.digitize(z[:, j], cuts) for j, cuts in enumerate([[-1, 1], [-2, -0.5, 0.4, 1.5], [0.3]])]
    )
    codes[rng.random((n, 3)) < 0.05] = -1
    return codes.astype(np.intp), rng.uniform(0.5, 3, n)


@given(h=st.floats(-6, 6), k=st.floats(-6, 6), rho=st.floats(-0.99, 0.99))
def test_bivariate_normal(h: float, k: float, rho: float) -> None:
    value = multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf([h, k])
    assert float(bivariate_cdf(h, k, rho)) == pytest.approx(value, abs=1e-9)
    # reflection: the other three quadrants follow from one
    assert float(bivariate_cdf(h, k, rho) + bivariate_cdf(h, -k, -rho)) == pytest.approx(
        float(bivariate_cdf(h, np.inf, rho)), abs=1e-14
    )


def test_density_is_the_slope_by_the_correlation() -> None:
    h, k, rho = np.array([0.3, -1.0, 2.0]), np.array([-0.4, 0.2, 1.0]), np.array([0.5, -0.7, 0.1])
    slope = (bivariate_cdf(h, k, rho + 1e-5) - bivariate_cdf(h, k, rho - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope, bivariate_density(h, k, rho), rtol=1e-8)


def test_median_splits_have_a_closed_form() -> None:
    """Two items cut at their medians: rho = sin(pi (p - 1/2)) with p the share that agrees (Sheppard 1899)."""
    rows = [[0, 0], [0, 1], [1, 0], [1, 1]]
    weights = np.array([33.0, 17.0, 17.0, 33.0])
    found = polychoric(np.array(rows, dtype=np.intp), weights).matrix[0, 1]
    assert found == pytest.approx(np.sin(np.pi * (0.66 - 0.5)), rel=1e-9)


def test_truth_is_recovered() -> None:
    rng = np.random.default_rng(5)
    z = rng.multivariate_normal([0, 0], [[1, -0.6], [-0.6, 1]], 40_000)
    codes = np.column_stack([np.digitize(z[:, 0], [-1, 0.5]), np.digitize(z[:, 1], [0, 1, 1.5])])
    assert polychoric(codes, np.ones(len(codes))).matrix[0, 1] == pytest.approx(-0.6, abs=0.01)


def test_whole_weights_are_repeated_respondents_and_units_do_not_matter() -> None:
    codes, _ = sample(1)
    times = np.random.default_rng(2).integers(1, 4, len(codes))
    weighted = polychoric(codes, times.astype(float)).matrix
    np.testing.assert_allclose(
        weighted, polychoric(np.repeat(codes, times, axis=0), np.ones(times.sum())).matrix, atol=1e-9
    )
    np.testing.assert_allclose(weighted, polychoric(codes, 1e6 * times).matrix, atol=1e-9)
    assert not np.allclose(weighted, polychoric(codes, np.ones(len(codes))).matrix, atol=1e-4)


def test_a_turned_scale_turns_signs_and_order_of_items_does_not_matter() -> None:
    codes, weights = sample(3)
    matrix, turned = polychoric(codes, weights).matrix, codes.copy()
    turned[:, 1] = np.where(codes[:, 1] >= 0, 4 - codes[:, 1], -1)
    signs = np.array([1, -1, 1])
    np.testing.assert_allclose(polychoric(turned, weights).matrix, matrix * np.outer(signs, signs), atol=1e-9)
    order = [2, 0, 1]
    np.testing.assert_allclose(polychoric(codes[:, order], weights).matrix, matrix[np.ix_(order, order)], atol=1e-9)


def test_influence_is_the_derivative_by_a_weight() -> None:
    codes, weights = sample(4)
    fit = polychoric(codes, weights)
    influence = polychoric_influence(codes, weights, fit)
    limits = np.hstack(threshold_influence(codes, weights, fit.thresholds))
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-9)  # a change of all weights alike changes nothing
    for i in range(0, 300, 37):
        ends = []
        for step in (1e-3, -1e-3):
            moved = weights.copy()
            moved[i] += step
            again = polychoric(codes, moved)
            ends.append(np.concatenate([again.matrix[np.triu_indices(3, 1)], *again.thresholds]))
        slope = (ends[0] - ends[1]) / 2e-3 * weights[i]
        np.testing.assert_allclose(np.concatenate([influence[i], limits[i]]), slope, atol=2e-9)


def test_both_forms_of_the_influence_agree_where_answers_come_from_normal_variables() -> None:
    rng = np.random.default_rng(6)
    z = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 60_000)
    codes = np.column_stack([np.digitize(z[:, j], [-0.5, 0.8]) for j in (0, 1)])
    weights = np.ones(len(codes))
    fit = polychoric(codes, weights)
    errors = [np.sqrt((polychoric_influence(codes, weights, fit, exact=e) ** 2).sum()) for e in (True, False)]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)


def test_a_table_without_disagreement_has_no_estimate_inside() -> None:
    codes = np.array([[0, 0], [1, 1], [2, 2], [1, 1]], dtype=np.intp)
    fit = polychoric(codes, np.ones(4))
    assert fit.at_edge == ((0, 1),)
    assert fit.matrix[0, 1] > 0.999
