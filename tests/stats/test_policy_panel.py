"""Imputation, leads, odds and noisy slopes of a panel: by hand, by R's lm and glm, and what must not change them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from khaosat.stats.imputation import Panel, impute, pretrend
from khaosat.stats.noisy_panel import noisy_slopes
from khaosat.stats.odds_panel import log_odds_ratio

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EXPECTED = pd.read_csv(REFERENCE / "policy_panel.csv").groupby("what")["value"].apply(np.array)
ADOPTED = np.array([5, 5, 7, 7, 7, *[np.inf] * 7])


@pytest.fixture
def panel():
    data = pd.read_csv(REFERENCE / "policy_panel_data.csv")
    return Panel(
        y=(data["late"] / data["cases"]).to_numpy(), weights=data["cases"].to_numpy(float),
        unit=data["unit"].to_numpy() - 1, period=data["period"].to_numpy(), adopted=ADOPTED, binomial=True,
    )  # fmt: skip


def test_imputation_equals_r(panel):
    found = impute(panel).average(panel.treated)
    np.testing.assert_allclose(
        found, [EXPECTED[name][0] for name in ("average", "average_se", "average_df")], rtol=1e-9
    )


def test_leads_equal_r(panel):
    coef, cov, df = pretrend(panel, 3)
    np.testing.assert_allclose(coef, EXPECTED["leads"], rtol=1e-8)
    np.testing.assert_allclose(cov.diagonal() ** 0.5, EXPECTED["leads_se"], rtol=1e-8)
    assert df == 4


def test_odds_equal_r_but_a_dispersion_below_one_is_one(panel):
    (estimate, se, _), cells = log_odds_ratio(panel, errors="dispersion")
    assert cells.all()
    assert estimate == pytest.approx(EXPECTED["log_odds"][0], rel=1e-6)
    assert EXPECTED["dispersion"][0] < 1
    assert se == pytest.approx(EXPECTED["log_odds_se"][0] / EXPECTED["dispersion"][0] ** 0.5, rel=1e-5)


def test_two_groups_and_two_periods_by_hand():
    """The difference of differences, its error that of Welch on the units' changes."""
    from scipy.stats import ttest_ind

    change = {0: 0.10, 1: 0.30, 2: 0.20, 3: -0.05, 4: 0.10}
    y = np.array([value for c in change.values() for value in (0.2, 0.2 + c)])
    panel = Panel(y=y, weights=np.ones(10), unit=np.repeat(np.arange(5), 2), period=np.tile([0, 1], 5),
                  adopted=np.array([1, 1, 1, np.inf, np.inf]))  # fmt: skip
    estimate, se, df = impute(panel).average(panel.treated)
    known = ttest_ind([0.10, 0.30, 0.20], [-0.05, 0.10], equal_var=False)
    assert estimate == pytest.approx(0.2 - 0.025)
    assert (estimate / se, df) == pytest.approx((known.statistic, known.df))


def test_dispersion_errors_of_a_plain_panel_are_those_of_least_squares():
    """One treated cell: its imputation error is the prediction error of the regression on the others."""
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    unit, period = np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4)
    panel = Panel(y=rng.normal(size=20), weights=np.ones(20), unit=unit, period=period,
                  adopted=np.array([4, np.inf, np.inf, np.inf]))  # fmt: skip
    x = np.delete(panel.dummies(), 4, axis=1)
    free = ~panel.treated
    known = sm.OLS(panel.y[free], x[free]).fit().get_prediction(x[~free])
    estimate, se, df = impute(panel).average(panel.treated, errors="dispersion")
    assert estimate == pytest.approx(panel.y[4] - known.predicted_mean[0])
    assert (se, df) == pytest.approx((known.se_obs[0], 11))


