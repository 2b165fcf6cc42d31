"""Generalized linear and cumulative models against statsmodels; separation by linear programming."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.miscmodels.ordinal_model import OrderedModel

from khaosat.stats.glm import dependent_columns, fit_glm
from khaosat.stats.ordinal import _climb, _log_likelihood, fit_ordinal, infinite_direction, level_shares
from khaosat.stats.separation import separating_direction
from khaosat.stats.wald import wald_test

LINKS = ["logit", "probit", "cloglog", "loglog"]
FAMILIES = {
    ("gaussian", None): sm.families.Gaussian(), ("binomial", "logit"): sm.families.Binomial(),
    ("binomial", "probit"): sm.families.Binomial(sm.families.links.Probit()),
    ("binomial", "cloglog"): sm.families.Binomial(sm.families.links.CLogLog()),
    ("poisson", "log"): sm.families.Poisson(),
}  # fmt: skip


def data(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(0, 1, n), rng.integers(0, 2, n)])
    return x, x @ [0.7, -0.5] + rng.logistic(0, 1, n)


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_coefficients_equal_statsmodels(family: str, link: str | None) -> None:
    x, latent = data(1)
    outcome = {"gaussian": latent, "binomial": (latent > 0) * 1.0, "poisson": np.floor(np.exp(latent / 3))}[family]
    x = sm.add_constant(x)
    fit = fit_glm(outcome, x, weights=np.ones(len(x)), family=family, link=link)
    expected = sm.GLM(outcome, x, family=FAMILIES[family, link]).fit(tol=1e-14)
    assert fit.converged
    np.testing.assert_allclose(fit.coef, expected.params, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(fit.deviance, expected.deviance, rtol=1e-8)
    np.testing.assert_allclose(fit.influence.sum(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("distribution", ["logit", "probit"])
def test_cumulative_model_equals_statsmodels(distribution: str) -> None:
    x, latent = data(2)
    y = np.digitize(latent, [-1, 0.3, 1.5])
    fit = fit_ordinal(y, x, weights=np.ones(len(y)), link=distribution)
    model = OrderedModel(y, x, distr=distribution)
    near = model.fit(method="bfgs", disp=False, maxiter=2000)
    expected = model.fit(start_params=near.params, method="newton", disp=False)
    thresholds = model.transform_threshold_params(expected.params)[1:-1]
    np.testing.assert_allclose(fit.coef, [*expected.params[:2], *thresholds], rtol=1e-4)
    np.testing.assert_allclose(fit.log_likelihood, expected.llf, rtol=1e-8)
    shares, influence = level_shares(x, fit, weights=np.ones(len(y)))
    np.testing.assert_allclose(shares, model.predict(expected.params).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-8)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(LINKS))
def test_influence_is_the_derivative_by_a_weight(seed: int, link: str) -> None:
    x, latent = data(seed, 60)
    y = np.unique(np.digitize(latent, [-1, 0.5]), return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    w, i, h = rng.uniform(1, 4, 60), int(rng.integers(60)), 1e-5
    fit = fit_ordinal(y, x, weights=w, link=link)
    if not fit.converged or infinite_direction(y, x, fit=fit) is not None:
        return
    up, down = (fit_ordinal(y, x, weights=w + step * (np.arange(60) == i), link=link) for step in (h, -h))
    np.testing.assert_allclose(w[i] * (up.coef - down.coef) / (2 * h), fit.influence[i], rtol=1e-4, atol=1e-7)
    shares = [level_shares(x, f, weights=w + step * (np.arange(60) == i))[0] for f, step in ((up, h), (down, -h))]
    np.testing.assert_allclose(
        w[i] * (shares[0] - shares[1]) / (2 * h), level_shares(x, fit, weights=w)[1][i], rtol=1e-4, atol=1e-8
    )


def test_far_tails_keep_their_digits() -> None:
    """Answers 1 and 2 that only the far upper tail tells apart."""
    x = np.repeat([[0.0], [1.0]], 200, axis=0)
    y = np.concatenate([np.tile([0, 1, 2, 2], 50), np.full(200, 2)])
    y[-1] = 1
    fit = fit_ordinal(y, x * 40, weights=np.ones(400))
    same = fit_ordinal(y, x, weights=np.ones(400))
    assert fit.converged
    np.testing.assert_allclose(fit.coef[0] * 40, same.coef[0], rtol=1e-8)


def test_an_answer_without_weight_has_no_estimate() -> None:
    fit = fit_ordinal(np.array([0, 1, 2]), np.zeros((3, 0)), weights=np.array([1.0, 0.0, 1.0]))
    assert not fit.converged


@pytest.mark.parametrize("column", [np.zeros(6), np.arange(6.0)], ids=["zero", "twin"])
def test_a_singular_matrix_has_no_estimate(column: np.ndarray) -> None:
    x, y = np.column_stack([np.arange(6.0), column]), np.array([0, 1, 0, 2, 1, 2])
    assert not fit_ordinal(y, x, weights=np.ones(6)).converged
    fit = fit_glm(y * 1.0, np.column_stack([np.ones(6), np.zeros(6)]), weights=np.ones(6), family="poisson")
    assert not fit.converged
    assert (fit.influence == 0).all()


def test_nearly_dependent_columns_keep_their_digits() -> None:
    """Years: the constant and 2026 ± 1 are almost the same column."""
    rng = np.random.default_rng(4)
    year, y = rng.integers(2025, 2028, 400) + 0.0, rng.normal(size=400)
    far = fit_glm(y, np.column_stack([np.ones(400), year]), weights=np.ones(400), family="gaussian")
    near = fit_glm(y, np.column_stack([np.ones(400), year - 2026]), weights=np.ones(400), family="gaussian")
    np.testing.assert_allclose(far.coef[1], near.coef[1], rtol=1e-9)
    np.testing.assert_allclose(far.influence[:, 1], near.influence[:, 1], rtol=1e-5, atol=1e-12)


def test_a_fit_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    x, latent = data(6)
    y = np.digitize(latent, [-1, 1])
    monkeypatch.setattr("khaosat.stats.ordinal._ROUNDS", 2)
    monkeypatch.setattr("khaosat.stats.glm._ROUNDS", 2)
    assert not fit_ordinal(y, x, weights=np.ones(len(y))).converged
    assert not fit_glm((y > 0) * 1.0, x, weights=np.ones(len(y)), family="binomial").converged


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from(LINKS))
@example(2, "logit")
def test_a_fit_is_at_the_maximum_or_infinite(seed: int, link: str) -> None:
    """Heavy tails and rare answers at both ends: Newton's full steps do not always climb."""
    rng = np.random.default_rng(seed)
    x = rng.standard_t(3, (80, 2)) * 3
    latent = x @ [0.3, -0.3] + rng.logistic(0, 1, 80)
    y = np.unique(np.digitize(latent, np.quantile(latent, [0.02, 0.95])), return_inverse=True)[1]
    fit = fit_ordinal(y, x, weights=np.ones(80), link=link)
    if infinite_direction(y, x, fit=fit) is None:
        assert fit.converged
        np.testing.assert_allclose(fit.influence.sum(axis=0), 0, atol=1e-6)


