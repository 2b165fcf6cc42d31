"""Shares of counts: intervals and tests for one and for two independent proportions. Arrays in, arrays out."""

from __future__ import annotations

from math import erfc, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_two_sided = np.frompyfunc(lambda z: erfc(abs(z) / sqrt(2.0)), 1, 1)


def share(count: ArrayLike, total: ArrayLike) -> Array:
    """``count / total``; NaN where the total is 0: no data is not zero.

    >>> share([1, 0], [4, 0])
    array([0.25,  nan])
    """
    k, n = _floats(count, total)
    return np.asarray(np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0))


def wilson(count: ArrayLike, total: ArrayLike, *, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson's score interval: the p for which ``|p̂ - p| <= z sqrt(p (1 - p) / n)``.

    Parameters
    ----------
    count, total
        Successes and trials, ``0 <= count <= total``.
    level
        Coverage.

    Returns
    -------
    Lower and upper ends; NaN where the total is 0.

    Notes
    -----
    Holds its level near 0 and 1, where late shares live and where ``p̂ ± z se`` falls outside 0..1.

    References
    ----------
    Wilson (1927), JASA 22, 209-212; Brown, Cai, DasGupta (2001), Statistical Science 16, 101-133.

    Examples
    --------
    >>> [end.round(4).tolist() for end in wilson([105], [319])]
    [[0.2799], [0.3825]]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, (_, n) = share(count, total), _floats(count, total)
    size = np.where(n > 0, n, np.nan)
    centre = (p + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(p * (1 - p) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    # Rounding must not leave 1e-17 where the interval touches 0 or 1.
    return np.where(p == 0, 0.0, centre - half), np.where(p == 1, 1.0, centre + half)


def newcombe(
    count: ArrayLike, total: ArrayLike, *, other_count: ArrayLike, other_total: ArrayLike, level: float = 0.95
) -> tuple[Array, Array]:
    """Newcombe's hybrid score interval for the difference of two independent shares (his method 10).

    ``d - sqrt((p1 - l1)² + (u2 - p2)²)`` to ``d + sqrt((u1 - p1)² + (p2 - l2)²)`` with Wilson's l and u.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> [end.round(4).tolist() for end in newcombe([56], [70], other_count=[48], other_total=[80])]
    [[0.0524], [0.3339]]
    """
    p1, p2 = share(count, total), share(other_count, other_total)
    low1, high1 = wilson(count, total, level=level)
    low2, high2 = wilson(other_count, other_total, level=level)
    difference = p1 - p2
    return difference - np.hypot(p1 - low1, high2 - p2), difference + np.hypot(high1 - p1, p2 - low2)


def score_test(count: ArrayLike, total: ArrayLike, *, other_count: ArrayLike, other_total: ArrayLike) -> Array:
    """Two-sided p-value of the score test that two independent shares are equal (Pearson's chi-squared, 1 df).

    >>> score_test([56], [70], other_count=[48], other_total=[80]).round(4)
    array([0.008])
    """
    k1, n1 = _floats(count, total)
    k2, n2 = _floats(other_count, other_total)
    pooled = share(k1 + k2, n1 + n2)
    spread = np.sqrt(pooled * (1 - pooled) * (share(1.0, n1) + share(1.0, n2)))
    difference = share(k1, n1) - share(k2, n2)
    # Both shares 0 or both 1: no difference to explain.
    z = np.where(spread > 0, difference / np.where(spread > 0, spread, 1.0), difference * 0.0)
    return np.asarray(_two_sided(z), dtype=np.float64)


def _floats(count: ArrayLike, total: ArrayLike) -> tuple[Array, Array]:
    k, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64))
    return k, n
