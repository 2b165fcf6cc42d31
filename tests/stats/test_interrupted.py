"""Autoregressive errors by REML: nlme::gls, ordinary least squares, Satterthwaite's df, gaps, Ljung-Box."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaosat.stats.interrupted import fit_autoregressive, ljung_box

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
DATA = pd.read_csv(REFERENCE / "interrupted_data.csv")
EXPECTED = pd.read_csv(REFERENCE / "interrupted.csv").groupby(["case", "what"])["value"].apply(np.array)


def design(data):
    return np.column_stack([np.ones(len(data)), data[["month", "after", "since", "sine", "cosine"]]])


@pytest.mark.parametrize(("case", "left_out", "weighted"), [
    ("plain", [], False), ("weighted", [], True), ("gap", [4, 5, 20, 21, 29], True),
])  # fmt: skip
def test_equals_gls_of_nlme(case, left_out, weighted):
    data = DATA.drop(index=left_out)
    fit = fit_autoregressive(
        data["share"], design(data), time=data["month"], weights=data["cases"] if weighted else None
    )
    np.testing.assert_allclose(fit.coef, EXPECTED[case, "coef"], rtol=1e-5)
    np.testing.assert_allclose(fit.cov.diagonal() ** 0.5, EXPECTED[case, "se"], rtol=1e-5)
    assert fit.rho == pytest.approx(EXPECTED[case, "rho"][0], rel=1e-5)
    assert fit.sigma == pytest.approx(EXPECTED[case, "sigma"][0], rel=1e-5)


def test_the_slopes_of_the_covariance_are_derivatives():
    """Satterthwaite's df rest on them: nudge the correlation and see what the covariance does."""
    x, time = design(DATA), DATA["month"].to_numpy(float)
    fit = fit_autoregressive(DATA["share"], x, time=time)

    def covariance(rho):
        inverse = np.linalg.inv(rho ** np.abs(time[:, None] - time))
        return fit.sigma**2 * np.linalg.inv(x.T @ inverse @ x)

    h = 1e-5
    numeric = (covariance(fit.rho + h) - covariance(fit.rho - h)) / (2 * h)
    np.testing.assert_allclose(fit.slopes[1], numeric, rtol=1e-5, atol=1e-10)
    np.testing.assert_allclose(fit.slopes[0] * fit.sigma**2, fit.cov, rtol=1e-9)


def test_two_points_more_than_columns_have_independent_errors_and_residual_df():
    fit = fit_autoregressive([1.0, 2.0, 2.5], np.column_stack([np.ones(3), [0, 1, 2]]), time=[0, 1, 2])
    assert fit.rho == 0
    assert fit.combine([0, 1])[0] == pytest.approx(0.75)
    assert fit.combine([0, 1])[2] == 1


@settings(max_examples=10)
@given(st.floats(0.01, 1000), st.integers(-50, 50))
def test_scale_of_weights_and_origin_of_time_do_not_matter(scale, shift):
    base = fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"], weights=DATA["cases"])
    other = fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"] + shift, weights=DATA["cases"] * scale)
    np.testing.assert_allclose(other.coef, base.coef, rtol=1e-6)
    np.testing.assert_allclose(other.cov, base.cov, rtol=1e-4, atol=1e-12)


def test_a_series_on_the_model_has_no_standard_error():
    month = np.arange(10.0)
    fit = fit_autoregressive(2 + 3 * month, np.column_stack([np.ones(10), month]), time=month)
    estimate, se, df = fit.combine([0, 1])
    assert estimate == pytest.approx(3)
    assert np.isnan([se, df]).all()
    flat = fit_autoregressive(np.zeros(10), np.column_stack([np.ones(10), month]), time=month)
    assert (flat.coef == 0).all()
    assert flat.sigma == 0


def test_columns_that_depend_on_each_other_are_refused():
    with pytest.raises(ValueError, match="full rank"):
        fit_autoregressive(np.arange(5.0), np.ones((5, 2)), time=np.arange(5))


def test_ljung_box_equals_statsmodels_and_counts_time_not_places():
    from statsmodels.stats.diagnostic import acorr_ljungbox

    left = np.random.default_rng(3).normal(size=40)
    q, df, p = ljung_box(left, time=np.arange(40), lags=6, fitted=0)
    known = acorr_ljungbox(left, lags=[6])
    assert (q, p) == pytest.approx((known["lb_stat"].iloc[0], known["lb_pvalue"].iloc[0]))
    assert df == 6
    pairs = np.tile([1.0, -1.0], 10)
    apart = ljung_box(pairs, time=np.arange(20) * 7, lags=6)
    assert apart[0] == 0  # strangers seven months apart
    assert ljung_box(pairs, time=np.arange(20), lags=6)[2] < 1e-6
