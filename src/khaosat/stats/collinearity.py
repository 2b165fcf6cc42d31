"""How much the columns of a model say the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from khaosat.stats.r_squared import moments

Floats = NDArray[np.float64]


def inflation(x: Floats, *, weights: Floats) -> tuple[Floats, float]:
    r"""Variance inflation of each column and the condition index of all.

    :math:`VIF_j = 1/(1 - R^2_j)` with R² of column j on the others; the index is :math:`\sqrt{\lambda_{max} /
    \lambda_{min}}` of the weighted correlations.

    Parameters
    ----------
    x
        Columns, none constant and none a combination of others.
    weights
        Sampling weights.

    References
    ----------
    Belsley, Kuh and Welsch (1980), Regression Diagnostics, ch. 3. Liao and Valliant (2012), Survey Methodology 38,
    53-62.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0], [4.0, 4.0]])
    >>> vif, index = inflation(x, weights=np.ones(4))
    >>> vif.round(3).tolist(), round(index, 3)
    ([2.778, 2.778], 3.0)
    """
    matrix = moments(x[:, 0], x[:, 1:], weights=weights).matrix
    values = np.linalg.eigvalsh(matrix)
    return np.diagonal(np.linalg.inv(matrix)).copy(), float(np.sqrt(values[-1] / values[0]))
