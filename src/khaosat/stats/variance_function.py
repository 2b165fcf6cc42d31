r"""Sampling variances of many units by one function of their sizes, for units whose own variance is no guide.

A share of 0 or 100 % has an estimated variance of zero without being certain, and a variance from two or three primary
units may be anything. The generalised variance function :math:`V_i = k\,s_i/n_i` borrows the strength of all units
(Wolter 2007, ch. 7), with :math:`n_i` the effective number of respondents, :math:`s_i = 1` for means and
:math:`\tilde p_i(1 - \tilde p_i)` for shares, :math:`\tilde p_i` a pooled share and not the unit's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.small_area import fay_herriot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class SamplingVariances:
    """Variances to go on with.

    Parameters
    ----------
    variance
        The unit's own, or that of the function; NaN where neither is known.
    smoothed
        Units that have it from the function.
    df
        Degrees of freedom: the unit's own primary units less one, or those of the function; infinite where a unit was
        counted in full.
    """

    variance: Floats
    smoothed: Rows
    df: Floats


def sampling_variances(
    estimates: Floats, variances: Floats, *, effective_n: Floats, primary_units: Ints, smooth: Rows, share: bool
) -> SamplingVariances:
    r"""Variances with those of some units replaced by the function.

    :math:`k` is the mean of :math:`n_i V_i/s_i` over the units with two primary units or more, weighted by their
    degrees of freedom; variances of zero count, as they are among what chance gives.

    Parameters
    ----------
    estimates, variances
        Direct estimates and their estimated variances, finite.
    effective_n
        Respondents, less what unequal weights cost.
    primary_units
        Independently drawn units that each estimate rests on; 0: counted in full, whose variance stands.
    smooth
        Units to be given the variance of the function.
    share
        Whether the estimates are shares.

    Examples
    --------
    >>> found = sampling_variances(
    ...     np.array([3.0, 3.5, 4.0]), np.array([0.02, 0.04, 0.0]), effective_n=np.array([50.0, 50.0, 25.0]),
    ...     primary_units=np.array([11, 11, 1]), smooth=np.array([False, False, True]), share=False,
    ... )
    >>> found.variance.round(4).tolist(), found.df.tolist()
    ([0.02, 0.04, 0.06], [10.0, 10.0, 20.0])
    """
    own = np.where(primary_units == 0, np.inf, primary_units - 1.0)
    smooth = smooth & (primary_units > 0)
    told = np.where(np.isfinite(own), np.maximum(own, 0.0), 0.0)
    if not smooth.any():
        return SamplingVariances(variance=variances, smoothed=smooth, df=own)
    function = np.full(len(estimates), np.nan)
    if (told * variances).sum() > 0:
        scale = np.ones(len(estimates))
        function = _function(variances, effective_n, told, scale)
        if share:
            function = _function(variances, effective_n, told, _pooled_scale(estimates, function))
    return SamplingVariances(
        variance=np.where(smooth, function, variances), smoothed=smooth, df=np.where(smooth, told.sum(), own)
    )


def _function(variances: Floats, effective_n: Floats, df: Floats, scale: Floats) -> Floats:
    k = float((df * effective_n * variances / scale).sum() / df.sum())
    return k * scale / effective_n


def _pooled_scale(shares: Floats, variances: Floats) -> Floats:
    """Variance of one answer at the pooled share of its unit."""
    if len(shares) < 3:
        middle = float((shares / variances).sum() / (1 / variances).sum())
        return np.full(len(shares), middle * (1 - middle))
    pooled = fay_herriot(shares, variances, method="prasad_rao").pooled
    return np.asarray(pooled * (1 - pooled), dtype=float)
