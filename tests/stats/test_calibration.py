"""Calibration against its own definition: totals met, nearest weights, residuals at right angles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse import csr_array

from khaosat.stats.calibration import InTurn, calibration_factors, indicators, projection, rake_factors, trimmed

seeds = st.integers(0, 10_000)


def problem(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Variables (a constant, a number, a level that repeats the constant), weights, totals not far from theirs."""
    rng = np.random.default_rng(seed)
    flag = rng.random(n) < 0.4
    flag[:2] = True, False
    x = np.column_stack([np.ones(n), rng.normal(50, 9, n), flag, ~flag]).astype(float)
    weights = rng.uniform(1, 6, n)
    return x, weights, x.T @ (weights * rng.uniform(0.85, 1.2, n))


@given(seeds, st.sampled_from([("linear", None), ("raking", None), ("logit", (0.3, 3.0)), ("linear", (0.5, 2.0)),
                               ("raking", (0.5, 2.0))]))  # fmt: skip
def test_totals_are_met_within_the_bounds(seed: int, chosen: tuple[str, tuple[float, float] | None]) -> None:
    x, weights, totals = problem(seed)
    method, bounds = chosen
    fit = calibration_factors(csr_array(x), weights=weights, totals=totals, method=method, bounds=bounds)
    assert fit.gap <= 1e-12
    np.testing.assert_allclose(x.T @ (weights * fit.factors), totals, rtol=1e-10)
    np.testing.assert_allclose(fit.reached, totals, rtol=1e-10)
    if bounds:
        assert fit.factors.min() >= bounds[0] - 1e-12
        assert fit.factors.max() <= bounds[1] + 1e-12


@pytest.mark.parametrize(("method", "distance"), [
    ("linear", lambda w, d: ((w - d) ** 2 / d).sum()),
    ("raking", lambda w, d: (w * np.log(w / d) - w + d).sum()),
])  # fmt: skip
def test_no_other_weights_with_these_totals_are_nearer(method: str, distance: object) -> None:
    x, d, totals = problem(7, n=12)
    x, totals = x[:, :3], totals[:3]
    found = d * calibration_factors(csr_array(x), weights=d, totals=totals, method=method).factors
    met = {"type": "eq", "fun": lambda w: (x.T @ w - totals) / totals}
    best = minimize(distance, d, args=(d,), constraints=met, bounds=[(1e-6, None)] * len(d), options={"ftol": 1e-14})
    np.testing.assert_allclose(found, best.x, rtol=1e-4)


def test_totals_out_of_reach_leave_a_gap() -> None:
    x, weights, totals = problem(1)
    fit = calibration_factors(csr_array(x), weights=weights, totals=totals * 3, method="linear", bounds=(0.5, 1.5))
    assert fit.gap > 0.1
    assert fit.factors.max() <= 1.5


@given(seeds)
def test_residuals_are_at_right_angles_and_taken_once(seed: int) -> None:
    x, weights, _ = problem(seed)
    rng = np.random.default_rng(seed)
    after, regression = weights * rng.uniform(0.5, 2, len(x)), rng.uniform(1, 3, len(x))
    z = rng.normal(size=(len(x), 2))
    fixed = projection(csr_array(x), weights=after, regression=regression)
    left = fixed.residual(z)
    np.testing.assert_allclose(x.T @ (left * (regression / after)[:, None]), 0, atol=1e-9)
    np.testing.assert_allclose(fixed.residual(left), left, atol=1e-10)
    explained = (z - left) / after[:, None]
    np.testing.assert_allclose(x @ np.linalg.lstsq(x, explained, rcond=None)[0], explained, atol=1e-9)


@given(seeds)
def test_margins_taken_out_in_turn_end_in_the_projection_on_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, ones = [rng.integers(0, 3, 60), rng.integers(0, 4, 60)], np.ones(60)
    options = {"weights": ones, "regression": ones}
    parts = tuple(projection(indicators([code], sizes=[4]), **options) for code in codes)
    z = rng.normal(size=(60, 1))
    whole = projection(indicators(codes, sizes=[4, 4]), **options).residual(z)
    np.testing.assert_allclose(InTurn(parts=parts, rounds=200).residual(z), whole, atol=1e-9)


def test_a_weight_of_zero_is_no_trouble() -> None:
    x = indicators([np.array([0, 0, 1])], sizes=[2])
    fixed = projection(x, weights=np.array([2.0, 0.0, 1.0]), regression=np.ones(3))
    assert fixed.residual(np.array([[4.0], [0.0], [5.0]])).ravel().tolist() == [0, 0, 0]


@given(seeds)
def test_raking_keeps_the_odds_ratios(seed: int) -> None:
    """What proportional fitting never touches: the odds ratios of the table that it starts from."""
    table = np.random.default_rng(seed).uniform(1, 9, (2, 3))
    rows, columns = np.divmod(np.arange(6), 3)
    targets = [(rows, np.array([30.0, 70.0])), (columns, np.array([20.0, 30.0, 50.0]))]
    fit = rake_factors(table.reshape(6, 1), targets)
    raked = table * fit.factors.reshape(2, 3)
    np.testing.assert_allclose(raked.sum(axis=1), [30, 70], rtol=1e-11)
    np.testing.assert_allclose(raked.sum(axis=0), [20, 30, 50], rtol=1e-11)
    odds = [t[0, 0] * t[1, 2] / (t[0, 2] * t[1, 0]) for t in (table, raked)]
    np.testing.assert_allclose(*odds)


@given(st.lists(st.floats(0.5, 50), min_size=3, max_size=30), st.booleans())
def test_trimming_keeps_the_sum(values: list[float], strict: bool) -> None:
    weights = np.array(values)
    result = trimmed(weights, lower=2, upper=20, strict=strict)
    if ((weights >= 2) & (weights <= 20)).any() and not strict:
        np.testing.assert_allclose(result.sum(), weights.sum())
    outside = (weights < 2) | (weights > 20)
    assert (result[outside] >= min(2, weights.min())).all()
