"""Area-level models: equal to R metafor to the last digit and to R sae to what it prints; identities of pooling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.stats.small_area import FayHerriot, benchmarked, fay_herriot

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EXPECTED = pd.read_csv(REFERENCE / "small_area.csv")
KNOWN = {key: values["value"].to_numpy() for key, values in EXPECTED.groupby(["case", "what"], sort=False)}
MILK = pd.read_csv(REFERENCE / "small_area_milk.csv")
AREAS = np.column_stack([np.ones(43), *(MILK["major_area"] == area for area in (2, 3, 4))]).astype(float)
UNITS = np.array([0.91, 0.84, 0.78, 0.88, 0.95, 0.81, 0.73, 0.86, 0.9, 0.79, 0.83, 0.87])
UNITS_SE = np.array([0.02, 0.035, 0.05, 0.024, 0.012, 0.041, 0.06, 0.03, 0.027, 0.044, 0.033, 0.019])
METHODS = ("reml", "ml", "fh", "prasad_rao")
seeds = st.integers(0, 10_000)


def fitted(case: str, method: str) -> FayHerriot:
    if case == "milk":
        return fay_herriot(
            MILK["direct"].to_numpy(), MILK["se"].to_numpy() ** 2, covariates=AREAS, method=method
        )  # fmt: skip
    return fay_herriot(UNITS, UNITS_SE**2, method=method)


def generated(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    m = int(rng.integers(4, 30))
    variances = rng.uniform(0.1, 4, m)
    return rng.normal(0, np.sqrt(variances + rng.choice([0.0, 0.5, 5.0])), m), variances


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ["milk", "units"])
def test_equals_metafor(case: str, method: str) -> None:
    fit, key = fitted(case, method), f"{case} {method}"
    np.testing.assert_allclose(fit.between, KNOWN[key, "between"][0], rtol=1e-10)
    np.testing.assert_allclose(fit.coefficients, KNOWN[key, "coefficients"], rtol=1e-10)
    np.testing.assert_allclose(fit.covariance.T.ravel(), KNOWN[key, "covariance"], rtol=1e-10)
    np.testing.assert_allclose(fit.pooled, KNOWN[key, "pooled"], rtol=1e-10)


@pytest.mark.parametrize("method", ["reml", "ml", "fh"])
def test_pooled_estimates_and_errors_equal_sae(method: str) -> None:
    """sae stops iterating at a relative step of 1e-4, which the sixth digit shows."""
    fit = fitted("milk", method)
    np.testing.assert_allclose(fit.pooled, MILK[method], atol=1.5e-6)
    np.testing.assert_allclose(fit.mse, MILK[f"{method}_mse"], atol=1e-7)


def test_prasad_rao_by_hand() -> None:
    """Equal variances: A = s² − D; g1 + g2 + 2·g3 with γ = A/(A + D), g3 = (1 − γ)²·2(A + D)/m."""
    y, d = np.array([1.0, 4.0, 2.0, 9.0, 4.0]), 2.0
    fit = fay_herriot(y, np.full(5, d), method="prasad_rao")
    a = y.var(ddof=1) - d
    gamma = a / (a + d)
    assert fit.between == pytest.approx(a)
    by_hand = gamma * d + (1 - gamma) ** 2 * (a + d) / 5 + 2 * (1 - gamma) ** 2 * 2 * (a + d) / 5
    np.testing.assert_allclose(fit.mse, by_hand, rtol=1e-12)


@pytest.mark.parametrize("method", ["reml", "ml"])
@given(seeds)
def test_the_likelihood_is_highest_at_the_estimate(method: str, seed: int) -> None:
    y, d = generated(seed)

    def height(a: float) -> float:
        w = 1 / (a + d)
        residual = y - (w @ y) / w.sum()
        value = np.log(w).sum() / 2 - (w @ residual**2) / 2
        return float(value - (np.log(w.sum()) / 2 if method == "reml" else 0))

    best = fay_herriot(y, d, method=method).between
    others = [0.0, *np.geomspace(1e-4, 1e3, 60), best * 0.999, best * 1.001]
    assert height(best) >= max(map(height, others)) - 1e-9


@pytest.mark.parametrize("method", METHODS)
@given(seeds)
def test_pooled_lies_between_direct_and_synthetic(method: str, seed: int) -> None:
    y, d = generated(seed)
    fit = fay_herriot(y, d, method=method)
    low, high = np.minimum(y, fit.synthetic), np.maximum(y, fit.synthetic)
    assert ((low - 1e-9 <= fit.pooled) & (fit.pooled <= high + 1e-9)).all()
    assert ((fit.shrinkage >= 0) & (fit.shrinkage < 1)).all()


@pytest.mark.parametrize("method", METHODS)
@given(seeds, st.floats(0.01, 100), st.floats(-50, 50))
def test_units_of_measurement_do_not_matter(method: str, seed: int, factor: float, shift: float) -> None:
    y, d = generated(seed)
    fit, moved = fay_herriot(y, d, method=method), fay_herriot(y * factor + shift, d * factor**2, method=method)
    np.testing.assert_allclose(moved.pooled, fit.pooled * factor + shift, rtol=1e-6, atol=1e-6 * factor)
    np.testing.assert_allclose(moved.mse, fit.mse * factor**2, rtol=1e-5)


@given(seeds, st.sampled_from(["ratio", "difference"]))
def test_benchmarked_estimates_add_up(seed: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    direct, weights = rng.uniform(0.5, 1, 9), rng.uniform(1, 50, 9)
    pooled = rng.uniform(0.5, 1, 9)
    moved = benchmarked(pooled, direct, weights=weights, method=method)
    assert weights @ moved == pytest.approx(weights @ direct)
    same = moved / pooled if method == "ratio" else moved - pooled
    assert np.ptp(same) < 1e-9


def test_equal_units_have_no_variance_between_them() -> None:
    for method in METHODS:
        fit = fay_herriot(np.full(6, 0.8), np.full(6, 0.01), method=method)
        assert fit.between == 0
        np.testing.assert_allclose(fit.pooled, 0.8)
        assert (fit.mse > 0).all()


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot tell"):
        fay_herriot(np.ones(2), np.ones(2), covariates=np.ones((2, 2)))
    with pytest.raises(ValueError, match="cannot tell"):
        fay_herriot(np.arange(5.0), np.ones(5), covariates=np.ones((5, 2)))
    with pytest.raises(ValueError, match="method"):
        fay_herriot(np.arange(5.0), np.ones(5), method="bayes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="benchmark"):
        benchmarked(np.ones(2), np.ones(2), weights=np.ones(2), method="none")  # type: ignore[arg-type]
