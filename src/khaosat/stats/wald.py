"""Wald tests of several quantities at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.p_values import f_p_value

Floats = NDArray[np.float64]


def wald_test(estimates: Floats, variance: Floats, *, df: float) -> tuple[float, int, float, float]:
    r"""Adjusted Wald test that r estimates are all zero.

    :math:`F = \frac{d - r + 1}{r d}\, \hat\theta' V^{-1} \hat\theta` on r and d - r + 1 degrees of freedom.

    Parameters
    ----------
    estimates, variance
        The estimates and their covariance.
    df
        Degrees of freedom d of the covariance.

    Returns
    -------
    tuple
        F, r, d - r + 1, p-value; NaN where too few degrees of freedom are left or the covariance is singular.

    Notes
    -----
    Without the adjustment the test rejects too often once r comes near d, as it does with few primary units.

    References
    ----------
    Korn and Graubard (1990), The American Statistician 44, 270-276.

    Examples
    --------
    >>> [round(float(x), 4) for x in wald_test(np.array([2.0]), np.array([[1.0]]), df=10)]
    [4.0, 1.0, 10.0, 0.0734]
    """
    r = len(estimates)
    left = df - r + 1
    if r == 0 or left <= 0 or not np.isfinite(variance).all() or (np.diagonal(variance) <= 0).any():
        return np.nan, r, np.nan, np.nan
    size = np.sqrt(np.diagonal(variance))
    correlation, z = variance / np.outer(size, size), estimates / size
    if np.linalg.cond(correlation) > 1e12:
        return np.nan, r, np.nan, np.nan
    statistic = float(left / (r * df) * z @ np.linalg.solve(correlation, z))
    return statistic, r, left, f_p_value(statistic, r, left)
