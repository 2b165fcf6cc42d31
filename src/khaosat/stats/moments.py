"""Variances and covariances in the population."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def population_covariance(values: ArrayLike, weights: ArrayLike) -> tuple[Floats, Floats]:
    r"""Covariance matrix of columns in the population, with the influence of each respondent on each of its entries.

    :math:`S_{jk} = \sum w_i z_{ijk} / \sum w_i` with :math:`z_{ijk} = \frac{n}{n-1}(x_{ij} - \bar x_j)(x_{ik} -
    \bar x_k)` and weighted means :math:`\bar x`; a mean of z, so that its influence is :math:`w_i (z_{ijk} -
    S_{jk})/\sum w`: the means of x add nothing of first order.

    Parameters
    ----------
    values
        Respondents × variables, none missing.
    weights
        Sampling weights.

    Returns
    -------
    tuple of numpy.ndarray
        The matrix (p × p) and the weighted influences (n × p²), columns in the order of its entries row by row; their
        :func:`khaosat.stats.taylor.covariance` is that of the entries.

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, 5.9.

    Examples
    --------
    >>> matrix, influence = population_covariance([[1.0], [2.0], [6.0]], [1.0, 1.0, 1.0])
    >>> matrix.tolist(), influence.shape
    ([[7.0]], (3, 1))
    """
    x, w = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    n, p = x.shape
    if n < 2:
        return np.full((p, p), np.nan), np.zeros((n, p * p))
    away = x - w @ x / w.sum()
    products = (away[:, :, None] * away[:, None, :]).reshape(n, p * p) * (n / (n - 1))
    entries = w @ products / w.sum()
    return entries.reshape(p, p), w[:, None] * (products - entries) / w.sum()
