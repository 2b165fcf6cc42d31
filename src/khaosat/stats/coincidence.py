"""How often events fall together, against what chance alone would give. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from khaosat.stats.p_values import chi2_p_value


def expected_together(events: ArrayLike, slots: int) -> NDArray[np.float64]:
    """Of events thrown at random into equal slots, how many share theirs with another: ``m (1 - (1 - 1/k)^(m - 1))``.

    Parameters
    ----------
    events
        Events of one day, an array of days.
    slots
        Slots of a day, such as its working minutes.

    Examples
    --------
    >>> expected_together([1, 2], 480).round(4).tolist()
    [0.0, 0.0042]
    """
    m = np.asarray(events, dtype=float)
    return np.asarray(m * (1 - (1 - 1 / slots) ** (m - 1)))


def busiest(counts: ArrayLike, exposure: ArrayLike, top: int = 2) -> NDArray[np.int64]:
    """The ``top`` places with most events beyond what their exposure lets expect, the first one first.

    Places without exposure are none.

    Examples
    --------
    >>> busiest([5, 30, 10, 99], [10, 20, 10, 0], top=2).tolist()
    [1, 2]
    """
    y, e = np.asarray(counts, dtype=float), np.asarray(exposure, dtype=float)
    open_ = np.flatnonzero(e > 0)
    excess = y[open_] - y[open_].sum() * e[open_] / e[open_].sum() if len(open_) else y[open_]
    return np.asarray(open_[np.argsort(-excess, kind="stable")][:top], dtype=np.int64)


def uniformity(counts: ArrayLike, exposure: ArrayLike) -> tuple[float, float]:
    """Pearson's χ² of counts against their exposure, and its p-value; NaN with fewer than two places or no event.

    ``χ² = Σ (y - Y e/E)² / (Y e/E)`` over places with exposure

    Examples
    --------
    >>> [round(x, 4) for x in uniformity([10, 20, 30], [1, 1, 1])]
    [10.0, 0.0067]
    """
    y, e = np.asarray(counts, dtype=float), np.asarray(exposure, dtype=float)
    y, e = y[e > 0], e[e > 0]
    if len(y) < 2 or not y.sum():
        return float("nan"), float("nan")
    expected = y.sum() * e / e.sum()
    statistic = float(((y - expected) ** 2 / expected).sum())
    return statistic, chi2_p_value(statistic, len(y) - 1)