def test_the_weights_matter(panel):
    even = replace(panel, weights=panel.weights**2)
    assert impute(even).average(even.treated)[0] != pytest.approx(impute(panel).average(panel.treated)[0], rel=1e-3)


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(0.1, 50))
def test_unit_and_period_effects_scale_and_order_change_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    unit, period = np.repeat(np.arange(6), 6), np.tile(np.arange(6), 6)
    adopted = np.array([2, 4, 4, np.inf, np.inf, np.inf])
    first = Panel(y=rng.normal(size=36), weights=rng.uniform(1, 9, 36), unit=unit, period=period, adopted=adopted)
    moved = first.y + rng.normal(size=6)[unit] + rng.normal(size=6)[period]
    order = rng.permutation(36)
    second = replace(first, y=moved, weights=first.weights * scale).keep(order)
    np.testing.assert_allclose(impute(first).average(first.treated), impute(second).average(second.treated), rtol=1e-6)


def test_staggered_effects_that_grow_are_found_where_one_regression_fails():
    """A regression with one dummy compares the late adopters with the early ones and gets even this wrong."""
    unit, period = np.repeat(np.arange(3), 12), np.tile(np.arange(12), 3)
    panel = Panel(y=np.zeros(36), weights=np.ones(36), unit=unit, period=period, adopted=np.array([3, 8, np.inf]))
    panel = replace(panel, y=np.where(panel.treated, panel.since + 1, 0.0))
    x = np.column_stack([panel.dummies(), panel.treated])
    naive = np.linalg.lstsq(x, panel.y, rcond=None)[0][-1]
    true = panel.y[panel.treated].mean()
    assert impute(panel).average(panel.treated)[0] == pytest.approx(true)
    assert abs(naive - true) > 0.5


def test_cells_without_anything_to_compare_are_unknown():
    unit, period = np.repeat(np.arange(2), 4), np.tile(np.arange(4), 2)
    panel = Panel(y=np.arange(8.0), weights=np.ones(8), unit=unit, period=period, adopted=np.array([2, 3]))
    found = impute(panel)
    assert found.known.tolist() == [False, False, True, False, False, False, False, False]
    assert np.isnan(found.average(panel.period == 3)).all()


def test_one_cluster_on_a_side_has_no_error():
    unit, period = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    panel = Panel(y=np.random.default_rng(1).normal(size=24), weights=np.ones(24), unit=unit, period=period,
                  adopted=np.array([3, np.inf, np.inf, np.inf]))  # fmt: skip
    assert np.isnan(impute(panel).average(panel.treated)[1:]).all()


def test_errors_by_unit_have_their_size_with_few_unequal_units():
    """300 panels in which nothing began, four treated units of unequal size: a test at 5 % finds about 5 %."""
    rng, shares, odds = np.random.default_rng(4), 0, 0
    unit, period = np.repeat(np.arange(14), 8), np.tile(np.arange(8), 14)
    adopted = np.where(np.arange(14) < 4, 5, np.inf)
    size = np.array([400, 100, 60, 40, *[100] * 10])[unit]
    for _ in range(300):
        rate = 1 / (1 + np.exp(1.5 + rng.normal(0, 0.5, 14)[unit] + rng.normal(0, 0.1, 112)))
        panel = Panel(y=rng.binomial(size, rate) / size, weights=size.astype(float), unit=unit, period=period,
                      adopted=adopted, binomial=True)  # fmt: skip
        found = impute(panel).average(panel.treated), log_odds_ratio(panel)[0]
        p = [2 * stats.t.sf(abs(estimate) / se, df) for estimate, se, df in found]
        shares, odds = shares + (p[0] < 0.05), odds + (p[1] < 0.05)
    chance = 2.5 * (300 * 0.05 * 0.95) ** 0.5
    assert shares <= 15 + chance
    assert odds <= 15 + chance


def test_too_many_leads_are_refused(panel):
    with pytest.raises(ValueError, match="cannot be told"):
        pretrend(panel, 9)


def test_units_with_none_or_all_say_nothing_of_odds():
    rates = np.array([[0.2, 0.2], [0.2, 0.5], [0.0, 0.0], [1.0, 1.0]])
    panel = Panel(y=rates.ravel(), weights=np.full(8, 10.0), unit=np.repeat(np.arange(4), 2), period=np.tile([0, 1], 4),
                  adopted=np.array([np.inf, 1, 1, np.inf]), binomial=True)  # fmt: skip
    (estimate, _, _), cells = log_odds_ratio(panel)
    assert np.exp(estimate) == pytest.approx(4.0)
    assert cells.tolist() == [True] * 4 + [False] * 4
    assert np.isnan(log_odds_ratio(panel.keep(panel.unit > 1))[0][0])


