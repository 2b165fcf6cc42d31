"""Where a share will stand at the end of the year, out of what is counted so far. Arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

FEWEST = 3
"""Past periods below which the spread between periods cannot be told, so that there is no interval."""


def year_end_share(
    count: int,
    total: int,
    *,
    past_counts: Sequence[int],
    past_totals: Sequence[int],
    remaining: Sequence[float],
    level: float = 0.95,
) -> tuple[float, float, float]:
    """The share at the year's end, with a prediction interval.

    ``(count + M R) / (total + M)``, M = sum of ``remaining``, R the share among them: its mean is the pooled share p of
    the past periods, its variance ``p(1-p)/M + t² sum(m²)/M² + p(1-p)/N + t² sum(n²)/N²`` with t² the variance between
    periods by moments, times ``(t quantile / z)²`` for the few periods it rests on; R is taken as beta, its ends
    widened to whole counts.

    Parameters
    ----------
    count, total
        So far in the year.
    past_counts, past_totals
        By past period, the newest of the year included.
    remaining
        How many are expected in each period still to come.
    level
        Coverage.

    Returns
    -------
    Estimate, lower and upper end; the ends are NaN with fewer than three past periods, all NaN without any.

    References
    ----------
    DerSimonian and Laird (1986), Controlled Clinical Trials 7, 177-188 (variance between periods); method:
    ``docs/methods/chi-tieu.md``.

    Examples
    --------
    >>> past = {"past_counts": [950, 960, 955, 965], "past_totals": [1000, 1000, 1000, 1000]}
    >>> [round(x, 3) for x in year_end_share(2880, 3000, **past, remaining=[1000])]
    [0.959, 0.953, 0.965]
    """
    k, n = np.asarray(past_counts, dtype=np.float64), np.asarray(past_totals, dtype=np.float64)
    k, n = k[n > 0], n[n > 0]
    m = np.asarray(remaining, dtype=np.float64)
    if m.sum() <= 0:
        known = count / total if total else float("nan")
        return known, known, known
    if not len(n):
        return float("nan"), float("nan"), float("nan")
    expected = float(k.sum() / n.sum())
    low, high = _between(k, n, m, level=level)
    ends = [(count + m.sum() * share) / (total + m.sum()) for share in (expected, low, high)]
    return float(ends[0]), float(ends[1]), float(ends[2])


def _between(
    k: np.ndarray[tuple[int], np.dtype[np.float64]],
    n: np.ndarray[tuple[int], np.dtype[np.float64]],
    m: np.ndarray[tuple[int], np.dtype[np.float64]],
    *,
    level: float,
) -> tuple[float, float]:
    """Ends of the prediction interval of the share among the remaining."""
    from scipy import stats

    if len(n) < FEWEST:
        return float("nan"), float("nan")
    size = n.sum()
    # Jeffreys' half: with no late dossier so far there may still be one to come.
    p = (k.sum() + 0.5) / (size + 1)
    binomial = p * (1 - p)
    spread = float((n * (k / n - k.sum() / size) ** 2).sum())
    between = max(0.0, (spread - (len(n) - 1) * binomial) / (size - (n**2).sum() / size))
    variance = binomial / m.sum() + between * (m**2).sum() / m.sum() ** 2
    variance += binomial / size + between * (n**2).sum() / size**2
    upper = 0.5 + level / 2
    variance *= (stats.t.ppf(upper, len(n) - 1) / NormalDist().inv_cdf(upper)) ** 2
    if variance >= binomial:
        return 0.0, 1.0
    scale = binomial / variance - 1
    ends = stats.beta.ppf([1 - upper, upper], p * scale, (1 - p) * scale)
    # Dossiers are whole: of a hundred, near 100 % means all of them about as often as not.
    return float(np.floor(ends[0] * m.sum()) / m.sum()), float(min(1.0, np.ceil(ends[1] * m.sum()) / m.sum()))
