"""Ranks of units with confidence sets that hold for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.intervals import t_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class RankSets:
    """Ranks, 1 for the largest estimate, and what is known of the true ones.

    Parameters
    ----------
    rank
        Rank of the estimate; equal estimates share the better rank.
    low, high
        Best and worst rank that the data allow.
    better
        Pairs told apart: row beats column.
    """

    rank: Ints
    low: Ints
    high: Ints
    better: Rows


def rank_sets(
    estimates: Floats,
    covariance: Floats,
    *,
    df: Floats,
    together: Rows | None = None,
    level: float = 0.95,
    draws: int = 2_000,
    rng: np.random.Generator,
) -> RankSets:
    r"""Joint confidence sets for ranks from all pairwise differences (Mogstad, Romano, Shaikh and Wilhelm 2024).

    Unit j beats k when :math:`(\hat\theta_j - \hat\theta_k)/se_{jk} > c`, with c the quantile, over the draws of a
    parametric bootstrap, of the largest such statistic when all units are equal. Pairs told apart leave the maximum and
    c is found again, until none is added (Romano and Wolf 2005). The set of j runs from 1 + the number of units that
    beat it to the number of units less those that it beats.

    Parameters
    ----------
    estimates, covariance
        Estimates and their covariance.
    df
        Degrees of freedom of each unit's variance, infinite if it is known: every draw has its own variances, scaled
        chi-squares, so that c is that of Student's rather than normal differences.
    together
        Units whose variances rest on one common estimate and so are drawn together; None: every unit by itself.
    level
        Probability that all sets hold at once.
    draws, rng
        Bootstrap.

    Notes
    -----
    A difference without sampling error (two units counted in full) is certain. With infinite df this is the algorithm
    of the paper, as in the R package csranks (two-sided, step-down).

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91, 476-518. Romano and Wolf (2005),
    Econometrica 73, 1237-1282.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> sets = rank_sets(np.array([3.0, 2.9, 0.0]), np.eye(3) * 0.1, df=np.full(3, np.inf), rng=rng)
    >>> sets.rank.tolist(), sets.low.tolist(), sets.high.tolist()
    ([1, 2, 3], [1, 1, 3], [2, 2, 3])
    """
    variance = np.diag(covariance)
    sums = variance[:, None] + variance
    se = np.sqrt(np.maximum(sums - 2 * covariance, 0.0))
    certain = se <= 1e-12 * np.sqrt(sums)
    difference = estimates[:, None] - estimates
    statistic = difference / np.where(certain, 1.0, se)
    better = certain & (difference > 0)
    noise = _noise(covariance, df, together, draws=draws, rng=rng)
    while True:
        drawn = _largest(noise, covariance, active=~better & ~certain)
        found = (statistic > _critical(drawn, level)) & ~better & ~certain
        if not found.any():
            return _sets(estimates, better)
        better |= found


def interval_rank_sets(estimates: Floats, se: Floats, *, df: Floats, level: float = 0.95) -> RankSets:
    """Joint confidence sets for ranks from joint intervals of the estimates (Klein, Wright and Wieczorek 2020).

    Intervals of all units hold at once at Šidák's level, whatever their correlation; a unit beats another if its
    interval lies above. Simple and checked by eye, wider than :func:`rank_sets`.

    References
    ----------
    Klein, Wright and Wieczorek (2020), Journal of the Royal Statistical Society A 183, 589-606.

    Examples
    --------
    >>> sets = interval_rank_sets(np.array([3.0, 2.9, 0.0]), np.full(3, 0.3), df=np.full(3, np.inf))
    >>> sets.low.tolist(), sets.high.tolist()
    ([1, 1, 3], [2, 2, 3])
    """
    half = t_quantile(level ** (1 / max(len(estimates), 1)), df) * se
    return _sets(estimates, (estimates - half)[:, None] > (estimates + half)[None, :])


def tiers(better: Rows) -> Ints:
    """Groups of units none of which beats another: first those that nobody beats, then the same among the others.

    Group 1 is the units whose rank set holds rank 1. Every unit of a later group is beaten by one of the group before.

    >>> tiers(np.array([[False, False, True], [False, False, False], [False, False, False]])).tolist()
    [1, 1, 2]
    """
    group = np.zeros(len(better), dtype=np.int64)
    while (left := group == 0).any():
        group[left & ~better[left].any(axis=0)] = group.max() + 1
    return group


def _sets(estimates: Floats, better: Rows) -> RankSets:
    m = len(estimates)
    rank = 1 + (estimates[None, :] > estimates[:, None]).sum(axis=1)
    low, high = 1 + better.sum(axis=0), m - better.sum(axis=1)
    return RankSets(rank=rank.astype(np.int64), low=low.astype(np.int64), high=high.astype(np.int64), better=better)


def _noise(
    covariance: Floats, df: Floats, together: Rows | None, *, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draws (units × draws) of the estimates around equal units, and of their variances over the given ones."""
    values, vectors = np.linalg.eigh(covariance)
    normal = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.standard_normal((len(df), draws))
    chi = np.ones_like(normal)
    own = np.isfinite(df)
    chi[own] = rng.chisquare(df[own, None], (int(own.sum()), draws)) / df[own, None]
    if together is not None and (together & own).any():
        shared = np.flatnonzero(together & own)
        chi[shared] = chi[shared[0]]
    return normal, chi


def _largest(noise: tuple[Floats, Floats], covariance: Floats, *, active: Rows) -> Floats:
    """Largest statistic of each draw among the active comparisons (row beats column); -inf where there is none."""
    normal, chi = noise
    own, ratio = np.diag(covariance)[:, None] * chi, np.sqrt(chi)
    largest = np.full(normal.shape[1], -np.inf)
    for j in range(len(normal) - 1):  # each unit with all after it: both directions of a pair have one statistic
        ahead, behind = active[j, j + 1 :], active[j + 1 :, j]
        k = j + 1 + np.flatnonzero(ahead | behind)
        if not len(k):
            continue
        square = own[j] + own[k] - 2 * covariance[j, k, None] * ratio[j] * ratio[k]
        drawn = (normal[j] - normal[k]) / np.sqrt(np.maximum(square, 1e-300))
        for side, direction in ((ahead, drawn), (behind, -drawn)):
            best = direction[side[k - j - 1]].max(axis=0, initial=-np.inf)
            largest = np.maximum(largest, best)
    return largest


def _critical(drawn: Floats, level: float) -> float:
    """The quantile that counts the estimate itself as one more draw."""
    place = min(int(np.ceil(level * (len(drawn) + 1))), len(drawn))
    return float(np.partition(drawn, place - 1)[place - 1])
