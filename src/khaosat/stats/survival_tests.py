"""Whether groups wait equally long: log-rank, and Gray's test where there are competing ends. Counts in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.p_values import chi2_p_value

Floats = NDArray[np.float64]


class GroupTest(NamedTuple):
    """A chi-squared statistic, its degrees of freedom and p-value."""

    statistic: float
    df: int
    p_value: float


def log_rank(ends: Floats, leaving: Floats) -> GroupTest:
    r"""Log-rank test of equal hazards.

    :math:`(O - E)'V^{-}(O - E)` with :math:`E_g = \sum_j d_j n_{gj}/n_j` and the hypergeometric covariance
    :math:`V_{gh} = \sum_j d_j\frac{n_j-d_j}{n_j-1}\frac{n_{gj}}{n_j}\bigl(\delta_{gh}-\frac{n_{hj}}{n_j}\bigr)`.

    Parameters
    ----------
    ends
        Ends at each time by group (times × groups), times ascending.
    leaving
        All who are last seen at that time, ended or open.

    References
    ----------
    Mantel (1966), Cancer Chemotherapy Reports 50, 163-170. Peto and Peto (1972), JRSS A 135, 185-206.

    Examples
    --------
    >>> ends = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> round(log_rank(ends, ends).statistic, 4)
    2.8824
    """
    risk = at_risk(leaving)
    d, n = ends.sum(axis=1), risk.sum(axis=1)
    part = np.divide(risk, n[:, None], where=n[:, None] > 0, out=np.zeros_like(risk))
    score = (ends - d[:, None] * part).sum(axis=0)
    spread = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag(spread @ part) - part.T @ (spread[:, None] * part)
    return _quadratic(score, variance)


def gray(ends: Floats, others: Floats, leaving: Floats) -> GroupTest:
    r"""Gray's test that one way to end is equally frequent in all groups by every time (weight 1).

    Groups are compared by the hazard of the subdistribution with risk sets
    :math:`R_g = n_g\{1-F_g(t-)\}/S_g(t-)`; those that ended otherwise stay in them in part.

    Parameters
    ----------
    ends, others
        Ends of the way in question and of all others (times × groups), times ascending.
    leaving
        All who are last seen at that time, ended or open.

    Notes
    -----
    The variance is the one of Gray's own program (R cmprsk): that of the score as a sum of martingale integrals under
    the hypothesis, with his correction for tied ends; where that correction would make a variance negative (groups far
    apart on a coarse clock), it stops at zero. There, as in R, the variance is too large and the test finds little:
    read it beside the log-rank test.

    References
    ----------
    Gray (1988), Annals of Statistics 16, 1141-1154.

    Examples
    --------
    >>> ends = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> 0.05 < gray(ends, 0 * ends, ends).p_value < 0.15
    True
    """
    n = at_risk(leaving)
    there = n > 0
    safe = np.where(there, n, 1.0)
    after: Floats = np.cumprod(np.where(there, 1 - (ends + others) / safe, 1.0), axis=0, dtype=np.float64)
    before = np.vstack([np.ones(n.shape[1]), after[:-1]])
    own = np.cumsum(np.where(there, before * ends / safe, 0.0), axis=0)
    own_before = np.vstack([np.zeros(n.shape[1]), own[:-1]])
    # Under the hypothesis all groups have one incidence: its steps weigh them by n/S.
    inverse = np.divide(n, before, where=there & (before > 0), out=np.zeros_like(n))
    total, d = inverse.sum(axis=1), ends.sum(axis=1)
    step = np.divide(d, total, where=total > 0, out=np.zeros_like(d))
    common = np.cumsum(step)
    common_before = np.concatenate([[0.0], common[:-1]])
    sets = inverse * (1 - own_before)
    part = np.divide(sets, sets.sum(axis=1, keepdims=True), where=sets.sum(axis=1, keepdims=True) > 0,
                     out=np.zeros_like(sets))  # fmt: skip
    score = np.where(there, ends - d[:, None] * part, 0.0).sum(axis=0)
    variance = _gray_variance(
        n,
        others,
        before=before,
        after=after,
        inverse=inverse,
        step=step,
        common=common,
        common_before=common_before,
        d=d,
    )
    return _quadratic(score, variance)


def at_risk(leaving: Floats) -> Floats:
    """Cases not yet gone before each time, by group.

    >>> at_risk(np.array([[1.0], [2.0]])).tolist()
    [[3.0], [2.0]]
    """
    return np.asarray(leaving.sum(axis=0) - np.vstack([np.zeros(leaving.shape[1]), np.cumsum(leaving, axis=0)[:-1]]))


def _gray_variance(
    n: Floats, others: Floats, *, before: Floats, after: Floats, inverse: Floats, step: Floats, common: Floats,
    common_before: Floats, d: Floats,
) -> Floats:  # fmt: skip
    """Sum over groups g and times of (influence on the scores)² × the variance of that group's increments."""
    groups = n.shape[1]
    total = inverse.sum(axis=1)
    weight = np.divide(inverse, total[:, None], where=total[:, None] > 0, out=np.zeros_like(inverse))
    rise = np.divide(step, 1 - common_before, where=common_before < 1, out=np.zeros_like(step))
    # The share of a group that ends in one step if the hypothesis holds; it cannot pass 1, whatever the data say.
    spare = total[:, None] * before - 1
    tied = np.where(d[:, None] > 1, np.divide((d - 1)[:, None], spare, where=spare > 0, out=np.ones_like(n)), 0.0)
    tied = np.minimum(tied, 1.0)
    result = np.zeros((groups, groups))
    for g in range(groups):
        there = n[:, g] > 0
        # How much each score moves by an end in group g, and by all later steps together.
        moves = inverse[:, [g]] * (np.eye(groups)[g] - weight)
        later = np.cumsum((moves * rise[:, None])[::-1], axis=0)[::-1] - moves * rise[:, None]
        ratio = np.divide(1 - common, after[:, g], where=after[:, g] > 0, out=np.zeros_like(common))
        influence = moves + (1 - ratio)[:, None] * later
        size = np.where(there, n[:, g], 1.0)
        own = np.where(there, (1 - tied[:, g]) * before[:, g] * step / size, 0.0)
        result += influence.T @ (own[:, None] * influence)
        gone = others[:, g]
        ties = np.where(gone > 1, 1 - (gone - 1) / np.maximum(size - 1, 1.0), 1.0)
        competing = np.where(there & (after[:, g] > 0), ties * before[:, g] ** 2 * gone / size**2, 0.0)
        shift = ratio[:, None] * later
        result += shift.T @ (competing[:, None] * shift)
    return result


def _quadratic(score: Floats, variance: Floats) -> GroupTest:
    """``score' V⁻ score``: the scores sum to zero, so one is left out; NaN where nothing can be compared."""
    some = np.diagonal(variance) > 1e-12
    k = int(some.sum())
    if k < 2:
        return GroupTest(float("nan"), 0, float("nan"))
    kept = np.flatnonzero(some)[:-1]
    statistic = float(score[kept] @ np.linalg.solve(variance[np.ix_(kept, kept)], score[kept]))
    return GroupTest(statistic, k - 1, chi2_p_value(statistic, k - 1))
