"""What open cases will come to: chances to end by a time, given that they are open at an age. Counts in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Hazard:
    """Chance to end on day t of those open before it, t = 0, 1, …, and how many it rests on."""

    chance: Floats
    at_risk: Floats


def daily_hazard(
    days: ArrayLike, *, ended: ArrayLike, n: ArrayLike, length: int, other: Hazard | None = None
) -> Hazard:
    """Ends by those at risk on each day; of days that nobody has lived to see, what ``other`` says of them.

    Parameters
    ----------
    days
        Age at the end, or at which a case was last seen open.
    ended
        Whether it ended then.
    n
        Cases in each cell.
    length
        Days to cover.
    other
        Hazard of a wider group.

    Examples
    --------
    >>> daily_hazard([1, 2, 2], ended=[1, 1, 0], n=[1, 1, 2], length=4).chance.round(3).tolist()
    [0.0, 0.25, 0.333, 0.0]
    """
    age, count, is_end = np.asarray(days, dtype=np.int64), np.asarray(n, dtype=float), np.asarray(ended, dtype=bool)
    size = max(length, int(age.max(initial=0)) + 1)
    leaving = np.bincount(age, weights=count, minlength=size)
    ends = np.bincount(age[is_end], weights=count[is_end], minlength=size)
    at_risk = leaving[::-1].cumsum()[::-1]
    chance = np.divide(ends, at_risk, where=at_risk > 0, out=np.zeros(size))[:length]
    at_risk = at_risk[:length]
    if other is not None:
        gap = at_risk == 0
        chance, at_risk = np.where(gap, other.chance[:length], chance), np.where(gap, other.at_risk[:length], at_risk)
    return Hazard(chance=chance, at_risk=at_risk)


def expected_ends(hazard: Hazard, age: Ints, until: Ints, n: Floats) -> tuple[float, float]:
    r"""How many of the open will have ended by their day, and the variance of what will be around that.

    :math:`p_c = 1 - \prod_{a_c < t \le T_c} (1-h_t)`; the variance is :math:`\sum_c n_c p_c(1-p_c)` from what is still
    to come and :math:`\sum_t G_t^2\, h_t(1-h_t)/r_t`, :math:`G_t = \sum_{c:\,a_c<t\le T_c} n_c (1-p_c)/(1-h_t)`, from
    the hazards being estimated from :math:`r_t` cases.

    Parameters
    ----------
    hazard
        Of the cases' own kind.
    age, until
        Whole days a case has lived, and the day by which its end is asked for; nothing is expected unless ``until`` is
        later.
    n
        Cases in each cell.

    Examples
    --------
    >>> found = Hazard(chance=np.array([0.0, 0.5, 0.5]), at_risk=np.full(3, 100.0))
    >>> expected_ends(found, np.array([0]), np.array([2]), np.array([4.0]))[0]
    3.0
    """
    last = len(hazard.chance) - 1
    # log(0) is where everybody ends: a number so small that its exponential is zero serves.
    logs = np.log(np.maximum(1 - hazard.chance, 1e-300))
    cumulated = np.cumsum(logs)
    start, stop = np.minimum(age, last), np.minimum(until, last)
    asked = stop > start
    left = np.where(asked, np.exp(np.minimum(cumulated[stop] - cumulated[start], 0.0)), 1.0)
    weight = np.where(asked, n * left, 0.0)
    change = np.zeros(last + 3)
    np.add.at(change, start + 1, weight)
    np.add.at(change, stop + 1, -weight)
    reach = np.cumsum(change)[: last + 1]
    spread = np.divide(hazard.chance, (1 - hazard.chance) * hazard.at_risk,
                       where=(hazard.chance < 1) & (hazard.at_risk > 0), out=np.zeros(last + 1))  # fmt: skip
    return float((n * (1 - left))[asked].sum()), float((n * left * (1 - left)).sum() + (reach**2 * spread).sum())


def beyond_chance(gap: ArrayLike, variance: ArrayLike, n: ArrayLike) -> float:
    r"""Variance of the shares by which earlier expectations missed, beyond what chance and estimation explain.

    :math:`\tau^2 = \max\{0, \sum_j (g_j^2 - v_j) / \sum_j n_j^2\}`, for
    :math:`\mathrm{E}\,g_j^2 = v_j + n_j^2 \tau^2`; 0 of none.

    Parameters
    ----------
    gap
        Ends that were expected less those that came.
    variance
        Of the gap, as :func:`expected_ends` states it.
    n
        Open cases that the expectation was about.

    References
    ----------
    DerSimonian and Laird (1986), Controlled Clinical Trials 7, 177-188: a variance between by its moments.

    Examples
    --------
    >>> beyond_chance([5.0, -5.0], [16.0, 16.0], [100.0, 50.0])
    0.00144
    """
    g, v, size = (np.asarray(part, dtype=float) for part in (gap, variance, n))
    return float(max(0.0, (g**2 - v).sum() / (size**2).sum())) if (size > 0).any() else 0.0
