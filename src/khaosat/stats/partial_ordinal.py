r"""Cumulative models some of whose terms have a slope of their own at each threshold (partial proportional odds).

:math:`P(Y \le k) = F(q_k)`, :math:`q_k = \theta_k - x'\beta - u'\gamma_k`. Likelihood, Newton's method and influence
values are those of :mod:`khaosat.stats.ordinal`; only the derivatives of :math:`q_k` by the parameters differ.
Nothing holds the :math:`q_k` in order where nobody answered, so a fitted share may be negative there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.ordinal import Hessian, _climb, _probability, _solve, fit_ordinal
from khaosat.stats.ordinal_links import BENDS, CUMULATIVE, DENSITIES, UPPER, OrdinalLink
from khaosat.stats.separation import separating_direction

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]

_ROUNDS = 200
_STILL = 1e-9
"""Step at which Newton's method has arrived, relative to the coefficients."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PartialFit:
    """Slopes in the order of the columns (one a threshold where they are free), then thresholds.

    Parameters
    ----------
    coef
        Coefficients.
    influence
        Weighted influence of each respondent on each of them; they sum to zero.
    log_likelihood
        With the weights scaled to a mean of 1.
    link
        The link.
    converged
        Whether Newton's method ended at a maximum.
    place
        Coefficient of each column at each threshold (columns × thresholds).
    hessian
        Always exact.
    """

    coef: Floats
    influence: Floats
    log_likelihood: float
    link: OrdinalLink
    converged: bool
    place: Codes
    hessian: Hessian = "analytic"


def fit_partial(y: Codes, x: Floats, *, free: Rows, weights: Floats, link: OrdinalLink = "logit") -> PartialFit:
    """Fit a cumulative model with free slopes.

    Parameters
    ----------
    y, x, weights, link
        As in :func:`khaosat.stats.ordinal.fit_ordinal`.
    free
        Columns of ``x`` with a slope a threshold.

    References
    ----------
    Peterson and Harrell (1990), Journal of the Royal Statistical Society C 39, 205-217.

    Examples
    --------
    >>> x = np.repeat([[0.0], [1.0]], 6, axis=0)
    >>> y = np.array([0, 1, 1, 1, 1, 2, 0, 0, 0, 1, 2, 2])
    >>> fit = fit_partial(y, x, free=np.array([True]), weights=np.ones(12))
    >>> fit.coef.round(4)  # log odds of Y <= k: -log 5, log 5 in the first group, 0, log 2 in the second
    array([-1.6094,  0.9163, -1.6094,  1.6094])
    """
    w, n_cuts = weights / weights.mean(), int(y.max())
    place = _places(free, n_cuts)
    first = fit_ordinal(y, x, weights=weights, link=link)
    coef = np.append(_spread(first.coef[: x.shape[1]], place), first.coef[x.shape[1] :])
    above, below = _edge_rows(x, y, place)
    value, converged, inverse = -np.inf, False, None
    if np.isfinite(coef).all():
        value = _log_likelihood(coef, above, below, y, w, link)
        scores, bends = _derivatives(coef, above, below, y, w, link)
        for _ in range(_ROUNDS):
            step = _solve(bends, scores.sum(axis=0))
            if step is None:
                break
            coef, value = _climb(coef, step, value, lambda c: _log_likelihood(c, above, below, y, w, link))
            scores, bends = _derivatives(coef, above, below, y, w, link)
            if np.abs(step).max() <= _STILL * (1 + np.abs(coef).max()):
                inverse, converged = _solve(bends, np.eye(len(coef))), True
                break
    influence = np.zeros((len(y), len(coef))) if inverse is None else scores @ inverse
    return PartialFit(
        coef=coef, influence=influence, log_likelihood=value, link=link,
        converged=converged and inverse is not None, place=place,
    )  # fmt: skip


def partial_shares(x: Floats, fit: PartialFit, *, weights: Floats) -> tuple[Floats, Floats]:
    """Mean predicted share of each level and each respondent's influence on it: level_shares with free slopes."""
    q, n_cuts = _predictors(x, fit), fit.place.shape[1]
    below, density = CUMULATIVE[fit.link](q), DENSITIES[fit.link](q)
    edge = np.zeros((len(x), 1))
    each = np.diff(np.hstack([edge, below, edge + 1]), axis=1)
    share = weights / weights.sum()
    average = share @ each
    slopes = np.array([(share * density[:, k]) @ _rows(x, np.full(len(x), k), fit.place) for k in range(n_cuts)])
    none = np.zeros((1, len(fit.coef)))
    gradient = np.diff(np.vstack([none, slopes, none]), axis=0)  # K × parameters
    return average, share[:, None] * (each - average) + fit.influence @ gradient.T


