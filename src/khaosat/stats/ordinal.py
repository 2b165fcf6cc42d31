r"""Cumulative (proportional-odds) models of ordered answers, with the influence of every respondent.

:math:`P(Y \le k) = F(\theta_k - x'\beta)`. The parameters maximise :math:`\sum_i w_i \log\{F(b_i) - F(a_i)\}` with
:math:`a_i, b_i` the thresholds around the answer less :math:`x_i'\beta`. Newton's method with the analytic Hessian; the
influence of a respondent is their weighted score times the inverse of the negative Hessian (Binder 1983).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.ordinal_links import BENDS, CUMULATIVE, DENSITIES, QUANTILES, UPPER, OrdinalLink
from khaosat.stats.separation import separating_direction

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Hessian = Literal["svyolr", "analytic"]

_ROUNDS = 100
_HALVINGS = 40
_STILL = 1e-9
"""Step at which Newton's method has arrived, in units of the thresholds, relative to them."""
_DIFFERENCE = 1e-3
"""Step of R's optim for Hessians."""
_SAME = 0.02
"""How far apart variances by the two Hessians may be (1 % of the standard error)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class OrdinalFit:
    """Slopes, then thresholds.

    Parameters
    ----------
    coef
        p slopes, then K - 1 thresholds in rising order.
    influence
        Weighted influence of each respondent on each of them; they sum to zero.
    log_likelihood
        With the weights scaled to a mean of 1.
    link
        The link.
    converged
        Whether Newton's method ended at a maximum.
    hessian
        How the Hessian behind the influence values was taken.
    """

    coef: Floats
    influence: Floats
    log_likelihood: float
    link: OrdinalLink
    converged: bool
    hessian: Hessian


def fit_ordinal(
    y: Codes,
    x: Floats,
    *,
    weights: Floats,
    link: OrdinalLink = "logit",
    hessian: Hessian = "analytic",
    start: Floats | None = None,
) -> OrdinalFit:
    """Fit a cumulative model.

    Parameters
    ----------
    y
        Place of the answer among the K levels, from 0; every level occurs.
    x
        Model matrix without intercept, of full column rank together with a constant.
    weights
        Sampling weights; only their proportions matter.
    link
        ``logit``, ``probit``, ``cloglog`` (:math:`F(q) = \\exp(-e^{-q})`, as in R's svyolr) or ``loglog``
        (:math:`F(q) = 1 - \\exp(-e^{q})`).
    hessian
        ``svyolr`` takes the Hessian as R's svyolr does, by differences of step 0.001 in the slopes, the first
        threshold and the logarithms of the thresholds' distances, so that standard errors agree with R's. The exact
        ones (``analytic``) differ by up to 0.1 % on terms of size 1 to 100; where they differ by more than 1 %, as
        they do on larger terms, the step is too long and the exact Hessian is taken.
    start
        Slopes and thresholds to start from; None: no slopes, and the thresholds of the observed shares.

    References
    ----------
    McCullagh (1980), JRSS B 42, 109-142. Binder (1983), International Statistical Review 51, 279-292.

    Examples
    --------
    >>> x = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    >>> fit = fit_ordinal(np.array([0, 0, 1, 0, 1, 1]), x, weights=np.ones(6))
    >>> fit.coef.round(4)  # log odds ratio 2 log 2, threshold log 2
    array([1.3863, 0.6931])
    """
    w, p, n_levels = weights / weights.mean(), x.shape[1], int(y.max()) + 1
    counts = np.bincount(y, w, n_levels)
    if not (counts > 0).all():  # a replicate that drew nobody with some answer
        none = np.full(p + n_levels - 1, np.nan)
        return OrdinalFit(
            coef=none, influence=np.zeros((len(y), len(none))), log_likelihood=-np.inf, link=link, converged=False,
            hessian="analytic",
        )  # fmt: skip
    shares = np.cumsum(counts)[:-1] / w.sum()
    coef, converged = np.append(np.zeros(p), QUANTILES[link](shares)) if start is None else start, False
    size = np.append(np.sqrt((x**2).mean(axis=0)), np.ones(n_levels - 1))
    value = _log_likelihood(coef, y, x, w, link)
    scores, bends = _derivatives(coef, y, x, w, link)
    for _ in range(_ROUNDS):
        step = _solve(bends, scores.sum(axis=0))
        if step is None:
            break
        coef, value = _climb(coef, step, value, lambda c: _log_likelihood(c, y, x, w, link))
        scores, bends = _derivatives(coef, y, x, w, link)
        if np.abs(step * size).max() <= _STILL * (1 + np.abs(coef * size).max()):
            converged = True
            break
    inverse = _solve(bends, np.eye(len(coef))) if converged else None
    if inverse is None:
        inverse, converged = np.zeros((len(coef), len(coef))), False
    taken: Hessian = "analytic"
    if hessian == "svyolr" and converged:
        rough = _inverse_by_differences(coef, p, lambda c: _gradient(c, y, x, w, link))
        if rough is not None and np.allclose(np.diagonal(rough), np.diagonal(inverse), rtol=_SAME, atol=0):
            inverse, taken = rough, "svyolr"
    return OrdinalFit(
        coef=coef, influence=scores @ inverse, log_likelihood=value, link=link, converged=converged, hessian=taken
    )


def level_shares(x: Floats, fit: OrdinalFit, *, weights: Floats) -> tuple[Floats, Floats]:
    r"""Mean predicted share of each level, and the influence of each respondent on it.

    The influence has two parts: who was drawn, :math:`w_i (P_{ik} - \bar P_k)/\sum w`, and the coefficients.

    Parameters
    ----------
    x
        Model matrix at which to predict, one row a respondent of the fit.
    fit
        The model.
    weights
        Sampling weights.

    Examples
    --------
    >>> x = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> fit = fit_ordinal(np.array([0, 1, 0, 1]), x, weights=np.ones(4))
    >>> level_shares(x, fit, weights=np.ones(4))[0].round(6)
    array([0.5, 0.5])
    """
    p = x.shape[1]
    q = fit.coef[p:][None, :] - (x @ fit.coef[:p])[:, None]
    below, density = CUMULATIVE[fit.link](q), DENSITIES[fit.link](q)
    edge = np.zeros((len(x), 1))
    each = np.diff(np.hstack([edge, below, edge + 1]), axis=1)
    share = weights / weights.sum()
    average = share @ each
    by_slope = -np.diff(np.hstack([edge, density, edge]), axis=1).T @ (x * share[:, None])  # K × p
    gradient = np.hstack([by_slope, _threshold_slopes(share @ density)])
    return average, share[:, None] * (each - average) + fit.influence @ gradient.T


def log_shares(y: Codes, x: Floats, *, fit: OrdinalFit) -> Floats:
    """Logarithm of the probability that the model gives to each respondent's own answer."""
    return np.log(_probability(*_around(fit.coef, y, x), fit.link))


def infinite_direction(y: Codes, x: Floats, *, fit: OrdinalFit) -> Floats | None:
    """The direction in which the parameters run off to infinity; None: the estimate is finite.

    Only looked for where the fit did not settle or a cumulative share next to somebody's answer is 0 or 1 to seven
    digits: both happen on the way there.

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> bool(infinite_direction(y, x, fit=fit_ordinal(y, x, weights=np.ones(4)))[0] > 0)
    True
    """
    edges = np.concatenate(_around(fit.coef, y, x))
    edges = edges[np.isfinite(edges)]
    if fit.converged and not (np.minimum(CUMULATIVE[fit.link](edges), UPPER[fit.link](edges)) < 1e-7).any():
        return None
    n_levels = int(y.max()) + 1
    above = np.hstack([-x, np.eye(n_levels, n_levels - 1)[y]])[y < n_levels - 1]
    below = np.hstack([x, -np.eye(n_levels, n_levels - 1, -1)[y]])[y > 0]
    return separating_direction(np.vstack([above, below]))


def _threshold_slopes(density: Floats) -> Floats:
    """Derivative of each level's mean share by each threshold (K × (K - 1)): up with its upper, down with its lower."""
    n = len(density)
    up, down = np.zeros((n + 1, n)), np.zeros((n + 1, n))
    up[:n], down[1:] = np.diag(density), np.diag(density)
    return up - down


def _around(coef: Floats, y: Codes, x: Floats) -> tuple[Floats, Floats]:
    """Thresholds below and above each answer less the linear predictor; infinite at the ends."""
    p = x.shape[1]
    thresholds = np.concatenate([[-np.inf], coef[p:], [np.inf]])
    eta = x @ coef[:p]
    return thresholds[y] - eta, thresholds[y + 1] - eta


def _probability(a: Floats, b: Floats, link: OrdinalLink) -> Floats:
    """``F(b) - F(a)``, from the upper tail where that keeps more digits."""
    lower, upper = CUMULATIVE[link], UPPER[link]
    return np.where(a > 0, upper(a) - upper(b), lower(b) - lower(a))


def _log_likelihood(coef: Floats, y: Codes, x: Floats, w: Floats, link: OrdinalLink) -> float:
    chance = _probability(*_around(coef, y, x), link)
    if not (chance > 0).all():
        return -np.inf
    return float(np.sum(w * np.log(chance)))


@np.errstate(divide="ignore", invalid="ignore")  # a chance of 0, on the way to infinity, ends in no estimate
def _derivatives(coef: Floats, y: Codes, x: Floats, w: Floats, link: OrdinalLink) -> tuple[Floats, Floats]:
    """Weighted score of each respondent, and the negative Hessian."""
    a, b = _around(coef, y, x)
    density, bend, chance = DENSITIES[link], BENDS[link], _probability(a, b, link)
    up, down = density(b) / chance, density(a) / chance
    n_thresholds = len(coef) - x.shape[1]
    above = np.hstack([-x, np.eye(n_thresholds + 1, n_thresholds)[y]])  # derivatives of b and of a by the parameters
    below = np.hstack([-x, np.eye(n_thresholds + 1, n_thresholds, -1)[y]])
    scores = w[:, None] * (up[:, None] * above - down[:, None] * below)
    cross = above.T @ (below * (w * up * down)[:, None])
    hessian = (above * (w * (bend(b) / chance - up**2))[:, None]).T @ above
    hessian -= (below * (w * (bend(a) / chance + down**2))[:, None]).T @ below
    return scores, -(hessian + cross + cross.T)


def _gradient(coef: Floats, y: Codes, x: Floats, w: Floats, link: OrdinalLink) -> Floats:
    """Sum of the scores alone."""
    a, b = _around(coef, y, x)
    chance, n_levels = _probability(a, b, link), len(coef) - x.shape[1] + 1
    up, down = w * DENSITIES[link](b) / chance, w * DENSITIES[link](a) / chance
    by_threshold = np.bincount(y, up, n_levels)[:-1] - np.bincount(y, down, n_levels)[1:]
    return np.concatenate([x.T @ (down - up), by_threshold])


def _climb(coef: Floats, step: Floats, value: float, height: Callable[[Floats], float]) -> tuple[Floats, float]:
    """Newton's step, halved until the likelihood no longer falls (by more than rounding)."""
    reached = height(coef + step)
    for _ in range(_HALVINGS):
        if reached >= value - 1e-10 * (1 + abs(value)):
            break
        step = step / 2
        reached = height(coef + step)
    return coef + step, reached


def _solve(hessian: Floats, right: Floats) -> Floats | None:
    """``inv(hessian) @ right`` with scaled columns; None where it is not positive definite."""
    diagonal = np.diagonal(hessian)
    if not (diagonal > 0).all() or not np.isfinite(hessian).all():
        return None
    size = np.sqrt(diagonal)
    scaled = hessian / np.outer(size, size)
    part = size if right.ndim == 1 else size[:, None]
    try:  # rounding may let a singular one pass the first and fail the second
        np.linalg.cholesky(scaled)
        return np.asarray(np.linalg.solve(scaled, right / part) / part, dtype=float)
    except np.linalg.LinAlgError:
        return None


def _inverse_by_differences(coef: Floats, p: int, gradient: Callable[[Floats], Floats]) -> Floats | None:
    """Inverse of the negative Hessian as R's svyolr has it; None where it is not positive definite."""
    gaps = np.concatenate([coef[: p + 1], np.log(np.diff(coef[p:]))])  # slopes, first threshold, log distances

    def parameters(gaps: Floats) -> tuple[Floats, Floats]:
        """Slopes and thresholds, and their derivatives by the gaps."""
        distances = np.concatenate([gaps[p : p + 1], np.exp(gaps[p + 1 :])])
        slopes = np.eye(len(gaps))
        slopes[p:, p:] = np.tril(np.ones((len(distances), len(distances)))) * np.append(1.0, distances[1:])
        return np.concatenate([gaps[:p], np.cumsum(distances)]), slopes

    def by_gaps(gaps: Floats) -> Floats:
        at, slopes = parameters(gaps)
        return gradient(at) @ slopes

    with np.errstate(all="ignore"):
        steps = _DIFFERENCE * np.eye(len(gaps))
        bends = np.array([by_gaps(gaps - step) - by_gaps(gaps + step) for step in steps]) / (2 * _DIFFERENCE)
    inverse = _solve((bends + bends.T) / 2, np.eye(len(gaps)))
    slopes = parameters(gaps)[1]
    return None if inverse is None else slopes @ inverse @ slopes.T
