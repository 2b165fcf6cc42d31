"""Internal consistency of a sum of items: alpha, omega and their relatives, with gradients for standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from khaosat.stats.bivariate_normal import bivariate_cdf
from khaosat.stats.factor_model import FactorFit, fit_factors
from khaosat.stats.intervals import Bounds, t_quantile
from khaosat.stats.item_moments import ItemMoments

Floats = NDArray[np.float64]

_STEP = 1e-5
"""Step of the numerical derivatives of categorical omega, whose values are good to 15 digits."""


def alpha(covariance: ArrayLike) -> float:
    r"""Cronbach's alpha: :math:`\alpha = \frac{k}{k-1}\{1 - \mathrm{tr} S / \mathbf{1}'S\mathbf{1}\}`.

    NaN of one item, or where the sum of the items does not vary.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334.

    Examples
    --------
    >>> alpha([[1.0, 0.5], [0.5, 1.0]])
    0.6666666666666667
    """
    s = np.asarray(covariance, dtype=float)
    k, total = len(s), float(s.sum())
    return k / (k - 1) * (1 - float(np.trace(s)) / total) if k > 1 and total > 0 else float("nan")


def alpha_influence(moments: ItemMoments) -> Floats:
    """Influence of each respondent on alpha of the items' covariances; zero where there is no alpha.

    >>> from khaosat.stats.item_moments import pearson_moments
    >>> x = np.array([[1.0, 2.0], [2.0, 1.0], [6.0, 3.0], [5.0, 5.0]])
    >>> float(alpha_influence(pearson_moments(x, np.ones(4))).sum().round(12)) + 0
    0.0
    """
    s, k = moments.covariance, len(moments.matrix)
    total, trace = float(s.sum()), float(np.trace(s))
    if k < 2 or total <= 0:
        return np.zeros(len(moments.influence))
    upper = np.triu_indices(k)
    gradient = np.where(upper[0] == upper[1], trace / total**2 - 1 / total, 2 * trace / total**2)
    return np.asarray(moments.influence @ (gradient * np.outer(moments.scale, moments.scale)[upper]) * k / (k - 1))


def guttman_lambda6(correlations: Floats) -> float:
    r"""Guttman's lambda 6, :math:`1 - \sum_j (1 - R_j^2) / \mathbf{1}'R\mathbf{1}`; NaN of a singular matrix.

    References
    ----------
    Guttman (1945), Psychometrika 10, 255-282.

    Examples
    --------
    >>> round(guttman_lambda6(np.array([[1.0, 0.5], [0.5, 1.0]])), 4)
    0.5
    """
    if np.linalg.cond(correlations) > 1e12:
        return float("nan")
    return float(1 - (1 / np.diagonal(np.linalg.inv(correlations))).sum() / correlations.sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Omega:
    """Omega with its factor model.

    Parameters
    ----------
    value
        NaN where the model has no solution.
    influence
        Of each respondent on it.
    fit
        The one-factor model, on correlations.
    """

    value: float
    influence: Floats
    fit: FactorFit | None


def omega(moments: ItemMoments) -> Omega:
    r"""Omega total of one factor: :math:`(\sum\lambda_j)^2 / \{(\sum\lambda_j)^2 + \sum\theta_j\}`.

    Of polychoric correlations it is the categorical omega of Green and Yang: the share of the variance of the sum of
    the answers themselves that the factor explains. It needs three items; two have too few correlations for the model.

    References
    ----------
    McDonald (1999), Test Theory, ch. 6. Green and Yang (2009), Psychometrika 74, 155-167.

    Examples
    --------
    >>> from khaosat.stats.item_moments import pearson_moments
    >>> z = np.random.default_rng(0).normal(size=(400, 4))
    >>> omega(pearson_moments(z[:, :1] + z[:, 1:], np.ones(400))).value.__round__(2)
    0.76
    """
    n, p = len(moments.influence), len(moments.matrix)
    none = Omega(value=float("nan"), influence=np.zeros(n), fit=None)
    if p < 3:
        return none
    one, upper = np.zeros(p, dtype=np.intp), np.triu_indices(p)
    variances = None
    if moments.thresholds:
        variances = np.zeros((p, p))
        variances[upper] = variances.T[upper] = moments.variance
    try:
        fit = fit_factors(moments.matrix, one, variances=variances)
    except ValueError:
        return none
    if not fit.converged:
        return none
    by_loading = moments.influence @ fit.slopes[:p].T
    if moments.thresholds:
        return _categorical(moments, fit, by_loading)
    loadings, unique = fit.loadings * moments.scale, fit.uniquenesses * moments.scale**2
    common, own = float(loadings.sum()) ** 2, float(unique.sum())
    gradient = 2 * loadings.sum() * own / (common + own) ** 2 * moments.scale
    by_unique = moments.influence @ fit.slopes[p:].T @ (-common / (common + own) ** 2 * moments.scale**2)
    return Omega(value=common / (common + own), influence=by_loading @ gradient + by_unique, fit=fit)


def _categorical(moments: ItemMoments, fit: FactorFit, by_loading: Floats) -> Omega:
    """Green and Yang's omega; its gradient by differences of cumulative probabilities that are exact to 15 digits."""
    counts = [len(tau) for tau in moments.thresholds]

    def value(parameters: Floats) -> float:
        loadings, tau = parameters[: len(counts)], np.split(parameters[len(counts) :], np.cumsum(counts)[:-1])
        common = np.outer(loadings, loadings)
        together = common.copy()
        np.fill_diagonal(together, 1.0)
        return _score_covariance(tau, common) / _score_covariance(tau, together)

    at = np.concatenate([fit.loadings, *moments.thresholds])
    if (np.abs(fit.loadings) >= 1).any():
        return Omega(value=float("nan"), influence=np.zeros(len(moments.influence)), fit=fit)
    steps = _STEP * np.eye(len(at))
    slopes = np.array([value(at + step) - value(at - step) for step in steps]) / (2 * _STEP)
    influence = np.hstack([by_loading, *moments.threshold_influence])
    return Omega(value=value(at), influence=influence @ slopes, fit=fit)


