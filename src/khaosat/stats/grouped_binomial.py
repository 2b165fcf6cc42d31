r"""Binomial regression on counts: cells with the same predictors are one row, and nothing is lost.

With :math:`y_c` of :math:`n_c` in cell c and :math:`\mu_c = g^{-1}(x_c'\beta)` the likelihood is that of the single
cases. Coefficients, covariances and average effects are therefore those of the row-level fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Link = Literal["logit", "cloglog"]

_ROUNDS = 100
_STILL = 1e-11
"""The linear predictor of no cell moves by more in the last round."""
_FAR = 25.0
"""A linear predictor beyond this says that a cell is on its way to infinity: the data are separated."""
_EDGE = 1e-14


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupedFit:
    """Coefficients and what their covariance is made of.

    Parameters
    ----------
    coef
        Coefficients.
    inverse
        Inverse of the expected information, with the penalty where there is one.
    influence
        What each cell adds to the coefficients (cells × coefficients).
    fitted, slope
        Chance of each cell, and its derivative by the linear predictor.
    deviance
        Of the fit.
    converged
        Whether the last round left the fit unchanged, and no cell at a chance of 0 or 1.
    """

    coef: Floats
    inverse: Floats
    influence: Floats
    fitted: Floats
    slope: Floats
    deviance: float
    converged: bool


def fit_grouped(count: Floats, total: Floats, x: Floats, *, link: Link = "logit", ridge: float = 0.0) -> GroupedFit:
    r"""Fit by Fisher scoring.

    Parameters
    ----------
    count, total
        Successes and cases of each cell.
    x
        Model matrix, the constant first, of full column rank unless there is a ridge.
    link
        ``logit``, or ``cloglog``: :math:`\log\{-\log(1-\mu)\}`, with which cells of a discrete-time hazard model have
        proportional hazards.
    ridge
        :math:`\lambda` of the penalty :math:`\lambda/2 \sum_{j>0}\beta_j^2`, for separated data.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, ch. 4. Prentice and Gloeckler (1978), Biometrics 34, 57-67.

    Examples
    --------
    >>> found = fit_grouped(np.array([1.0, 3.0]), np.array([4.0, 4.0]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    >>> found.coef.round(4).tolist()
    [-1.0986, 2.1972]
    """
    penalty = np.full(x.shape[1], ridge)
    penalty[0] = 0.0
    start = (count + 0.5) / (total + 1)
    eta = np.log(start / (1 - start)) if link == "logit" else np.log(-np.log1p(-start))
    coef: Floats = np.zeros(x.shape[1])
    converged = False
    for _ in range(_ROUNDS):
        mu, slope = mean_slope(eta, link)
        weight = total * slope**2 / (mu * (1 - mu))
        working = eta + (np.divide(count, total, where=total > 0, out=mu.copy()) - mu) / slope
        information = x.T @ (weight[:, None] * x) + np.diag(penalty)
        coef = np.asarray(np.linalg.solve(information, x.T @ (weight * working)), dtype=np.float64)
        eta, before = x @ coef, eta
        if np.abs(eta - before).max(initial=0.0) <= _STILL:
            converged = True
            break
    mu, slope = mean_slope(eta, link)
    weight = total * slope**2 / (mu * (1 - mu))
    inverse: Floats = np.asarray(np.linalg.inv(x.T @ (weight[:, None] * x) + np.diag(penalty)), dtype=np.float64)
    score = (slope / (mu * (1 - mu)) * (count - total * mu))[:, None] * x
    return GroupedFit(
        coef=coef,
        inverse=inverse,
        influence=score @ inverse,
        fitted=mu,
        slope=slope,
        deviance=_deviance(count, total, mu),
        converged=converged and bool(np.abs(eta).max(initial=0.0) < _FAR),
    )


def mean_slope(eta: Floats, link: Link) -> tuple[Floats, Floats]:
    """Chance at a linear predictor, and its derivative, both held off 0.

    >>> [values.tolist() for values in mean_slope(np.zeros(1), "logit")]
    [[0.5], [0.25]]
    """
    from scipy.special import expit

    if link == "logit":
        mu = np.clip(expit(eta), _EDGE, 1 - _EDGE)
        return mu, mu * (1 - mu)
    bounded = np.clip(eta, -32, 3.5)
    mu = np.clip(-np.expm1(-np.exp(bounded)), _EDGE, 1 - _EDGE)
    return mu, np.maximum(np.exp(bounded - np.exp(bounded)), _EDGE)


def cluster_covariance(influence: Floats, cluster: Codes) -> Floats:
    """Sandwich covariance with cells summed over clusters, times G/(G - 1); NaN with a single cluster.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22.

    Examples
    --------
    >>> cluster_covariance(np.array([[1.0], [-1.0], [2.0]]), np.array([0, 0, 1])).tolist()
    [[8.0]]
    """
    groups = int(cluster.max(initial=-1)) + 1
    if groups < 2:
        return np.full((influence.shape[1],) * 2, np.nan)
    sums = np.column_stack([np.bincount(cluster, weights=column, minlength=groups) for column in influence.T])
    return np.asarray(groups / (groups - 1) * sums.T @ sums)


def independent_columns(x: Floats, weight: Floats) -> NDArray[np.bool_]:
    """Columns that are no combination of those before them.

    >>> independent_columns(np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]), np.ones(2)).tolist()
    [True, True, False]
    """
    from scipy.linalg import cholesky

    gram = x.T @ (weight[:, None] * x)
    size = np.sqrt(np.maximum(np.diagonal(gram), 1e-300))
    gram = gram / np.outer(size, size)
    kept = np.zeros(x.shape[1], dtype=bool)
    for j in range(x.shape[1]):
        some = np.flatnonzero(kept)
        rest = gram[j, j]
        if len(some):
            lower = cholesky(gram[np.ix_(some, some)], lower=True)
            rest -= float((np.linalg.solve(lower, gram[some, j]) ** 2).sum())
        kept[j] = rest > 1e-9
    return kept


def _deviance(count: Floats, total: Floats, mu: Floats) -> float:
    from scipy.special import xlogy

    share = np.divide(count, total, where=total > 0, out=np.zeros_like(mu))
    return float(2 * (total * (xlogy(share, share / mu) + xlogy(1 - share, (1 - share) / (1 - mu)))).sum())
