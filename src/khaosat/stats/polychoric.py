r"""Polychoric correlations: what normal variables behind ordered answers would correlate, if there were such.

Two steps (Olsson 1979): the thresholds are the normal quantiles of the weighted cumulative shares of each item; then
each correlation maximises the likelihood of its weighted two-way table, :math:`\sum_{ab} n_{ab} \log \pi_{ab}(\rho)`
with :math:`\pi_{ab}` the bivariate normal probability of the cell. Answers missing to one item of a pair leave that
pair only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.bivariate_normal import bivariate_cdf, bivariate_density

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_ROUNDS = 60
_STILL = 1e-11
_EDGE = 0.9999
"""Correlations are looked for up to here: beyond, the table has no answers off its diagonal."""
_SMALLEST = 1e-15
"""Cell probabilities are differences of numbers near 1 and mean nothing below this."""
_FAR = 40.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Polychoric:
    """Correlations behind ordered answers.

    Parameters
    ----------
    matrix
        Correlations (p × p).
    thresholds
        Normal quantiles of the cumulative shares, an array an item.
    at_edge
        Pairs (j, k) whose correlation has no estimate inside -1..1.
    """

    matrix: Floats
    thresholds: tuple[Floats, ...]
    at_edge: tuple[tuple[int, int], ...]


def polychoric(answers: Codes, weights: Floats) -> Polychoric:
    """Estimate the correlations of every pair.

    Parameters
    ----------
    answers
        Respondents × items: place of the answer among the item's levels, from 0; -1 if there is none. Every level up
        to the highest occurs, and there are two at least.
    weights
        Sampling weights.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460.

    Examples
    --------
    >>> rows = [[0, 0]] * 40 + [[0, 1]] * 10 + [[1, 0]] * 10 + [[1, 1]] * 40
    >>> float(polychoric(np.array(rows), np.ones(100)).matrix[0, 1].round(4))  # sin(pi (p - 1/2)), p = 0.8
    0.809
    """
    table = _Tables(answers, weights)
    p = answers.shape[1]
    first, second = np.triu_indices(p, 1)
    matrix = np.eye(p)
    edge: list[tuple[int, int]] = []
    if len(first):
        rho = _solve(table.counts(first, second), table.edges[first], table.edges[second])
        matrix[first, second] = matrix[second, first] = rho
        edge = [(int(first[i]), int(second[i])) for i in np.flatnonzero(~(np.abs(rho) < _EDGE))]
    thresholds = tuple(table.edges[j, 1:levels] for j, levels in enumerate(table.levels))
    return Polychoric(matrix=matrix, thresholds=thresholds, at_edge=tuple(edge))


def threshold_influence(answers: Codes, weights: Floats, thresholds: tuple[Floats, ...]) -> list[Floats]:
    r"""Influence of each respondent on the thresholds of each item.

    :math:`w_i\{1(y_i \le a) - P_a\} / \{W \varphi(\tau_a)\}`.
    """
    found = []
    for column, tau in zip(answers.T, thresholds, strict=True):
        valid = column >= 0
        below = (column[:, None] <= np.arange(len(tau))) & valid[:, None]
        share = weights @ below / weights[valid].sum()
        slope = weights[valid].sum() * np.exp(-(tau**2) / 2) / np.sqrt(2 * np.pi)
        found.append(np.where(valid[:, None], weights[:, None] * (below - share) / slope, 0.0))
    return found


def polychoric_influence(answers: Codes, weights: Floats, fit: Polychoric, *, exact: bool = True) -> Floats:
    r"""Influence of each respondent on each correlation: respondents × pairs, as ``np.triu_indices(p, 1)`` has them.

    With :math:`u_i = \partial\log\pi/\partial\rho` in the cell of respondent i,
    :math:`A = -\sum w\,\partial u/\partial\rho` and :math:`B_a = -\sum w\,\partial u/\partial\tau_a` it is
    :math:`\{w_i u_i - \sum_a B_a\,\mathrm{infl}_i(\tau_a)\}/A`: the thresholds were estimated too.

    Parameters
    ----------
    answers, weights
        As in :func:`polychoric`.
    fit
        Its result.
    exact
        False: :math:`A = \sum w u^2` and :math:`B_a = \sum w u\, \partial\log\pi/\partial\tau_a`, which is the same if
        the answers come from normal variables, and what lavaan weights by.

    References
    ----------
    Muthén (1984), Psychometrika 49, 115-132.
    """
    table, by_threshold = _Tables(answers, weights), threshold_influence(answers, weights, fit.thresholds)
    first, second = np.triu_indices(answers.shape[1], 1)
    result = np.zeros((len(answers), len(first)))
    for place, (j, k) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        rho = float(np.clip(fit.matrix[j, k], -_EDGE, _EDGE))
        score, size, bends = _score(table.counts(j, k), table.edges[j], table.edges[k], rho, exact=exact)
        if size <= 0:
            continue
        both = (answers[:, j] >= 0) & (answers[:, k] >= 0)
        total = np.where(both, weights * score[answers[:, j], answers[:, k]], 0.0)
        for item, bend in zip((j, k), bends, strict=True):
            total -= by_threshold[item] @ bend[: len(fit.thresholds[item])]
        result[:, place] = total / size
    return result


class _Tables:
    """Weighted two-way tables of all pairs of items, padded to the same number of levels."""

    def __init__(self, answers: Codes, weights: Floats) -> None:
        from scipy.special import ndtri

        self.levels = [int(column.max()) + 1 for column in answers.T]
        self.width = max(self.levels)
        marks = np.zeros((len(answers), answers.shape[1], self.width))
        rows, items = np.nonzero(answers >= 0)
        marks[rows, items, answers[rows, items]] = 1.0
        flat = marks.reshape(len(answers), -1)
        self.joint = (flat * weights[:, None]).T @ flat
        alone = np.diagonal(self.joint).reshape(-1, self.width)
        share = np.cumsum(alone, axis=1) / alone.sum(axis=1, keepdims=True)
        self.edges = np.full((answers.shape[1], self.width + 1), _FAR)
        self.edges[:, 0] = -_FAR
        for item, levels in enumerate(self.levels):
            self.edges[item, 1:levels] = ndtri(share[item, : levels - 1])

    def counts(self, j: Codes | int, k: Codes | int) -> Floats:
        """Weighted counts of some pairs: (pairs ×) levels of j × levels of k."""
        p = len(self.levels)
        return np.asarray(self.joint.reshape(p, self.width, p, self.width)[j, :, k, :], dtype=float)


def _cells(first: Floats, second: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Probability of every cell of every pair, and its derivative by the correlation."""
    h, k, r = first[:, :, None], second[:, None, :], rho[:, None, None]
    found = (np.diff(np.diff(part(h, k, r), axis=1), axis=2) for part in (bivariate_cdf, bivariate_density))
    chance, slope = found
    return np.maximum(chance, _SMALLEST), slope