def _score_covariance(tau: list[Floats], correlations: Floats) -> float:
    r"""Sum of covariances of all pairs of answers cut from normal variables: :math:`\sum \Phi_2 - \Phi\Phi`."""
    from scipy.special import ndtr

    every = np.concatenate(tau)
    item = np.repeat(np.arange(len(tau)), [len(part) for part in tau])
    r, low = correlations[np.ix_(item, item)], np.minimum.outer(every, every)
    whole = r >= 1  # an item with itself
    joint = np.where(whole, ndtr(low), bivariate_cdf(every[:, None], every[None, :], np.where(whole, 0.0, r)))
    return float((joint - np.outer(ndtr(every), ndtr(every))).sum())


def feldt_interval(value: float, *, n: int, k: int, level: float) -> tuple[float, float]:
    r"""Interval of alpha in a simple random sample: :math:`1 - (1 - \alpha) F_{n-1,\,(n-1)(k-1)}`.

    References
    ----------
    Feldt, Woodruff and Salih (1987), Applied Psychological Measurement 11, 93-103.

    Examples
    --------
    >>> [round(end, 4) for end in feldt_interval(0.8133031, n=2694, k=5, level=0.95)]
    [0.8019, 0.8242]
    """
    from scipy.special import fdtri

    if not np.isfinite(value) or n < 2 or k < 2:
        return float("nan"), float("nan")
    df = (n - 1, (n - 1) * (k - 1))
    low, high = (1 - (1 - value) * float(fdtri(*df, tail)) for tail in ((1 + level) / 2, (1 - level) / 2))
    return low, high


def reliability_interval(value: ArrayLike, se: ArrayLike, *, df: ArrayLike, level: float = 0.95) -> Bounds:
    r"""Student's interval of :math:`\log(1 - \rho)`, whose distribution is nearly normal, turned back; never above 1.

    References
    ----------
    Bonett (2002), Journal of Educational and Behavioral Statistics 27, 335-340.

    Examples
    --------
    >>> low, high = reliability_interval(0.8, 0.02, df=40)
    >>> float(low.round(4)), float(high.round(4))
    (0.7552, 0.8366)
    """
    middle, error = np.asarray(value, dtype=float), np.asarray(se, dtype=float)
    rest = np.where(middle < 1, 1 - middle, np.nan)
    half = t_quantile(level, df) * error / rest
    return 1 - rest * np.exp(half), 1 - rest * np.exp(-half)
