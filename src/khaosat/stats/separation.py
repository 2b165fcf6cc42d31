"""Whether the outcome is separated by the terms of a model: then its coefficients run off to infinity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def separating_direction(signs: Floats) -> Floats | None:
    r"""A direction along which no respondent's fit gets worse and some get better, for ever.

    With rows :math:`a_i` such that the fit of respondent i improves with :math:`a_i'\delta`, the estimate is finite if
    and only if no :math:`\delta` has all :math:`a_i'\delta \ge 0` and one of them above 0.

    Parameters
    ----------
    signs
        The rows :math:`a_i`, one a respondent or more.

    Returns
    -------
    numpy.ndarray or None
        :math:`\delta` within -1..1, each column measured in its largest absolute value; None: the estimate is finite.

    References
    ----------
    Konis (2007), Linear programming algorithms for detecting separated data, DPhil thesis, Oxford. Albert and Anderson
    (1984), Biometrika 71, 1-10.

    Examples
    --------
    >>> x = np.array([-2.0, -1.0, 1.0, 3.0])
    >>> y = np.array([0, 0, 1, 1])
    >>> rows = np.column_stack([np.ones(4), x]) * np.where(y == 1, 1.0, -1.0)[:, None]
    >>> bool(separating_direction(rows)[1] > 0)
    True
    >>> separating_direction(np.vstack([rows, -rows])) is None
    True
    """
    from scipy.optimize import linprog

    size = np.abs(signs).max(axis=0)
    scaled = np.unique(signs / np.where(size > 0, size, 1), axis=0)
    found = linprog(-scaled.mean(axis=0), A_ub=-scaled, b_ub=np.zeros(len(scaled)), bounds=(-1, 1), method="highs")
    if not found.success or -found.fun <= 1e-7:
        return None
    return np.asarray(found.x, dtype=float)
