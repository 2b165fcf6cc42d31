"""Binomial regression on counts: equal to the fit to rows and to statsmodels; effects against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from khaosat.stats.grouped_binomial import cluster_covariance, fit_grouped, independent_columns, mean_slope
from khaosat.stats.grouped_effects import Block, level_effects
from khaosat.stats.held_out_chances import boosted_chances, skill


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(7)
    a, b, cluster = rng.integers(0, 3, 900), rng.integers(0, 2, 900), rng.integers(0, 30, 900)
    x = np.column_stack([np.ones(900), a == 1, a == 2, b]).astype(float)
    y = (rng.random(900) < 0.1 + 0.12 * a + 0.05 * b).astype(float)
    return x, y, a * 2 + b, cluster


def grouped(rows):
    x, y, key, _ = rows
    first = np.unique(key, return_index=True)[1]
    return np.bincount(key, weights=y), np.bincount(key).astype(float), x[first]


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_counts_give_the_fit_to_rows_and_that_of_statsmodels(rows, link):
    import statsmodels.api as sm

    x, y, _, _ = rows
    by_row, by_cell = fit_grouped(y, np.ones(len(y)), x, link=link), fit_grouped(*grouped(rows), link=link)
    np.testing.assert_allclose(by_cell.coef, by_row.coef, atol=1e-8)
    np.testing.assert_allclose(by_cell.inverse, by_row.inverse, atol=1e-8)
    other = {"logit": sm.families.links.Logit(), "cloglog": sm.families.links.CLogLog()}[link]
    glm = sm.GLM(y, x, family=sm.families.Binomial(other)).fit(tol=1e-14, maxiter=200)
    np.testing.assert_allclose(by_cell.coef, glm.params, atol=1e-6)
    np.testing.assert_allclose(by_cell.inverse, glm.cov_params(), atol=1e-6)
    assert by_cell.deviance < by_row.deviance


def test_a_discrete_time_hazard_on_counts_is_that_of_statsmodels(rows):
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    at_risk = rng.integers(20, 200, 12).astype(float)
    ends = rng.binomial(at_risk.astype(int), 0.2).astype(float)
    day = np.tile(np.arange(6), 2)
    x = np.column_stack([np.ones(12), *(day == t for t in range(1, 6)), np.repeat([0, 1], 6)]).astype(float)
    found = fit_grouped(ends, at_risk, x, link="cloglog")
    family = sm.families.Binomial(sm.families.links.CLogLog())
    glm = sm.GLM(np.column_stack([ends, at_risk - ends]), x, family=family).fit(tol=1e-14, maxiter=200)
    np.testing.assert_allclose(found.coef, glm.params, atol=1e-6)


def test_the_cluster_covariance_is_that_of_statsmodels(rows):
    import statsmodels.api as sm

    x, y, _, cluster = rows
    found = cluster_covariance(fit_grouped(y, np.ones(len(y)), x).influence, cluster)
    glm = sm.GLM(y, x, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}, tol=1e-14
    )
    np.testing.assert_allclose(found * 29 / 30, glm.cov_params(), atol=1e-8)
    assert np.isnan(cluster_covariance(np.ones((3, 1)), np.zeros(3, dtype=np.intp))).all()


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_effects_are_differences_of_means_with_delta_method_errors(rows, link):
    count, total, x = grouped(rows)
    fit = fit_grouped(count, total, x, link=link)
    block = Block(code=np.repeat([0, 1, 2], 2), columns=[-1, 1, 2])
    average, excess = level_effects(x, fit, block, 2, total=total, link=link)

    def mean(coef, level):
        moved = x.copy()
        moved[:, 1:3] = np.eye(3)[level, 1:]
        return mean_slope(moved @ coef, link)[0]

    value = total @ (mean(fit.coef, 2) - mean(fit.coef, 0)) / total.sum()
    assert average.value == pytest.approx(value, abs=1e-12)
    there = np.where(block.code == 2, total, 0)
    assert excess.value == pytest.approx(there @ (mean(fit.coef, 2) - mean(fit.coef, 0)), abs=1e-9)
    for j in range(4):
        step = np.zeros(4)
        step[j] = 1e-6
        slope = total @ (mean(fit.coef + step, 2) - mean(fit.coef + step, 0)
                         - mean(fit.coef - step, 2) + mean(fit.coef - step, 0)) / total.sum() / 2e-6  # fmt: skip
        assert average.gradient[j] == pytest.approx(slope, abs=1e-7)


def test_separated_data_say_so_and_a_ridge_holds_them():
    count, total, x = np.array([5.0, 20.0]), np.array([20.0, 20.0]), np.array([[1.0, 0.0], [1.0, 1.0]])
    assert not fit_grouped(count, total, x).converged
    held = fit_grouped(count, total, x, ridge=0.5)
    assert held.converged
    assert 0 < held.coef[1] < 10


def test_a_column_that_others_determine_is_found():
    x = np.column_stack([np.ones(6), [1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1]]).astype(float)
    assert independent_columns(x, np.ones(6)).tolist() == [True, True, False]


def test_skill_is_that_of_scikit_learn(rows):
    from sklearn.metrics import brier_score_loss, roc_auc_score

    x, y, _, _ = rows
    chance = fit_grouped(y, np.ones(len(y)), x).fitted
    count, total, cells = grouped(rows)
    found = skill(fit_grouped(count, total, cells).fitted, count, total)
    assert found.auc == pytest.approx(roc_auc_score(y, chance), abs=1e-9)
    assert found.brier == pytest.approx(brier_score_loss(y, chance), abs=1e-9)
    assert np.isnan(skill(np.array([0.5]), np.array([2.0]), np.array([2.0])).auc)


def test_boosted_chances_learn_from_counts():
    codes = np.array([[i % 2, i // 2] for i in range(80)])
    total = np.full(80, 400.0)
    count = np.where(codes[:, 0] == 0, 40.0, 280.0)
    found = boosted_chances(codes, count, total, asked=codes)
    np.testing.assert_allclose(found, count / total, atol=0.05)