def test_crossed_thresholds_are_no_place_to_step_to() -> None:
    y, x, ones = np.array([0, 1, 2]), np.zeros((3, 0)), np.ones(3)
    assert _log_likelihood(np.array([1.0, 0.0]), y, x, ones, "probit") == -np.inf
    start, step = np.array([0.0, 1.0]), np.array([4.0, 0.0])
    reached, _ = _climb(start, step, -np.inf, lambda c: _log_likelihood(c, y, x, ones, "probit"))
    np.testing.assert_array_equal(reached, [4, 1])
    reached, value = _climb(start, step, -9.9, lambda c: _log_likelihood(c, y, x, ones, "probit"))
    assert reached[0] < reached[1]
    assert value > -9.9
    reached, _ = _climb(start, step, 0.0, lambda c: -1.0)  # nothing is gained anywhere: it stays where it is
    np.testing.assert_allclose(reached, start, atol=1e-10)


def test_columns_that_repeat_others() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(20, 3))
    assert dependent_columns(np.column_stack([x, x[:, 0] - 2 * x[:, 2], rng.normal(size=20)])) == [3]
    assert dependent_columns(rng.normal(size=(3, 5))) == [3, 4]


@given(st.integers(0, 10_000))
def test_separation_is_found_if_and_only_if_it_is_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(30), rng.normal(size=(30, 2))])
    beta = rng.normal(size=3)
    signs = np.where(x @ beta > 0, 1.0, -1.0)
    direction = separating_direction(x * signs[:, None])
    assert direction is not None
    mixed = np.vstack([x * signs[:, None], -x[:1] * signs[0], -x[1:2] * signs[1], -x[2:3] * signs[2]])
    assert separating_direction(mixed) is None


def test_wald_test() -> None:
    v = np.array([[2.0, 0.5], [0.5, 1.0]])
    b = np.array([1.0, -2.0])
    statistic, r, left, p = wald_test(b, v, df=10)
    assert (r, left) == (2, 9)
    assert statistic == pytest.approx(9 / 20 * b @ np.linalg.inv(v) @ b)
    assert 0 < p < 1
    assert np.isnan(wald_test(b, v, df=1)[3])
    assert np.isnan(wald_test(b, np.ones((2, 2)), df=10)[3])
    # a rescaled quantity changes nothing
    assert wald_test(b * [1, 1e6], v * np.outer([1, 1e6], [1, 1e6]), df=10)[3] == pytest.approx(p)


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_a_column_far_from_zero_keeps_the_digits_of_its_standard_error(family: str, link: str | None) -> None:
    """A number of nine digits that differ in the last: the information itself cannot be inverted."""
    x, latent = data(4)
    x[:, 0] = np.round(x[:, 0] * 1024) / 1024  # so that a thousand million and it are told apart exactly
    outcome = {"gaussian": latent, "binomial": (latent > 0) * 1.0, "poisson": np.floor(np.exp(latent / 3))}[family]
    near, far = (
        fit_glm(outcome, sm.add_constant(x + [away, 0]), weights=np.ones(len(x)), family=family, link=link)
        for away in (0, 1e9)
    )
    assert far.converged
    np.testing.assert_allclose(far.coef[1:], near.coef[1:], rtol=1e-5)
    np.testing.assert_allclose(far.influence[:, 1:], near.influence[:, 1:], rtol=1e-4, atol=1e-8)
