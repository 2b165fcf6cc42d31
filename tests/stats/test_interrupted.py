"""Autoregressive errors averaged over their memory: nlme::gls, algebra by hand, the mixture, gaps, Ljung-Box."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from khaosat.stats.interrupted import Memory, fit_autoregressive, ljung_box

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
DATA = pd.read_csv(REFERENCE / "interrupted_data.csv")
EXPECTED = pd.read_csv(REFERENCE / "interrupted.csv").groupby(["case", "what"])["value"].apply(np.array)


def design(data):
    return np.column_stack([np.ones(len(data)), data[["month", "after", "since", "sine", "cosine"]]])


def one(rho, noise):
    return Memory(rho=np.array([rho]), noise=np.array([noise]), prior=np.ones(1))


def test_with_its_correlation_known_equals_gls_of_nlme():
    fit = fit_autoregressive(
        DATA["share"], design(DATA), time=DATA["month"], memory=one(EXPECTED["plain", "rho"][0], 0.0)
    )
    np.testing.assert_allclose(fit.coef, EXPECTED["plain", "coef"], rtol=1e-5)
    np.testing.assert_allclose(fit.covs[0].diagonal() ** 0.5, EXPECTED["plain", "se"], rtol=1e-5)
    assert fit.sigma == pytest.approx(EXPECTED["plain", "sigma"][0], rel=1e-5)
    for contrast in np.eye(6):
        assert fit.combine(contrast)[2] == pytest.approx(len(DATA) - 6)  # one t distribution, not a mixture


def by_hand(data, rho, noise):
    """Generalised least squares and restricted likelihood from the whole covariance matrix."""
    x, y, at = design(data), data["share"].to_numpy(), data["month"].to_numpy(float)
    w = data["cases"].to_numpy(float)
    v = (1 - noise) * np.power(rho, np.abs(at[:, None] - at)) + noise * np.diag(w.mean() / w)
    inverse = np.linalg.inv(v)
    unscaled = np.linalg.inv(x.T @ inverse @ x)
    coef = unscaled @ x.T @ inverse @ y
    left = y - x @ coef
    n, p = x.shape
    rss = left @ inverse @ left
    log_chance = -0.5 * (np.linalg.slogdet(v)[1] - np.linalg.slogdet(unscaled)[1] + (n - p) * np.log(rss))
    return coef, rss / (n - p) * unscaled, log_chance


@pytest.mark.parametrize("left_out", [[], [4, 5, 20, 21, 29]])
def test_equals_generalised_least_squares_by_hand_with_gaps_weights_and_noise(left_out):
    data = DATA.drop(index=left_out)
    kinds = Memory(rho=np.array([-0.4, 0.3, 0.8]), noise=np.array([0.1, 0.6, 0.3]), prior=np.array([0.2, 0.5, 0.3]))
    fit = fit_autoregressive(data["share"], design(data), time=data["month"], weights=data["cases"], memory=kinds)
    known = [by_hand(data, rho, noise) for rho, noise in zip(kinds.rho, kinds.noise, strict=True)]
    chance = kinds.prior * np.exp([log_chance - known[1][2] for _, _, log_chance in known])
    chance /= chance.sum()
    np.testing.assert_allclose(fit.chance, chance, rtol=1e-8)
    np.testing.assert_allclose(fit.coefs, [coef for coef, _, _ in known], rtol=1e-7)
    np.testing.assert_allclose(fit.covs, [cov for _, cov, _ in known], rtol=1e-7)


def test_intervals_are_those_of_the_mixture():
    fit = fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"], weights=DATA["cases"])
    contrast = np.array([0, 0, 1.0, 5.0, 0, 0])
    estimate, se, df = fit.combine(contrast)
    half = stats.t.ppf(0.975, df) * se
    each, scale = fit.coefs @ contrast, np.sqrt([contrast @ cov @ contrast for cov in fit.covs])
    tails = stats.t.sf((estimate + half - each) / scale, fit.df_residual) + stats.t.cdf(
        (estimate - half - each) / scale, fit.df_residual
    )
    assert fit.chance @ tails == pytest.approx(0.05, abs=1e-6)
    assert df < fit.df_residual


def test_a_finer_grid_says_the_same():
    usual, fine = (
        fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"], weights=DATA["cases"], memory=memory)
        for memory in (None, Memory.usual(steps=96, parts=32))
    )
    for contrast in np.eye(6)[1:4]:
        coarse, exact = usual.combine(contrast), fine.combine(contrast)
        assert coarse[0] == pytest.approx(exact[0], abs=0.02 * exact[1])
        assert coarse[1] == pytest.approx(exact[1], rel=0.02)


def test_nothing_is_found_where_there_is_nothing_and_memory_is_seen():
    """300 series of noise with memory: the false findings of a test at 5 % are no more than chance allows."""
    rng, month = np.random.default_rng(2), np.arange(36)
    x = np.column_stack([np.ones(36), month, month >= 24, (month >= 24) * (month - 24.0)])
    found, rho = 0, []
    for _ in range(300):
        error = rng.normal(size=37)
        for k in range(1, 37):
            error[k] += 0.4 * error[k - 1]
        fit = fit_autoregressive(error[1:], x, time=month)
        estimate, se, df = fit.combine([0, 0, 1, 6])
        found += 2 * stats.t.sf(abs(estimate) / se, df) < 0.05
        rho.append(fit.rho)
    assert found <= 300 * 0.05 + 2 * (300 * 0.05 * 0.95) ** 0.5
    assert 0.05 < np.mean(rho) < 0.4


def test_one_point_more_than_columns_has_one_df():
    fit = fit_autoregressive([1.0, 2.0, 2.5], np.column_stack([np.ones(3), [0, 1, 2]]), time=[0, 1, 2])
    estimate, se, df = fit.combine([0, 1])
    assert estimate == pytest.approx(0.75, abs=0.01)
    assert se > 0
    assert 0 < df <= 1


@settings(max_examples=10)
@given(st.floats(0.01, 1000), st.integers(-50, 50))
def test_scale_of_weights_and_origin_of_time_do_not_matter(scale, shift):
    base = fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"], weights=DATA["cases"])
    other = fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"] + shift, weights=DATA["cases"] * scale)
    np.testing.assert_allclose(other.coefs, base.coefs, rtol=1e-6)
    np.testing.assert_allclose(other.covs, base.covs, rtol=1e-6, atol=1e-12)
    uneven = fit_autoregressive(DATA["share"], design(DATA), time=DATA["month"], weights=DATA["cases"] ** 2)
    assert abs(uneven.coef - base.coef).max() > 1e-5


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
