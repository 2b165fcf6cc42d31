"""Tail probabilities of test statistics, and their adjustment when many tests are read together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_AT_MEAN = 1e-5
"""Standard deviations from the mean within which the saddlepoint formula is 0/0 and its limit is taken."""
_AT_POLE = 1e-12
"""How near to its poles a function is searched for its root, as a part of their distance from zero."""


def t_p_value(statistic: ArrayLike, df: ArrayLike) -> Floats:
    """Two-sided tail of Student's t; NaN without degrees of freedom.

    >>> t_p_value([2.0, 2.0], [10, 0]).round(4)
    array([0.0734,    nan])
    """
    from scipy.special import stdtr

    t, freedom = np.broadcast_arrays(np.asarray(statistic, dtype=float), np.asarray(df, dtype=float))
    known = np.isfinite(t) & (freedom > 0)
    return np.where(known, 2 * stdtr(np.where(known, freedom, 1), -np.abs(np.where(known, t, 0))), np.nan)


def f_p_value(statistic: float, df1: float, df2: float) -> float:
    """Upper tail of Fisher's F; NaN without degrees of freedom.

    >>> round(f_p_value(3.2, 2, 40), 4), f_p_value(3.2, 2, 0)
    (0.0514, nan)
    """
    from scipy.special import fdtrc

    known = np.isfinite(statistic) and df1 > 0 and df2 > 0
    return float(fdtrc(df1, df2, max(statistic, 0.0))) if known else float("nan")


def chi2_p_value(statistic: float, df: float) -> float:
    """Upper tail of chi-squared; NaN without degrees of freedom.

    >>> round(chi2_p_value(3.841459, 1), 4)
    0.05
    """
    from scipy.special import chdtrc

    return float(chdtrc(df, max(statistic, 0.0))) if np.isfinite(statistic) and df > 0 else float("nan")


def chi2_sum_p_value(statistic: float, scales: ArrayLike, *, df2: float) -> float:
    r"""Upper tail of :math:`\sum_j \lambda_j \chi^2_1 / (\chi^2_\nu/\nu)` by the saddlepoint approximation.

    The tail at q is that of :math:`\sum_j \lambda_j \chi^2_1 - (q/\nu)\chi^2_\nu` at 0. With its cumulant generating
    function :math:`K(s) = -\tfrac12 \sum \log(1 - 2 s \lambda_j) - \tfrac\nu2 \log(1 + 2 s q/\nu)`, the
    :math:`\hat s` where :math:`K'(\hat s) = 0`, :math:`w = \mathrm{sign}(\hat s)\sqrt{-2K(\hat s)}` and
    :math:`v = \hat s \sqrt{K''(\hat s)}`, it is :math:`1 - \Phi(w + \log(v/w)/w)`.

    Parameters
    ----------
    statistic
        The value q.
    scales
        The :math:`\lambda_j`, positive.
    df2
        The degrees of freedom :math:`\nu` of the denominator.

    Notes
    -----
    The :math:`\nu` before the logarithm is cut to a whole number, as in R survey.

    References
    ----------
    Kuonen (1999), Biometrika 86, 929-935.

    Examples
    --------
    >>> round(chi2_sum_p_value(6.0, [1.0, 1.0], df2=40), 4), round(f_p_value(3.0, 2, 40), 4)
    (0.0621, 0.0611)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    lam = np.asarray(scales, dtype=float)
    if not (np.isfinite(statistic) and statistic > 0 and df2 > 0 and len(lam) and (lam > 0).all()):
        return float("nan")
    lam = np.append(lam, -float(statistic) / df2) / lam.max()
    times = np.append(np.ones(len(lam) - 1), np.floor(df2 * (1 + 1e-9)))
    spread = 2 * float((times * lam**2).sum())
    if abs(float((times * lam).sum())) < _AT_MEAN * np.sqrt(spread):
        skewness = 8 * float((times * lam**3).sum()) / spread**1.5
        return float(0.5 - skewness / (6 * np.sqrt(2 * np.pi)))
    # K' runs from minus to plus infinity between its poles, so the root lies inside
    ends = (0.5 / lam[-1] * (1 - _AT_POLE), 0.5 * (1 - _AT_POLE))
    s = brentq(lambda at: float((times * lam / (1 - 2 * at * lam)).sum()), *ends, xtol=1e-15, rtol=1e-14)
    w = float(np.sign(s) * np.sqrt((times * np.log1p(-2 * s * lam)).sum()))
    v = float(s * np.sqrt(2 * (times * (lam / (1 - 2 * s * lam)) ** 2).sum()))
    return float(ndtr(-(w + np.log(v / w) / w)))


def holm(p_values: ArrayLike) -> Floats:
    r"""P-values adjusted for reading all of them: :math:`\tilde p_{(i)} = \max_{j \le i} \min\{(m-j+1)\,p_{(j)}, 1\}`.

    Missing p-values stay missing and are not counted among the m tests.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, float("nan")]).round(2)
    array([0.03, 0.06, 0.06,  nan])
    """
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    steps = np.minimum(p[order] * np.arange(len(order), 0, -1), 1.0)
    adjusted[order] = np.maximum.accumulate(steps) if len(steps) else steps
    return adjusted
