r"""Generalized linear models by pseudo-likelihood, with the influence of every respondent on the coefficients.

The coefficients solve :math:`\sum_i w_i x_i \,\mu'(\eta_i)(y_i - \mu_i)/V(\mu_i) = 0`, :math:`\eta_i = x_i'\beta`: what
the model would give for the whole population (Binder 1983). The influence of a respondent is their summand times the
inverse of the expected information.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Family = Literal["gaussian", "binomial", "poisson"]
GLMLink = Literal["identity", "log", "logit", "probit", "cloglog"]

LINKS: dict[Family, tuple[GLMLink, ...]] = {
    "gaussian": ("identity",), "binomial": ("logit", "probit", "cloglog"), "poisson": ("log",),
}  # fmt: skip
"""Links of each family, its usual one first."""

_TINY = 1e-15
_ROUNDS = 60
_SURE = 1e-6
"""Least eigenvalue of a correlation matrix above which its columns are independent beyond doubt."""
_ENOUGH = 1e-8
"""Relative change of the deviance at which R's glm stops."""
_STILL = 1e-3
"""The fit must stay where it is by this much in one more round: on the way to infinity each goes about as far."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GLMFit:
    """Coefficients and what follows from them.

    Parameters
    ----------
    coef
        Coefficients.
    influence
        Weighted influence of each respondent on each coefficient (n × p); they sum to zero.
    fitted
        Fitted means.
    deviance, null_deviance
        Of the model and of the weighted mean alone, with the weights scaled to a mean of 1.
    dispersion
        Weighted variance of the Pearson residuals.
    converged
        Whether the last round left the fit unchanged.
    """

    coef: Floats
    influence: Floats
    fitted: Floats
    deviance: float
    null_deviance: float
    dispersion: float
    converged: bool


def fit_glm(y: Floats, x: Floats, *, weights: Floats, family: Family, link: GLMLink | None = None) -> GLMFit:
    """Fit by iteratively reweighted least squares.

    Parameters
    ----------
    y
        Outcome: numbers, 0/1 (binomial), counts (poisson).
    x
        Model matrix of full column rank.
    weights
        Sampling weights; only their proportions matter.
    family, link
        Distribution and link; None: the usual link of the family.

    Notes
    -----
    Stops where R's glm does and takes the information at the working weights of the last round, as R does, so that
    standard errors agree with R's svyglm to more digits than they are exact (about five).

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292. McCullagh and Nelder (1989), Generalized Linear
    Models, 2.5.

    Examples
    --------
    >>> x = np.column_stack([np.ones(4), [0, 0, 1, 1]])
    >>> fit_glm(np.array([1.0, 2.0, 3.0, 6.0]), x, weights=np.array([1.0, 3.0, 1.0, 1.0]), family="gaussian").coef
    array([1.75, 2.75])
    """
    w = weights / weights.mean()
    link = link or LINKS[family][0]
    canonical = link == LINKS[family][0]  # then the slope of the mean is the variance
    mean_of, slope_of = _LINKS[link]
    variance, deviance = _VARIANCES[family], _DEVIANCES[family]

    def working(eta: Floats, mu: Floats) -> tuple[Floats, Floats]:
        """Working residuals and working weights of a fit."""
        slope = slope_of(eta, mu)
        return (y - mu) / slope, w * slope if canonical else w * slope**2 / variance(mu)

    eta = _start(y, w, family, link)
    mu, before, settled = mean_of(eta), np.inf, False
    coef, influence, offset = np.zeros(x.shape[1]), np.zeros(x.shape), eta
    with np.errstate(all="ignore"):
        for turn in range(_ROUNDS):
            residual, heavy = working(eta, mu)
            try:
                coef = coef + _least_squares(x, offset + residual, heavy)
            except np.linalg.LinAlgError:
                break
            eta, offset = x @ coef, np.zeros(1)  # from here on a round adds to the fit: rounding does not pile up
            mu = mean_of(eta)
            now = float(np.sum(w * deviance(y, mu)))
            if abs(now - before) < _ENOUGH * (abs(now) + 0.1) or (family == "gaussian" and turn == 1):
                influence = _influence(x, working(eta, mu)[0], heavy)
                onward = x @ influence.sum(axis=0)  # where the next round would go
                settled = bool(np.abs(onward).max() < _STILL * (1 + np.abs(eta).max()))
                break
            before = now
    average = np.full(1, np.average(y, weights=w))
    pearson = (y - mu) / np.sqrt(variance(mu))
    spread = np.sum(w * (pearson - np.average(pearson, weights=w)) ** 2) / max(len(y) - 1, 1)
    return GLMFit(
        coef=coef, influence=influence, fitted=mu, deviance=float(np.sum(w * deviance(y, mu))),
        null_deviance=float(np.sum(w * deviance(y, average))), dispersion=float(spread), converged=settled,
    )  # fmt: skip


def dependent_columns(x: Floats) -> list[int]:
    """Columns that are combinations of those before them.

    >>> dependent_columns(np.column_stack([np.ones(3), [1, 2, 3], [2, 3, 4]]))
    [2]
    """
    gram = x.T @ x
    size = np.sqrt(np.diagonal(gram))
    size = np.where(size > 0, size, 1)
    if np.linalg.eigvalsh(gram / np.outer(size, size)).min(initial=1) > _SURE:
        return []
    r = np.linalg.qr(x / size, mode="r")
    kept = np.abs(np.diagonal(r)) > 1e-9
    return [j for j in range(x.shape[1]) if j >= len(kept) or not kept[j]]


def _least_squares(x: Floats, z: Floats, weights: Floats) -> Floats:
    """Weighted least squares; by normal equations, five times as fast, where these keep all digits but the last few."""
    heavy = x.T * weights
    scaled, size, sure = _information(x, heavy)
    if not sure:
        root = np.sqrt(weights)
        q, r = np.linalg.qr(x * root[:, None])
        return np.asarray(np.linalg.solve(r, q.T @ (root * z)), dtype=float)
    return np.asarray(np.linalg.solve(scaled, heavy @ z / size) / size, dtype=float)


def _influence(x: Floats, residual: Floats, weights: Floats) -> Floats:
    """Summands of :func:`_least_squares` of the residuals, one row a respondent."""
    scaled, size, sure = _information(x, x.T * weights)
    if not sure:
        root = np.sqrt(weights)
        q, r = np.linalg.qr(x * root[:, None])
        return np.asarray(np.linalg.solve(r, (q * (root * residual)[:, None]).T).T, dtype=float)
    inverse = np.linalg.solve(scaled, np.eye(len(size))) / np.outer(size, size)
    return np.asarray((inverse @ (x.T * (weights * residual))).T, dtype=float)


def _information(x: Floats, heavy: Floats) -> tuple[Floats, Floats, bool]:
    """Information with columns scaled so that their units cost no digits, the scales, and if it can be inverted."""
    gram = heavy @ x
    size = np.sqrt(np.diagonal(gram))
    scaled = gram / np.outer(size, size)
    return scaled, size, bool(np.isfinite(scaled).all() and np.linalg.eigvalsh(scaled).min(initial=1) >= _SURE)


def _start(y: Floats, w: Floats, family: Family, link: GLMLink) -> Floats:
    from scipy.special import ndtri

    if family == "gaussian":
        return y
    if family == "poisson":
        return np.asarray(np.log(y + 0.1), dtype=float)
    p = (w * y + 0.5) / (w + 1)
    at_start: dict[GLMLink, _Function] = {
        "logit": lambda p: np.log(p / (1 - p)), "probit": ndtri, "cloglog": lambda p: np.log(-np.log1p(-p))
    }  # fmt: skip
    return np.asarray(at_start[link](p), dtype=float)


def _expit(eta: Floats) -> Floats:
    return np.clip(1 / (1 + np.exp(-np.maximum(eta, -700))), _TINY, 1 - _TINY)


def _expit_slope(eta: Floats, mu: Floats) -> Floats:
    return mu * (1 - mu)


def _normal(eta: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(np.clip(ndtr(eta), _TINY, 1 - _TINY), dtype=float)


def _normal_slope(eta: Floats, mu: Floats) -> Floats:
    return np.asarray(np.maximum(np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi), _TINY), dtype=float)


def _cloglog(eta: Floats) -> Floats:
    return np.clip(-np.expm1(-np.exp(np.minimum(eta, 700))), _TINY, 1 - _TINY)


def _cloglog_slope(eta: Floats, mu: Floats) -> Floats:
    bounded = np.minimum(eta, 700)
    return np.asarray(np.maximum(np.exp(bounded - np.exp(bounded)), _TINY), dtype=float)


def _exp(eta: Floats) -> Floats:
    return np.asarray(np.maximum(np.exp(np.minimum(eta, 700)), _TINY), dtype=float)


def _binomial_deviance(y: Floats, mu: Floats) -> Floats:
    return np.asarray(-2 * np.log(np.abs(1 - y - mu)), dtype=float)  # y is 0 or 1: the chance of what happened


def _poisson_deviance(y: Floats, mu: Floats) -> Floats:
    from scipy.special import xlogy

    return np.asarray(2 * (xlogy(y, y / mu) - (y - mu)), dtype=float)


_Function = Callable[[Floats], Floats]
_LINKS: dict[GLMLink, tuple[_Function, Callable[[Floats, Floats], Floats]]] = {
    "identity": (lambda eta: eta, lambda eta, mu: np.ones_like(eta)), "log": (_exp, lambda eta, mu: mu),
    "logit": (_expit, _expit_slope),
    "probit": (_normal, _normal_slope), "cloglog": (_cloglog, _cloglog_slope),
}  # fmt: skip
_VARIANCES: dict[Family, _Function] = {
    "gaussian": np.ones_like, "binomial": lambda mu: mu * (1 - mu), "poisson": lambda mu: mu,
}  # fmt: skip
_DEVIANCES: dict[Family, Callable[[Floats, Floats], Floats]] = {
    "gaussian": lambda y, mu: (y - mu) ** 2, "binomial": _binomial_deviance, "poisson": _poisson_deviance,
}  # fmt: skip
