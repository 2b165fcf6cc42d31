r"""Time to an end from counts, with open cases and competing ends.

At each time :math:`t_j` there are :math:`n_j` at risk, of whom :math:`d_{kj}` end in way k, :math:`d_j` in any way. The
share still open is :math:`S(t) = \prod_{t_j \le t}(1 - d_j/n_j)` (Kaplan and Meier 1958), the share that has ended in
way k :math:`F_k(t) = \sum_{t_j \le t} S(t_{j-1})\, d_{kj}/n_j` (Aalen and Johansen 1978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-15


@dataclass(frozen=True, eq=False, kw_only=True)
class Incidence:
    """How many have ended in each way by each time.

    Parameters
    ----------
    time
        Times at which somebody ended, ascending.
    at_risk
        Cases open just before.
    events
        Ends by way (times × ways).
    share, se
        Share that has ended in each way by then, and its standard error.
    open, open_se
        Share still open, and its standard error.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    share: Floats
    se: Floats
    open: Floats
    open_se: Floats


def incidence(time: ArrayLike, ends: ArrayLike, censored: ArrayLike) -> Incidence:
    r"""Kaplan-Meier and Aalen-Johansen estimates from counts.

    With :math:`h = d/n` and :math:`h_k = d_k/n`, the multinomial delta method gives

    .. math:: V\{F_k(t)\} = \sum_{t_j \le t} \frac1{n_j}\Bigl[S_{j-1}^2 h_{kj}(1-h_{kj})
        - 2 S_{j-1} h_{kj}\{F_k(t)-F_k(t_j)\} + \frac{h_j}{1-h_j}\{F_k(t)-F_k(t_j)\}^2\Bigr],

    Greenwood's formula where there is one way to end.

    Parameters
    ----------
    time
        Distinct times, in any order.
    ends
        Ends at each time by way (times × ways).
    censored
        Cases last seen open at each time; they are at risk there.

    Notes
    -----
    The same numbers as ``survfit`` of R survival gives for one and for several ways to end.

    References
    ----------
    Greenwood (1926), Reports on Public Health 33. Marubini and Valsecchi (1995), Analysing Survival Data from Clinical
    Trials and Observational Studies, p. 341.

    Examples
    --------
    >>> found = incidence([1, 2, 3], [[1], [1], [0]], [0, 1, 1])
    >>> found.share[:, 0].tolist(), found.open.tolist()
    ([0.25, 0.5], [0.75, 0.5])
    """
    order = np.argsort(np.asarray(time, dtype=float), kind="stable")
    t, d_all = np.asarray(time, dtype=float)[order], np.asarray(ends, dtype=float)[order]
    leaving = d_all.sum(axis=1) + np.asarray(censored, dtype=float)[order]
    n_all = leaving.sum() - np.concatenate([[0.0], np.cumsum(leaving)[:-1]])
    some = d_all.sum(axis=1) > 0
    d, n = d_all[some], n_all[some]
    hazard, hazards = d.sum(axis=1) / n, d / n[:, None]
    still = np.cumprod(1 - hazard)
    before = np.concatenate([[1.0], still[:-1]])
    # Rounding must not leave 1e-17 open where nobody is.
    still[hazard == 1] = 0.0
    share = np.cumsum(before[:, None] * hazards, axis=0)
    odds = np.divide(hazard, (1 - hazard) * n, where=hazard < 1, out=np.zeros_like(hazard))
    return Incidence(
        time=t[some], at_risk=n, events=d, share=share, se=_errors(share, hazards, before, n=n, odds=odds),
        open=still, open_se=still * np.sqrt(np.cumsum(odds)),
    )  # fmt: skip


def complementary_interval(share: ArrayLike, se: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    r"""Interval of a share that has ended, symmetric for :math:`\log\{-\log(1-F)\}`; NaN where F is 0 or 1.

    >>> low, high = complementary_interval([0.5], [0.1])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.3255], [0.7048])
    """
    from scipy.special import ndtri

    f, error = np.asarray(share, dtype=float), np.asarray(se, dtype=float)
    inner = (f > 0) & (f < 1)
    left = np.log1p(-np.where(inner, f, 0.5))
    # Beyond 700 the exponential overflows, and the bound is 0 or 1 long before.
    half = np.minimum(float(ndtri((1 + level) / 2)) * error / (np.exp(left) * -left), 700.0)
    low, high = (-np.expm1(left * np.exp(sign * half)) for sign in (-1, 1))
    return np.where(inner, low, np.nan), np.where(inner, high, np.nan)


def quantile_time(time: Floats, share: Floats, p: float) -> float:
    """First time by which the share p has ended; between two times where the curve rests at p; NaN if never reached.

    >>> quantile_time(np.array([1.0, 2.0, 4.0]), np.array([0.25, 0.5, 0.75]), 0.5)
    3.0
    """
    known = np.flatnonzero(share >= p - 1e-9)
    if not len(known):
        return float("nan")
    first = known[0]
    later = np.flatnonzero(share > p + 1e-9)
    if abs(share[first] - p) <= 1e-9 and len(later):
        return float((time[first] + time[later[0]]) / 2)
    return float(time[first])


def _errors(share: Floats, hazards: Floats, before: Floats, *, n: Floats, odds: Floats) -> Floats:
    """The square root of the formula of :func:`incidence`, its squares multiplied out so that one pass is enough."""
    first = np.cumsum(before[:, None] ** 2 * hazards * (1 - hazards) / n[:, None], axis=0)
    mixed = before[:, None] * hazards / n[:, None]
    second = share * np.cumsum(mixed, axis=0) - np.cumsum(mixed * share, axis=0)
    a, b, c = (np.cumsum(odds[:, None] * share**power, axis=0) for power in (0, 1, 2))
    variance = first - 2 * second + share**2 * a - 2 * share * b + c
    # What is left of a difference of equal numbers is not a variance.
    return np.sqrt(np.where(variance > _ROUNDING, variance, 0.0))
