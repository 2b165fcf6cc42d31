r"""Restricted cubic splines: smooth in the middle, straight lines beyond the outer knots."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def restricted_cubic(values: ArrayLike, knots: ArrayLike) -> Floats:
    r"""Bends of a restricted cubic spline with knots :math:`t_1 < \dots < t_k`; with the values themselves its basis.

    For :math:`j = 1, \dots, k-2`, with :math:`u_+ = \max(u, 0)`,

    .. math::  b_j(x) = \frac{(x-t_j)_+^3 - (x-t_{k-1})_+^3 \frac{t_k-t_j}{t_k-t_{k-1}}
               + (x-t_k)_+^3 \frac{t_{k-1}-t_j}{t_k-t_{k-1}}}{(t_k-t_1)^2}

    Parameters
    ----------
    values
        Numbers.
    knots
        At least three, rising.

    Returns
    -------
    numpy.ndarray
        Values × (k - 2); the divisor keeps them in the unit of the values.

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, 2nd ed., p. 24.

    Examples
    --------
    >>> restricted_cubic([0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 2.0]).round(4).ravel().tolist()
    [0.0, 0.25, 1.5, 4.5]
    """
    t = np.asarray(knots, dtype=float)
    if len(t) < 3 or not (np.diff(t) > 0).all():
        raise ValueError(f"a restricted cubic spline needs at least three rising knots, not {t.tolist()}")
    cubes = np.maximum(np.asarray(values, dtype=float)[:, None] - t, 0.0) ** 3
    last, before = t[-1], t[-2]
    inner = cubes[:, :-2]
    to_last, to_before = (last - t[:-2]) / (last - before), (before - t[:-2]) / (last - before)
    bends = (inner - cubes[:, [-2]] * to_last + cubes[:, [-1]] * to_before) / (last - t[0]) ** 2
    return np.asarray(bends, dtype=float)
