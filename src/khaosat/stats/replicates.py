r"""Replicate weights: the sample with some of its primary units left out or drawn again, many times.

With :math:`\hat\theta_r` the estimate from replicate r and :math:`\bar\theta` their mean,

.. math::  V = \sum_r c_r (\hat\theta_r - \bar\theta)^2

where the factors :math:`c_r` belong to the method. A replicate multiplies the weights of a primary unit by one number,
so everything here is units × replicates (Wolter 2007, Introduction to Variance Estimation, ch. 3-5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class Multipliers:
    """What each replicate does to the weights of each primary unit.

    Parameters
    ----------
    weights
        Units × replicates.
    factors
        Factor of each replicate in the variance.
    """

    weights: Floats
    factors: Floats


def jackknife(strata: Codes, *, fractions: Floats) -> Multipliers:
    """Leave out one unit at a time and weight up the rest of its stratum (JKn; with one stratum JK1).

    Parameters
    ----------
    strata
        Stratum of each unit, from 0. Strata with one unit have no replicate.
    fractions
        Share of its stratum's units that were drawn, by unit; 0 where the population is unlimited.

    Examples
    --------
    >>> made = jackknife(np.array([0, 0, 0]), fractions=np.zeros(3))
    >>> made.weights.tolist(), made.factors.round(3).tolist()
    ([[0.0, 1.5, 1.5], [1.5, 0.0, 1.5], [1.5, 1.5, 0.0]], [0.667, 0.667, 0.667])
    """
    drawn = np.bincount(strata)[strata]
    out = np.flatnonzero(drawn > 1)
    size = drawn[out].astype(float)
    weights = np.where(strata[:, None] == strata[out], size / (size - 1), 1.0)
    weights[out, np.arange(len(out))] = 0.0
    return Multipliers(weights=weights, factors=(size - 1) / size * (1 - fractions[out]))


def bootstrap(strata: Codes, *, fractions: Floats, n: int, rng: np.random.Generator) -> Multipliers:
    r"""Rao and Wu's rescaled bootstrap: :math:`n_h - 1` units of each stratum drawn again with replacement.

    A unit drawn t times is multiplied by :math:`1 - s + s\, t\, n_h/(n_h - 1)` with :math:`s = \sqrt{1 - f_h}`.

    Parameters
    ----------
    strata, fractions
        As in :func:`jackknife`; a unit alone in its stratum keeps its weight.
    n
        Number of replicates.
    rng
        Source of randomness.

    References
    ----------
    Rao and Wu (1988), Journal of the American Statistical Association 83, 231-241. Rao, Wu and Yue (1992), Survey
    Methodology 18, 209-217.

    Examples
    --------
    >>> made = bootstrap(np.array([0, 0]), fractions=np.zeros(2), n=3, rng=np.random.default_rng(1))
    >>> made.weights.sum(axis=0).tolist()
    [2.0, 2.0, 2.0]
    """
    weights = np.ones((len(strata), n))
    for stratum in np.unique(strata):
        units = np.flatnonzero(strata == stratum)
        size = len(units)
        if size > 1:
            times = rng.multinomial(size - 1, np.full(size, 1 / size), size=n).T
            shrink = np.sqrt(1 - fractions[units])[:, None]
            weights[units] = 1 - shrink + shrink * times * size / (size - 1)
    return Multipliers(weights=weights, factors=np.full(n, 1 / (n - 1)))


def half_samples(strata: Codes, *, rho: float = 0.0) -> Multipliers:
    """Balanced half samples of strata with two units each: one unit counts 2 − rho times, the other rho times.

    Parameters
    ----------
    strata
        As in :func:`jackknife`; every stratum has two units.
    rho
        0 for balanced repeated replication (McCarthy 1969), between 0 and 1 for Fay's method (Judkins 1990).

    Examples
    --------
    >>> half_samples(np.array([0, 0])).weights.tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    count = int(strata.max()) + 1
    matrix = hadamard(count + 1)
    signs = matrix[:, 1 : count + 1].T  # the first column is constant and would not be balanced
    first = np.zeros(len(strata), dtype=bool)
    first[np.unique(strata, return_index=True)[1]] = True
    side = np.where(first, 1, -1)[:, None] * signs[strata]
    n = matrix.shape[0]
    return Multipliers(weights=1 + (1 - rho) * side, factors=np.full(n, 1 / (n * (1 - rho) ** 2)))


def hadamard(at_least: int) -> Floats:
    """A square matrix of ±1 with orthogonal columns, the first constant: the smallest order that doubling (Sylvester)
    and quadratic residues (Paley) give.

    >>> [hadamard(k).shape[0] for k in (1, 2, 3, 5, 9, 13, 17, 21)]
    [1, 2, 4, 8, 12, 16, 20, 24]
    """
    order = next(k for k in range(max(at_least, 1), 4 * at_least + 4) if _reachable(k))
    return _hadamard(order)


def replicate_covariance(estimates: Floats, *, factors: Floats) -> Floats:
    """Covariance of estimates (p × replicates); NaN for an estimate that some replicate does not have.

    >>> replicate_covariance(np.array([[1.0, 3.0]]), factors=np.array([0.5, 0.5]))
    array([[1.]])
    """
    away = (estimates - estimates.mean(axis=1, keepdims=True)) * np.sqrt(factors)
    return np.asarray(away @ away.T, dtype=float)


def replicate_variance(estimates: Floats, *, factors: Floats) -> Floats:
    """The diagonal of :func:`replicate_covariance`.

    >>> replicate_variance(np.array([[1.0, 3.0], [np.nan, 2.0]]), factors=np.array([0.5, 0.5]))
    array([ 1., nan])
    """
    away = (estimates - estimates.mean(axis=1, keepdims=True)) ** 2
    return np.asarray(away @ factors, dtype=float)


def rank(weights: Floats) -> int:
    """Rank of replicate weights (respondents × replicates): one more than the degrees of freedom they carry.

    >>> rank(np.array([[0.0, 2.0], [2.0, 0.0], [2.0, 0.0]]))
    2
    """
    if min(weights.shape) == 0:
        return 0
    return int(np.linalg.matrix_rank(np.linalg.qr(weights, mode="r"), rtol=1e-5))


def _reachable(order: int) -> bool:
    return order in (1, 2) or _paley(order) or (order % 4 == 0 and _reachable(order // 2))


def _paley(order: int) -> bool:
    """Whether order − 1 is a prime that leaves 3 when divided by 4."""
    q = order - 1
    return q % 4 == 3 and all(q % k for k in range(2, int(q**0.5) + 1))


def _hadamard(order: int) -> Floats:
    if order == 1:
        return np.ones((1, 1))
    if not _paley(order):
        half = _hadamard(order // 2)
        return np.block([[half, half], [half, -half]])
    q = order - 1
    residue = np.full(q, -1.0)
    residue[np.unique(np.arange(1, q) ** 2 % q)] = 1.0
    residue[0] = 0.0
    differences = (np.arange(q)[:, None] - np.arange(q)) % q
    skew = np.zeros((order, order))
    skew[0, 1:], skew[1:, 0], skew[1:, 1:] = 1.0, -1.0, residue[differences]
    matrix = np.eye(order) + skew
    return matrix * matrix[:, :1]  # rows turned so that the first column is constant
