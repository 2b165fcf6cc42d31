"""The bivariate normal distribution, for many points at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_FAR = 40.0
"""Standard deviations beyond which the normal distribution has nothing left in floating point."""
_NEAR = 1e-300
"""Stands for zero where a zero would be divided by."""


def bivariate_cdf(h: ArrayLike, k: ArrayLike, rho: ArrayLike) -> Floats:
    r"""Probability :math:`P(X \le h, Y \le k)` of standard normals with correlation :math:`\rho`, by Owen's T.

    :math:`\Phi_2 = \tfrac12\{\Phi(h) + \Phi(k)\} - T(h, a_h) - T(k, a_k) - \delta` with
    :math:`a_h = (k/h - \rho)/\sqrt{1-\rho^2}` and :math:`\delta = \tfrac12` where h and k lie on different sides of 0.

    Parameters
    ----------
    h, k
        Limits, infinite ones too; they are broadcast.
    rho
        Correlations, strictly between -1 and 1.

    References
    ----------
    Owen (1956), Annals of Mathematical Statistics 27, 1075-1090.

    Examples
    --------
    >>> bivariate_cdf([0.0, np.inf], [0.0, 1.0], 0.5).round(6)  # 1/4 + asin(1/2)/(2 pi); the margin
    array([0.333333, 0.841345])
    """
    from scipy.special import ndtr, owens_t

    a, b, r = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (h, k, rho)))
    a, b = (np.clip(part, -_FAR, _FAR) for part in (a, b))
    a, b = (np.where(np.abs(part) < _NEAR, _NEAR, part) for part in (a, b))
    root = np.sqrt((1 - r) * (1 + r))
    inner = owens_t(a, (b / a - r) / root) + owens_t(b, (a / b - r) / root)
    apart = np.where((a > 0) != (b > 0), 0.5, 0.0)
    return np.asarray(np.clip((ndtr(a) + ndtr(b)) / 2 - inner - apart, 0.0, 1.0), dtype=float)


def bivariate_density(h: ArrayLike, k: ArrayLike, rho: ArrayLike) -> Floats:
    """Density of standard normals with correlation rho, which is also the derivative of their distribution by rho.

    >>> bivariate_density([0.0, np.inf], 0.0, 0.0).round(6)
    array([0.159155, 0.      ])
    """
    a, b, r = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (h, k, rho)))
    a, b = (np.clip(part, -_FAR, _FAR) for part in (a, b))
    left = (1 - r) * (1 + r)
    return np.asarray(np.exp(-(a * a - 2 * r * a * b + b * b) / (2 * left)) / (2 * np.pi * np.sqrt(left)), dtype=float)
