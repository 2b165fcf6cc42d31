"""Control limits of counts against their own history: Poisson, or negative binomial where they vary more than that."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Baseline(NamedTuple):
    """What the history before each count lets expect.

    ``mean`` and ``variance`` of the next count (of it and of its estimate together), NaN without history; ``history``,
    how many counts it rests on; ``seasonal``, whether the time of the year is in it.
    """

    mean: Floats
    variance: Floats
    history: Ints
    seasonal: NDArray[np.bool_]


def baseline(
    counts: ArrayLike, exposure: ArrayLike, *, season: ArrayLike | None = None, least: int = 6, most: int = 36
) -> Baseline:
    """What each count of a series should be by those before it.

    ``mean_t = e_t Σ y / Σ e``, ``α = max(0, (n/(n - p) Σ (y - mean)² - Σ mean) / Σ mean²)``,
    ``variance_t = mean_t + α mean_t² + (e_t / Σ e)² Σ (mean + α mean²)``

    Parameters
    ----------
    counts, exposure
        In order of time; a count is expected in proportion to its exposure (such as working days).
    season
        The season of each count. Where each season of the history has been seen twice, the mean is that of the count's
        own season.
    least, most
        Counts that a baseline needs, and how far it goes back at most.

    Notes
    -----
    Method of moments; ``p`` is 1, or the number of seasons. No trend: a steady rise ends in a flag, as it should.

    Examples
    --------
    >>> found = baseline([10, 12, 8, 10, 30], [20, 20, 20, 20, 20], least=4)
    >>> found.mean.tolist(), found.history.tolist()
    ([nan, nan, nan, nan, 10.0], [0, 1, 2, 3, 4])
    """
    y, e = np.asarray(counts, dtype=float), np.asarray(exposure, dtype=float)
    seasons = None if season is None else np.asarray(season)
    mean, variance = np.full(len(y), np.nan), np.full(len(y), np.nan)
    history, seasonal = np.zeros(len(y), dtype=np.int64), np.zeros(len(y), dtype=bool)
    for t in range(len(y)):
        before = np.arange(max(0, t - most), t)
        before = before[e[before] > 0]
        history[t] = len(before)
        if len(before) < least or not y[before].sum():
            continue
        groups = np.zeros(len(before), dtype=np.int64)
        now = groups == 0
        if seasons is not None and _seen_twice(seasons[before], seasons[t]):
            groups, now, seasonal[t] = (
                np.unique(seasons[before], return_inverse=True)[1],
                seasons[before] == seasons[t],
                True,
            )
        mean[t], variance[t] = _predict(y[before], e[before], e[t], groups=groups, now=now)
    return Baseline(mean, variance, history, seasonal)


def count_limits(mean: ArrayLike, variance: ArrayLike, *, level: float = 0.99) -> tuple[Floats, Floats]:
    """The counts between which a next one should lie: quantiles of the negative binomial with this mean and variance.

    Poisson where the variance is not above the mean; NaN where either is not known.

    References
    ----------
    Farrington, Andrews, Beale and Catchpole (1996), JRSS A 159, 547-563; Noufaily et al. (2013), Statistics in Medicine
    32, 1206-1222.

    Examples
    --------
    >>> [end.tolist() for end in count_limits([10.0, 10.0], [10.0, 30.0], level=0.95)]
    [[4.0, 2.0], [17.0, 23.0]]
    """
    from scipy.stats import nbinom, poisson

    m, v = np.asarray(mean, dtype=float), np.asarray(variance, dtype=float)
    wide = v > m * (1 + 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        size, p = np.where(wide, m**2 / (v - m), np.nan), np.where(wide, m / v, np.nan)
    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = (np.where(wide, nbinom.ppf(tail, size, p), poisson.ppf(tail, m)) for tail in tails)
    return low, high


def _seen_twice(before: NDArray[np.int64], now: np.int64) -> bool:
    """Whether every season of the history, this one included, was seen at least twice."""
    seen, times = np.unique(before, return_counts=True)
    return bool(now in seen and times.min() >= 2 and len(before) > len(seen))


def _predict(
    y: Floats, e: Floats, exposure: float, *, groups: NDArray[np.int64], now: NDArray[np.bool_]
) -> tuple[float, float]:
    """Mean and variance of the next count."""
    rates = np.bincount(groups, weights=y) / np.bincount(groups, weights=e)
    fitted = rates[groups] * e
    n, p = len(y), len(rates)
    squares = float((fitted**2).sum())
    excess = max(0.0, (n / (n - p) * float(((y - fitted) ** 2).sum()) - float(fitted.sum())) / squares)
    mean = exposure * float(y[now].sum()) / float(e[now].sum())
    spread = fitted[now] + excess * fitted[now] ** 2
    return mean, mean + excess * mean**2 + (exposure / float(e[now].sum())) ** 2 * float(spread.sum())
