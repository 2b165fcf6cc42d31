"""Factor models: truths are recovered, slopes are derivatives, units do not matter; extraction equals statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.multivariate.factor import Factor
from statsmodels.multivariate.factor_rotation import rotate_factors

from khaosat.stats.consistency import alpha, guttman_lambda6, omega, reliability_interval
from khaosat.stats.exploratory import extract, most_factors, random_roots, smoothed
from khaosat.stats.factor_fit import fit_indices
from khaosat.stats.factor_model import fit_factors
from khaosat.stats.item_bias import benjamini_hochberg, pseudo_r2
from khaosat.stats.item_moments import pearson_moments, polychoric_moments
from khaosat.stats.rotation import rotate

GROUPS = np.array([0, 0, 0, 1, 1, 1], dtype=np.intp)
LOADINGS = np.array([0.8, 0.7, 0.6, 0.9, 0.5, 0.75])


def implied(phi: float = 0.4) -> np.ndarray:
    r = np.outer(LOADINGS, LOADINGS) * np.where(GROUPS[:, None] == GROUPS, 1.0, phi)
    np.fill_diagonal(r, 1.0)
    return r


def disturbed(seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).multivariate_normal(np.zeros(6), implied(), 250)
    return np.cov(x.T)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_matrix_of_the_model_is_reproduced(weighted: bool) -> None:
    variances = np.random.default_rng(1).uniform(1, 3, (6, 6)) if weighted else None
    if variances is not None:
        variances = variances + variances.T
    fit = fit_factors(implied(), GROUPS, variances=variances)
    np.testing.assert_allclose(fit.loadings, LOADINGS, atol=1e-8)
    assert fit.factor_correlations[0, 1] == pytest.approx(0.4, abs=1e-8)
    assert fit.discrepancy == pytest.approx(0, abs=1e-12)


def test_maximum_likelihood_does_not_mind_units() -> None:
    s, scale = disturbed(), np.array([1.0, 10.0, 0.1, 2.0, 5.0, 100.0])
    fit, scaled = fit_factors(s, GROUPS), fit_factors(s * np.outer(scale, scale), GROUPS)
    np.testing.assert_allclose(scaled.loadings, fit.loadings * scale, rtol=1e-7)
    assert scaled.discrepancy == pytest.approx(fit.discrepancy, rel=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_slopes_are_derivatives_by_the_matrix(weighted: bool) -> None:
    s, upper = disturbed(2), np.triu_indices(6)
    s = s / np.sqrt(np.outer(np.diag(s), np.diag(s)))
    variances = np.full((6, 6), 0.01) + 0.02 * implied() if weighted else None

    def parameters(matrix: np.ndarray) -> np.ndarray:
        fit = fit_factors(matrix, GROUPS, variances=variances)
        free = [] if weighted else [fit.uniquenesses]
        return np.concatenate([fit.loadings, fit.factor_correlations[[0], [1]], *free])

    slopes = fit_factors(s, GROUPS, variances=variances).slopes
    for place, (j, k) in enumerate(zip(*upper, strict=True)):
        if weighted and j == k:
            continue
        step = np.zeros((6, 6))
        step[j, k] = step[k, j] = 1e-5
        found = (parameters(s + step) - parameters(s - step)) / 2e-5
        np.testing.assert_allclose(slopes[:, place], found, atol=2e-7)


def test_a_single_group_of_three_is_exact_and_a_heywood_case_is_reached() -> None:
    r = np.array([[1, 0.7, 0.7], [0.7, 1, 0.4], [0.7, 0.4, 1]])
    fit = fit_factors(r, np.zeros(3, dtype=np.intp))
    assert fit.loadings[0] == pytest.approx(np.sqrt(0.7 * 0.7 / 0.4), rel=1e-8)
    assert fit.uniquenesses[0] < 0


def test_no_solution_is_said_and_a_singular_matrix_refused() -> None:
    r = np.array([[1, 0.5, 0.5], [0.5, 1, -0.4], [0.5, -0.4, 1]])
    assert not fit_factors(r, np.zeros(3, dtype=np.intp)).converged
    with pytest.raises(ValueError, match="positive definite"):
        fit_factors(np.ones((3, 3)), np.zeros(3, dtype=np.intp))


def test_corrected_chi_squared_of_normal_answers_is_the_plain_one() -> None:
    """Drawn one by one from normal variables the correction has nothing to correct but chance."""
    x = np.random.default_rng(8).multivariate_normal(np.zeros(6), implied(), 20_000)
    moments = pearson_moments(x, np.ones(len(x)))
    fit = fit_factors(moments.matrix, GROUPS)
    plain, scaled = fit_indices(moments, fit, n=len(x), covariance=lambda z: z.T @ z)
    assert plain.df == 8
    assert scaled.chi2 == pytest.approx(plain.chi2, rel=0.1)
    assert plain.p_value > 0.001
    assert plain.rmsea_low <= plain.rmsea <= plain.rmsea_high
    # four copies of every respondent, counted as if drawn: the plain statistic is fooled, the corrected one is not
    four = pearson_moments(np.repeat(x[:400], 4, axis=0), np.ones(1600))
    fit = fit_factors(four.matrix, GROUPS)
    fooled, corrected = fit_indices(
        four, fit, n=1600, covariance=lambda z: (u := z.reshape(400, 4, -1).sum(axis=1)).T @ u
    )  # fmt: skip
    once = pearson_moments(x[:400], np.ones(400))
    honest, _ = fit_indices(once, fit_factors(once.matrix, GROUPS), n=400, covariance=lambda z: z.T @ z)
    assert fooled.chi2 == pytest.approx(4 * honest.chi2, rel=1e-3)
    assert corrected.chi2 == pytest.approx(honest.chi2, rel=0.1)


# Exploratory ----------------------------------------------------------------------------------------------------------


def test_extraction_equals_statsmodels() -> None:
    r = disturbed(4)
    r = r / np.sqrt(np.outer(np.diag(r), np.diag(r)))
    other = Factor(corr=r, n_factor=2, method="ml", nobs=250).fit()
    found = extract(r, 2, rotation="none")
    assert found.converged
    np.testing.assert_allclose(found.uniquenesses, other.uniqueness, atol=1e-4)
    np.testing.assert_allclose(
        found.loadings @ found.loadings.T, np.asarray(other.loadings) @ np.asarray(other.loadings).T, atol=1e-4
    )


@pytest.mark.parametrize("rotation", ["varimax", "promax", "oblimin"])
def test_rotation_keeps_the_common_part(rotation: str) -> None:
    a = np.random.default_rng(3).normal(size=(8, 3))
    loadings, phi = rotate(a, rotation)
    np.testing.assert_allclose(loadings @ phi @ loadings.T, a @ a.T, atol=1e-8)
    np.testing.assert_allclose(np.diag(phi), 1, atol=1e-12)
    turned = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    np.testing.assert_allclose(rotate(a @ turned, rotation)[0], loadings, atol=1e-5)  # where it started is no matter


def test_oblimin_equals_statsmodels() -> None:
    a = np.random.default_rng(5).uniform(-0.3, 0.9, (9, 2))
    other = np.asarray(rotate_factors(a, "quartimin", tol=1e-6, max_tries=1000)[0])
    found = rotate(a, "oblimin")[0]
    order = np.argsort(-(other**2).sum(axis=0))
    other = other[:, order] * np.where(other[:, order].sum(axis=0) < 0, -1, 1)
    np.testing.assert_allclose(found, other, atol=1e-5)


def test_minres_has_the_least_residuals() -> None:
    r = disturbed(6)
    r = r / np.sqrt(np.outer(np.diag(r), np.diag(r)))

    def residual(method: str) -> float:
        found = extract(r, 2, method=method, rotation="none")
        away = r - found.loadings @ found.loadings.T
        return float((away[np.triu_indices(6, 1)] ** 2).sum())

    assert residual("minres") <= residual("ml")
    assert residual("minres") < 1.02 * residual("ml") + 1e-3


def test_heywood_and_small_sets() -> None:
    r = np.array([[1, 0.95, 0.9, 0.1], [0.95, 1, 0.5, 0.1], [0.9, 0.5, 1, 0.1], [0.1, 0.1, 0.1, 1]])
    assert extract(smoothed(r), 1).heywood
    assert [most_factors(p) for p in (1, 2, 3, 4, 5, 6)] == [0, 0, 1, 1, 2, 3]
    assert smoothed(implied()) is not None
    np.testing.assert_array_equal(smoothed(implied()), implied())


def test_shuffled_answers_have_roots_near_one_and_wide_ones_with_uneven_weights() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 4)) + rng.normal(size=(300, 1))
    x[rng.random(x.shape) < 0.1] = np.nan
    own, random = random_roots(x, np.ones(300), draws=30, rng=np.random.default_rng(2))
    assert own.sum() == pytest.approx(4)
    np.testing.assert_allclose(random.sum(axis=1), 4)
    assert own[0] > random[:, 0].max()
    _, uneven = random_roots(x, rng.exponential(size=300) ** 2, draws=30, rng=np.random.default_rng(2))
    assert uneven[:, 0].mean() > random[:, 0].mean()
    again = random_roots(x, np.ones(300), draws=30, rng=np.random.default_rng(2))[1]
    np.testing.assert_array_equal(random, again)


# Consistency and item bias --------------------------------------------------------------------------------------------


def test_alpha_of_parallel_items_is_omega_and_the_spearman_brown_value() -> None:
    r = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
    spearman_brown = 5 * 0.4 / (1 + 4 * 0.4)
    assert alpha(r) == pytest.approx(spearman_brown)
    assert guttman_lambda6(r) < alpha(r)
    x = np.random.default_rng(7).multivariate_normal(np.zeros(5), r, 500)
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T @ np.linalg.cholesky(r).T
    assert omega(pearson_moments(x, np.ones(500))).value == pytest.approx(spearman_brown, rel=1e-7)


def test_omega_influence_is_the_derivative_by_a_weight() -> None:
    x = np.random.default_rng(9).normal(size=(80, 4)) + np.random.default_rng(10).normal(size=(80, 1))
    weights = np.random.default_rng(11).uniform(1, 4, 80)
    found = omega(pearson_moments(x, weights)).influence
    for i in (0, 13, 50):
        ends = []
        for step in (1e-4, -1e-4):
            moved = weights.copy()
            moved[i] += step
            ends.append(omega(pearson_moments(x, moved)).value)
        assert found[i] == pytest.approx((ends[0] - ends[1]) / 2e-4 * weights[i], abs=1e-8)


def test_intervals_of_reliability_stay_below_one() -> None:
    low, high = reliability_interval([0.99, 0.2, -0.5], [0.05, 0.3, 0.4], df=3)
    assert (high < 1).all()
    assert (low < [0.99, 0.2, -0.5]).all()
    assert np.isnan(reliability_interval(0.5, 0.1, df=0)).all()


def test_adjusted_p_values_equal_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(12).uniform(size=20) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)


def test_pseudo_r2_has_its_limits() -> None:
    assert pseudo_r2(-70.0, -70.0, 100) == pytest.approx(0)
    assert pseudo_r2(0.0, -70.0, 100) == pytest.approx(1)
    assert pseudo_r2(-40.0, -70.0, 100, "cox_snell") < pseudo_r2(-40.0, -70.0, 100)


def test_wrong_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="method must be one of"):
        extract(implied(), 2, method="other")
    with pytest.raises(ValueError, match="rotation must be one of"):
        rotate(np.eye(3)[:, :2], "other")


def test_no_omega_of_two_items_or_of_a_loading_above_one() -> None:
    x = np.random.default_rng(13).normal(size=(50, 2))
    two = omega(pearson_moments(x, np.ones(50)))
    assert np.isnan(two.value)
    assert (two.influence == 0).all()
    assert np.isnan(omega(pearson_moments(np.column_stack([x, x.sum(axis=1)]), np.ones(50))).value)
    rng = np.random.default_rng(14)
    z = rng.multivariate_normal(np.zeros(3), [[1, 0.75, 0.75], [0.75, 1, 0.4], [0.75, 0.4, 1]], 3000)
    beyond = omega(polychoric_moments(np.digitize(z, [-0.5, 0.5]), np.ones(3000)))
    assert beyond.fit.loadings[0] > 1
    assert np.isnan(beyond.value)
    assert np.isnan(guttman_lambda6(np.ones((3, 3))))