def _solve(counts: Floats, first: Floats, second: Floats) -> Floats:
    """Correlations by scoring, halving steps where the likelihood falls."""
    rho = np.zeros(len(counts))
    chance, slope = _cells(first, second, rho)
    value, open_ = _height(counts, chance), np.arange(len(counts))
    total = counts.sum(axis=(1, 2))
    for _ in range(_ROUNDS):
        score = (counts[open_] * slope[open_] / chance[open_]).sum(axis=(1, 2))
        size = (total[open_, None, None] * slope[open_] ** 2 / chance[open_]).sum(axis=(1, 2))
        step = np.divide(score, size, where=size > 0, out=np.zeros_like(score))
        for _ in range(_ROUNDS):
            moved = np.clip(rho[open_] + step, -_EDGE, _EDGE)
            new = _cells(first[open_], second[open_], moved)
            reached = _height(counts[open_], new[0])
            worse = reached < value[open_] - 1e-12 * np.abs(value[open_])
            if not worse.any():
                break
            step = np.where(worse, step / 2, step)
        change = np.abs(moved - rho[open_])
        rho[open_], chance[open_], slope[open_], value[open_] = moved, *new, reached
        open_ = open_[change > _STILL]
        if not len(open_):
            break
    return rho


def _height(counts: Floats, chance: Floats) -> Floats:
    return np.asarray((counts * np.log(chance)).sum(axis=(1, 2)), dtype=float)


def _score(
    counts: Floats, first: Floats, second: Floats, rho: float, *, exact: bool
) -> tuple[Floats, float, list[Floats]]:
    """Score of each cell by the correlation, and the negative slopes of its sum by correlation and by thresholds."""
    chance, slope = (part[0] for part in _cells(first[None], second[None], np.array([rho])))
    score, ratio = slope / chance, counts / chance
    size = float((counts * score**2).sum())
    bends = [_by_threshold(ratio * score, first, second, rho), _by_threshold((ratio * score).T, second, first, rho)]
    if exact:
        h, k, left = first[:, None], second[None, :], 1 - rho**2
        density = bivariate_density(h, k, rho)
        curve = density * (rho / left + (h * k * (1 + rho**2) - rho * (h**2 + k**2)) / left**2)
        size -= float((ratio * np.diff(np.diff(curve, axis=0), axis=1)).sum())
        steep = (-density * (h - rho * k) / left, (-density * (k - rho * h) / left).T)
        for bend, part, side in zip(bends, steep, (ratio, ratio.T), strict=True):
            bend -= _upper_less_lower(np.diff(part[1:-1], axis=1), side)
    return score, size, bends


def _by_threshold(score: Floats, own: Floats, other: Floats, rho: float) -> Floats:
    r"""Sum over the table of ``score`` times the derivative of the cell's probability by each inner threshold."""
    from scipy.special import ndtr

    tau, root = own[1:-1], np.sqrt(1 - rho**2)
    density = np.exp(-(tau**2) / 2) / np.sqrt(2 * np.pi)
    return _upper_less_lower(density[:, None] * np.diff(ndtr((other - rho * tau[:, None]) / root), axis=1), score)


def _upper_less_lower(part: Floats, of: Floats) -> Floats:
    """A threshold adds ``part`` to the cells that it closes above and takes it from those above it."""
    return np.asarray((part * (of[:-1] - of[1:])).sum(axis=1), dtype=float)
