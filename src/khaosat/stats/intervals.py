"""Confidence intervals: Student's for any estimate, and those made for shares."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
ShareInterval = Literal["logit", "beta", "wilson", "wald", "asin"]
Bounds = tuple[Floats, Floats]


def check_level(level: float) -> None:
    """Refuse a confidence level that is no share, such as 95."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: it must lie between 0 and 1, such as 0.95")


def t_quantile(level: float, df: ArrayLike) -> Floats:
    """Two-sided quantile of Student's t; NaN where there are no degrees of freedom.

    >>> t_quantile(0.95, [10, 0]).round(4)
    array([2.2281,    nan])
    """
    check_level(level)
    from scipy.special import stdtrit  # scipy.stats takes a second to load; its quantiles come from here

    freedom = np.asarray(df, dtype=float)
    known = freedom > 0
    return np.where(known, stdtrit(np.where(known, freedom, 1), (1 + level) / 2), np.nan)


def t_interval(estimate: ArrayLike, se: ArrayLike, *, df: ArrayLike, level: float = 0.95) -> Bounds:
    """Estimate ± t · se.

    >>> low, high = t_interval(10.0, 2.0, df=10)
    >>> float(low.round(4)), float(high.round(4))
    (5.5437, 14.4563)
    """
    middle, half = np.asarray(estimate, dtype=float), t_quantile(level, df) * np.asarray(se, dtype=float)
    return middle - half, middle + half


def share_interval(
    share: ArrayLike,
    se: ArrayLike,
    *,
    df: ArrayLike,
    n: ArrayLike,
    level: float = 0.95,
    method: ShareInterval = "logit",
) -> Bounds:
    r"""Interval of a share from its design-based standard error.

    With :math:`t` the quantile at df and the effective sample size :math:`\tilde n = p(1-p)/se^2`:

    - ``logit``: :math:`\mathrm{logit}^{-1}\{\mathrm{logit}\,p \pm t\,se/(p(1-p))\}`
    - ``beta``: Clopper-Pearson at :math:`\tilde n\,(t_{n-1}/t_{df})^2` (Korn and Graubard 1998)
    - ``wilson``: score interval at the same effective sample size (Franco et al. 2019)
    - ``asin``: :math:`\sin^2\{\arcsin\sqrt p \pm t\,se/(2\sqrt{p(1-p)})\}`
    - ``wald``: :math:`p \pm t\,se`

    Parameters
    ----------
    share, se
        Estimates and their standard errors.
    df
        Degrees of freedom of the design.
    n
        Respondents with a valid answer; only ``beta`` and ``wilson`` use it.
    level
        Confidence level.
    method
        One of the above.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper bounds. At a share of exactly 0 or 1 the standard error says nothing: ``beta`` and ``wilson``
        then take the effective sample size to be n at most, the other methods have no interval (NaN).

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24, 193-201. Franco, Little, Louis and Slud (2019), Journal of Survey
    Statistics and Methodology 7, 334-364.

    Examples
    --------
    >>> low, high = share_interval([0.815], [0.0270776455620269], df=199, n=200)
    >>> float(low[0].round(6)), float(high[0].round(6))
    (0.755597, 0.862591)
    """
    if method not in get_args(ShareInterval):
        raise ValueError(f"ci must be one of {', '.join(get_args(ShareInterval))}, not {method!r}")
    p, error, freedom, cases = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (share, se, df, n)))
    edge = (p <= 0) | (p >= 1)
    known = np.isfinite(p) & np.isfinite(error) & (freedom > 0)
    inner = known & ~edge & (error > 0)
    safe_p, safe_se = np.where(inner, p, 0.5), np.where(inner, error, 0.1)
    size = safe_p * (1 - safe_p) / safe_se**2
    if method in ("beta", "wilson"):
        more = cases > 1
        ratio = t_quantile(level, np.where(more, cases - 1, np.nan)) / t_quantile(level, freedom)
        at_edge = known & edge & more
        ratio = np.where(at_edge, np.fmin(ratio, 1), ratio)  # n answers, all alike, are no more evidence than n
        safe_p, inner = np.where(at_edge, np.clip(p, 0, 1), safe_p), (inner & more) | at_edge
        size = np.where(at_edge, cases, size) * np.where(inner, ratio, 1) ** 2
    low, high = _METHODS[method](safe_p, size, t_quantile(level, freedom), level)
    exact = known & ~edge & (error == 0)
    return np.where(exact, p, np.where(inner, low, np.nan)), np.where(exact, p, np.where(inner, high, np.nan))


def _wald(p: Floats, size: Floats, t: Floats, level: float) -> Bounds:
    half = t * np.sqrt(p * (1 - p) / size)
    return p - half, p + half


def _logit(p: Floats, size: Floats, t: Floats, level: float) -> Bounds:
    from scipy.special import expit, logit

    half = t / np.sqrt(size * p * (1 - p))
    return expit(logit(p) - half), expit(logit(p) + half)


def _asin(p: Floats, size: Floats, t: Floats, level: float) -> Bounds:
    middle, half = np.arcsin(np.sqrt(p)), t / (2 * np.sqrt(size))
    return np.sin(np.maximum(middle - half, 0)) ** 2, np.sin(np.minimum(middle + half, np.pi / 2)) ** 2


def _beta(p: Floats, size: Floats, t: Floats, level: float) -> Bounds:
    from scipy.special import betaincinv

    tail, yes, no = (1 - level) / 2, size * p, size * (1 - p)
    low = np.where(yes > 0, betaincinv(np.where(yes > 0, yes, 1), no + 1, tail), 0.0)
    high = np.where(no > 0, betaincinv(yes + 1, np.where(no > 0, no, 1), 1 - tail), 1.0)
    return low, high


def _wilson(p: Floats, size: Floats, t: Floats, level: float) -> Bounds:
    from scipy.special import ndtri

    z2 = float(ndtri((1 + level) / 2)) ** 2
    middle = (p + z2 / (2 * size)) / (1 + z2 / size)
    half = np.sqrt(z2 * (p * (1 - p) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    return middle - half, middle + half


_METHODS = {"wald": _wald, "logit": _logit, "asin": _asin, "beta": _beta, "wilson": _wilson}
