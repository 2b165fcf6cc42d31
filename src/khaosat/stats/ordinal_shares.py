"""The share of answers up to a level that a cumulative model predicts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.ordinal import OrdinalFit
from khaosat.stats.ordinal_links import CUMULATIVE, DENSITIES

Floats = NDArray[np.float64]


def lower_share(x: Floats, fit: OrdinalFit, *, cut: int, weights: Floats) -> tuple[float, Floats]:
    """Mean predicted share of the lowest ``cut`` levels, and the influence of each respondent on it.

    One threshold of what :func:`khaosat.stats.ordinal.level_shares` gives for all.

    Examples
    --------
    >>> from khaosat.stats.ordinal import fit_ordinal
    >>> x = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> fit = fit_ordinal(np.array([0, 1, 0, 1]), x, weights=np.ones(4))
    >>> round(lower_share(x, fit, cut=1, weights=np.ones(4))[0], 6)
    0.5
    """
    p = x.shape[1]
    q = fit.coef[p + cut - 1] - x @ fit.coef[:p]
    below, share = CUMULATIVE[fit.link](q), weights / weights.sum()
    value = float(share @ below)
    slope = share * DENSITIES[fit.link](q)
    gradient = np.zeros(len(fit.coef))
    gradient[:p], gradient[p + cut - 1] = -slope @ x, slope.sum()
    return value, share * (below - value) + fit.influence @ gradient