def test_noise_in_the_explaining_variable_is_taken_off():
    """Many panels: the plain slope is pulled to zero, the corrected one is right, its interval covers."""
    rng = np.random.default_rng(11)
    unit, period = np.repeat(np.arange(60), 5), np.tile(np.arange(5), 60)
    plain, corrected, covered = [], [], []
    for _ in range(80):
        true = rng.normal(size=60)[unit] + rng.normal(size=300)
        y = -0.7 * true + rng.normal(size=60)[unit] + rng.normal(size=5)[period] + 0.5 * rng.normal(size=300)
        seen = true + 0.7 * rng.normal(size=300)
        found = noisy_slopes(
            y, seen[:, None], noise=np.full((300, 1), 0.49), weights=np.ones(300), unit=unit, period=period
        )
        plain.append(found.plain[0])
        corrected.append(found.corrected[0])
        covered.append(abs(found.corrected[0] + 0.7) < 2 * found.corrected_se[0])
    assert np.mean(plain) == pytest.approx(-0.7 / 1.49, abs=0.02)
    assert np.mean(corrected) == pytest.approx(-0.7, abs=0.03)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_a_panel_slope_equals_statsmodels_with_clusters():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    unit, period = np.repeat(np.arange(8), 4), np.tile(np.arange(4), 8)
    x, y, w = rng.normal(size=(32, 2)), rng.normal(size=32), rng.uniform(1, 5, 32)
    dummies = np.hstack([np.eye(8)[unit], np.eye(4)[period][:, 1:]])
    known = sm.WLS(y, np.column_stack([x, dummies]), weights=w).fit(
        cov_type="cluster", cov_kwds={"groups": unit, "use_correction": False}
    )
    found = noisy_slopes(y, x, noise=np.zeros((32, 2)), weights=w, unit=unit, period=period)
    np.testing.assert_allclose(found.plain, known.params[:2])
    np.testing.assert_allclose(found.plain_se, known.bse[:2] * (8 / 7) ** 0.5)
    np.testing.assert_array_equal([*found.corrected, *found.corrected_se], [*found.plain, *found.plain_se])
    assert found.df == 7


def test_a_variable_that_is_mostly_chance_is_not_corrected():
    rng = np.random.default_rng(2)
    unit, period = np.repeat(np.arange(8), 4), np.tile(np.arange(4), 8)
    x = rng.normal(size=(32, 1))
    found = noisy_slopes(x[:, 0], x, noise=np.full((32, 1), 0.9), weights=np.ones(32), unit=unit, period=period)
    assert found.reliability[0] < 0.3
    assert np.isfinite(found.plain).all()
    assert np.isnan(found.corrected).all()
    still = noisy_slopes(
        x[:, 0], np.ones((32, 1)), noise=np.zeros((32, 1)), weights=np.ones(32), unit=unit, period=period
    )
    assert np.isnan(still.plain).all()


@pytest.mark.parametrize("errors", ["unit", "dispersion"])
@pytest.mark.parametrize("unit", [1e-10, 1e9])
def test_the_unit_of_the_outcome_does_not_matter(panel, errors, unit):
    plain = replace(panel, binomial=False)
    estimate, se, df = impute(plain).average(plain.treated, errors=errors)
    scaled = impute(replace(plain, y=plain.y * unit)).average(plain.treated, errors=errors)
    np.testing.assert_allclose(scaled, (estimate * unit, se * unit, df), rtol=1e-8)


@pytest.mark.parametrize("errors", ["unit", "dispersion"])
def test_cells_that_lie_on_the_model_have_no_standard_error(panel, errors):
    exact = replace(panel, binomial=False, y=7 + 0.1 * panel.treated)
    estimate, *rest = impute(exact).average(exact.treated, errors=errors)
    assert estimate == pytest.approx(0.1)
    assert np.isnan(rest).all()
