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
    mean_of, slope_of = _LINKS[link or LINKS[family][0]]
    variance, deviance = _VARIANCES[family], _DEVIANCES[family]

    def improved(eta: Floats, mu: Floats) -> tuple[Floats, Floats]:
        """Coefficients after one more round, and the working weights they were found with."""
        slope = slope_of(eta, mu)
        working = w * slope**2 / variance(mu)
        return _least_squares(x, eta + (y - mu) / slope, working), working

    eta, before = _start(y, w, family, link or LINKS[family][0]), np.inf
    mu, coef, working, settled = mean_of(eta), np.zeros(x.shape[1]), w, False
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            try:
                coef, working = improved(eta, mu)
            except np.linalg.LinAlgError:
                break
            eta = x @ coef
            mu = mean_of(eta)
            now = float(np.sum(w * deviance(y, mu)))
            if family == "gaussian":  # least squares are exact in one round
                settled = bool(np.isfinite(now))
                break
            if abs(now - before) < _ENOUGH * (abs(now) + 0.1):
                settled = bool(np.abs(x @ improved(eta, mu)[0] - eta).max() < _STILL * (1 + np.abs(eta).max()))
                break
            before = now
    slope = slope_of(eta, mu)
    influence = np.zeros_like(x)
    if settled:
        influence = _times_inverse(x * (working * (y - mu) / slope)[:, None], (x * working[:, None]).T @ x)
    pearson = (y - mu) / np.sqrt(variance(mu))
    spread = np.sum(w * (pearson - np.average(pearson, weights=w)) ** 2) / max(len(y) - 1, 1)
    return GLMFit(
        coef=coef, influence=influence, fitted=mu, deviance=float(np.sum(w * deviance(y, mu))),
        null_deviance=float(np.sum(w * deviance(y, np.full(len(y), np.average(y, weights=w))))),
        dispersion=float(spread), converged=settled,
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
    heavy = x * weights[:, None]
    gram = heavy.T @ x
    size = np.sqrt(np.diagonal(gram))
    scaled = gram / np.outer(size, size)
    if not np.isfinite(scaled).all() or np.linalg.eigvalsh(scaled).min(initial=1) < _SURE:
        root = np.sqrt(weights)
        q, r = np.linalg.qr(x * root[:, None])
        return np.asarray(np.linalg.solve(r, q.T @ (root * z)), dtype=float)
    coef = np.linalg.solve(scaled, heavy.T @ z / size) / size
    again = np.linalg.solve(scaled, heavy.T @ (z - x @ coef) / size) / size
    return np.asarray(coef + again, dtype=float)  # the second solution takes back what rounding cost the first


def _times_inverse(scores: Floats, information: Floats) -> Floats:
    """``scores @ inv(information)``, columns scaled so that units of measurement do not cost digits."""
    size = np.sqrt(np.diagonal(information))
    inverse = np.linalg.solve(information / np.outer(size, size), np.eye(len(size)))
    return np.asarray(scores @ (inverse / np.outer(size, size)), dtype=float)


def _start(y: Floats, w: Floats, family: Family, link: GLMLink) -> Floats:
    from scipy.special import logit, ndtri

    if family == "gaussian":
        return y
    if family == "poisson":
        return np.asarray(np.log(y + 0.1), dtype=float)
    p = (w * y + 0.5) / (w + 1)
    return np.asarray({"logit": logit, "probit": ndtri, "cloglog": lambda p: np.log(-np.log1p(-p))}[link](p))


def _expit(eta: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(np.clip(expit(eta), _TINY, 1 - _TINY), dtype=float)


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
