r"""How many to ask, and how to divide them between strata.

With :math:`N_h` people, standard deviation :math:`S_h`, design effect :math:`d_h` in stratum h, a stratified mean has
the variance :math:`V = \sum_h W_h^2 d_h (1 - n_h/N_h) S_h^2/n_h`, :math:`W_h = N_h/N`; its margin of error is
:math:`z\sqrt V` (Cochran 1977, ch. 5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.intervals import t_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Allocation = Literal["proportional", "neyman", "power", "equal"]


def allocation_shares(
    populations: Floats, sd: Floats, *, method: Allocation, power: float = 0.5, means: Floats | None = None
) -> Floats:
    r"""Shares of the strata in the sample.

    ``proportional``: :math:`N_h`. ``neyman``: :math:`N_h S_h`, the smallest variance of the whole. ``equal``: alike.
    ``power``: :math:`N_h^q S_h/\bar Y_h`, between the last two (Bankier 1988); without means they count as equal.

    References
    ----------
    Neyman (1934), JRSS 97, 558-625. Bankier (1988), The American Statistician 42, 174-177.

    Examples
    --------
    >>> allocation_shares(np.array([900.0, 100.0]), np.array([1.0, 3.0]), method="neyman").tolist()
    [0.75, 0.25]
    """
    if method not in get_args(Allocation):
        raise ValueError(f"allocation must be one of {', '.join(get_args(Allocation))}, not {method!r}")
    size = {
        "proportional": populations,
        "neyman": populations * sd,
        "power": populations**power * (sd if means is None else sd / means),
        "equal": np.ones_like(populations),
    }[method]
    whole = float(size.sum())
    return (size if whole > 0 else populations) / (whole if whole > 0 else float(populations.sum()))


def allocate(n: int, shares: Floats, *, low: Ints, high: Ints) -> Ints:
    r"""Whole numbers that add up to n, as near to ``n · shares`` as the bounds allow.

    Within the bounds the numbers stand to each other as the shares; fractions go to the largest remainders.

    Raises
    ------
    ValueError
        If the bounds leave no room for n.

    Examples
    --------
    >>> allocate(10, np.array([0.7, 0.2, 0.1]), low=np.array([2, 2, 2]), high=np.array([100, 100, 100])).tolist()
    [6, 2, 2]
    """
    if not low.sum() <= n <= high.sum() or (low > high).any():
        raise ValueError(f"{n} does not lie between {low.sum()} and {high.sum()}")
    exact = _between_bounds(float(n), shares, low.astype(float), high.astype(float))
    whole = np.floor(exact + 1e-9).astype(np.int64)
    order = np.lexsort((np.arange(len(exact)), -(exact - whole)))
    order = order[whole[order] < high[order]]
    whole[order[: n - int(whole.sum())]] += 1
    return whole


def margins(sizes: Floats, populations: Floats, sd: Floats, *, deff: Floats, level: float) -> Floats:
    r"""Margin of error of the mean of each stratum, :math:`z\sqrt{d(1 - n/N)}\,S/\sqrt n`; 0 where all are asked.

    >>> margins(np.array([385.0]), np.array([np.inf]), np.array([0.5]), deff=np.ones(1), level=0.95).round(3).tolist()
    [0.05]
    """
    left = np.maximum(1 - sizes / populations, 0.0)
    variance = np.divide(deff * left * sd**2, sizes, where=sizes > 0, out=np.full(len(sizes), np.inf))
    return np.where(left == 0, 0.0, _z(level) * np.sqrt(variance))


def overall_margin(sizes: Floats, populations: Floats, sd: Floats, *, deff: Floats, level: float) -> float:
    """Margin of error of the mean of all strata together.

    >>> sizes, people = np.array([300.0, 100.0]), np.array([3000.0, 1000.0])
    >>> round(overall_margin(sizes, people, np.full(2, 0.5), deff=np.ones(2), level=0.95), 4)
    0.0465
    """
    share = populations / populations.sum()
    return float(np.sqrt((share**2 * margins(sizes, populations, sd, deff=deff, level=level) ** 2).sum()))


def sizes_for_margin(margin: float, populations: Floats, sd: Floats, *, deff: Floats, level: float) -> Ints:
    r"""Smallest sample of each stratum that meets a margin e: :math:`n = n_0/(1 + n_0/N)`, :math:`n_0 = d z^2S^2/e^2`.

    Examples
    --------
    >>> sizes_for_margin(0.05, np.array([1000.0, np.inf]), np.full(2, 0.5), deff=np.ones(2), level=0.95).tolist()
    [278, 385]
    """
    first = deff * (_z(level) * sd / margin) ** 2
    return np.ceil(first / (1 + first / populations) - 1e-9).astype(np.int64)


def smallest(meets: Callable[[int], bool], *, low: int, high: int) -> int:
    """The smallest number between two that meets a condition, which ``high`` does and larger ones tend to.

    >>> smallest(lambda n: n * n >= 50, low=1, high=100)
    8
    """
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle + 1, high)
    return low


def _z(level: float) -> float:
    return float(t_quantile(level, np.inf))


def _between_bounds(n: float, shares: Floats, low: Floats, high: Floats) -> Floats:
    """``clip(c · shares, low, high)`` with the c that makes it sum to n."""
    free = shares > 0
    marks = np.unique(np.concatenate([[0.0], low[free] / shares[free], high[free] / shares[free]]))
    sums = np.array([np.clip(mark * shares, low, high).sum() for mark in marks])
    place = int(np.searchsorted(sums, n))
    if place == len(marks):  # more than the strata with a share can hold: the rest goes to those without one
        full = np.where(free, high, low)
        room = high - full
        return np.asarray(full + room * ((n - full.sum()) / room.sum() if room.any() else 0.0), dtype=float)
    factor = float(marks[place])
    if place:
        step = (n - sums[place - 1]) / (sums[place] - sums[place - 1])
        factor = float(marks[place - 1] + step * (marks[place] - marks[place - 1]))
    return np.asarray(np.clip(factor * shares, low, high), dtype=float)