def crossing(x: Floats, fit: PartialFit) -> Rows:
    """Respondents to whom the model gives a negative share of some level.

    >>> x = np.repeat([[0.0], [1.0]], 6, axis=0)
    >>> y = np.array([0, 1, 1, 1, 1, 2, 0, 0, 0, 1, 2, 2])
    >>> fit = fit_partial(y, x, free=np.array([True]), weights=np.ones(12))
    >>> crossing(np.array([[0.0], [1.0], [2.0]]), fit).tolist()
    [False, False, True]
    """
    return np.asarray((np.diff(_predictors(x, fit), axis=1) < 0).any(axis=1), dtype=bool)


def partial_direction(y: Codes, x: Floats, *, fit: PartialFit) -> Floats | None:
    """The direction in which the parameters run off to infinity; None: the estimate is finite."""
    above, below = _edge_rows(x, y, fit.place)
    edges = np.concatenate(_edges(fit.coef, above, below, y))
    edges = edges[np.isfinite(edges)]
    if fit.converged and not (np.minimum(CUMULATIVE[fit.link](edges), UPPER[fit.link](edges)) < 1e-7).any():
        return None
    return separating_direction(np.vstack([above[y < fit.place.shape[1]], -below[y > 0]]))


def _places(free: Rows, n_cuts: int) -> Codes:
    """Coefficient of each column at each threshold."""
    widths = np.where(free, n_cuts, 1)
    starts = np.cumsum(widths) - widths
    return np.asarray(starts[:, None] + np.where(free[:, None], np.arange(n_cuts), 0), dtype=np.intp)


def _spread(slopes: Floats, place: Codes) -> Floats:
    """A slope a column as the slopes of all thresholds."""
    coef = np.zeros(int(place.max(initial=-1)) + 1)
    coef[place] = slopes[:, None]
    return coef


def _predictors(x: Floats, fit: PartialFit) -> Floats:
    thresholds = fit.coef[len(fit.coef) - fit.place.shape[1] :]
    return np.asarray(thresholds - x @ fit.coef[fit.place], dtype=float)


def _rows(x: Floats, cut: Codes, place: Codes) -> Floats:
    """Derivatives of each respondent's q at a threshold by the parameters; zero beyond the ends."""
    n_slopes, n_cuts = int(place.max(initial=-1)) + 1, place.shape[1]
    rows = np.zeros((len(x), n_slopes + n_cuts))
    inside = np.flatnonzero((cut >= 0) & (cut < n_cuts))
    for column, where in enumerate(place):
        rows[inside, where[cut[inside]]] = -x[inside, column]
    rows[inside, n_slopes + cut[inside]] = 1.0
    return rows


def _edge_rows(x: Floats, y: Codes, place: Codes) -> tuple[Floats, Floats]:
    """Rows of the thresholds above and below each answer."""
    return _rows(x, y, place), _rows(x, y - 1, place)


def _edges(coef: Floats, above: Floats, below: Floats, y: Codes) -> tuple[Floats, Floats]:
    """q below and above each answer; infinite at the ends."""
    return np.where(y == 0, -np.inf, below @ coef), np.where(y == y.max(), np.inf, above @ coef)


def _log_likelihood(coef: Floats, above: Floats, below: Floats, y: Codes, w: Floats, link: OrdinalLink) -> float:
    chance = _probability(*_edges(coef, above, below, y), link)
    return float(np.sum(w * np.log(chance))) if (chance > 0).all() else -np.inf


def _derivatives(
    coef: Floats, above: Floats, below: Floats, y: Codes, w: Floats, link: OrdinalLink
) -> tuple[Floats, Floats]:
    """Weighted score of each respondent, and the negative Hessian."""
    a, b = _edges(coef, above, below, y)
    density, bend, chance = DENSITIES[link], BENDS[link], _probability(a, b, link)
    up, down = density(b) / chance, density(a) / chance
    scores = w[:, None] * (up[:, None] * above - down[:, None] * below)
    cross = above.T @ (below * (w * up * down)[:, None])
    hessian = (above * (w * (bend(b) / chance - up**2))[:, None]).T @ above
    hessian -= (below * (w * (bend(a) / chance + down**2))[:, None]).T @ below
    return scores, -(hessian + cross + cross.T)
