r"""R² of every subset of predictors from one moment matrix, and the influence of each respondent on it.

With the weighted covariances :math:`A = S_{xx}`, :math:`c = S_{xy}`, the regression on the predictors of S has
:math:`R^2_S = c_S' A_S^{-1} c_S / s_{yy}`. Let :math:`u_S = (1, -b_S)` be the outcome less the fit as a combination of
(y, x), so that :math:`e_{iS} = u_S' z_i` is the residual of the centred :math:`z_i`. Then

.. math::  IF_i(R^2_S) = -\frac{w_i}{\sum w\, s_{yy}} \{e_{iS}^2 - (1 - R^2_S)(y_i - \bar y)^2\}

which is a quadratic form in z: a sum over subsets is one matrix, whatever their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

_AT_ONCE = 4_000_000
"""Entries of the matrices solved together."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Moments:
    """Weighted second moments of an outcome (first) and predictors.

    Parameters
    ----------
    values
        Centred and scaled to variance 1, respondents × (1 + predictors).
    share
        Weights that sum to 1.
    """

    values: Floats
    share: Floats

    @property
    def matrix(self) -> Floats:
        """Their correlations."""
        return np.asarray((self.values * self.share[:, None]).T @ self.values, dtype=float)

    def under(self, weights: Floats) -> Floats:
        """Covariance matrices under other weights (respondents × r): r × (1 + predictors)²; NaN where they are 0."""
        size = self.values.shape[1]
        upper = np.triu_indices(size)
        products = self.values[:, upper[0]] * self.values[:, upper[1]]
        total = weights.sum(axis=0)
        total = np.where(total > 0, total, np.nan)
        means = (weights.T @ self.values) / total[:, None]
        second = (weights.T @ products) / total[:, None] - means[:, upper[0]] * means[:, upper[1]]
        matrices = np.zeros((weights.shape[1], size, size))
        matrices[:, upper[0], upper[1]] = matrices[:, upper[1], upper[0]] = second
        return matrices


def moments(y: Floats, x: Floats, *, weights: Floats) -> Moments:
    """Moments of an outcome and the columns of a matrix, none of them constant."""
    share = weights / weights.sum()
    values = np.column_stack([y, x])
    values = values - share @ values
    return Moments(values=values / np.sqrt(share @ values**2), share=share)


def subset_r_squared(matrix: Floats, members: Rows) -> tuple[Floats, Floats]:
    """R² of each subset and its slopes.

    Parameters
    ----------
    matrix
        Covariances of the outcome (first) and the predictors.
    members
        Which predictors are in (subsets × predictors).

    Returns
    -------
    tuple of numpy.ndarray
        R² (subsets) and slopes (subsets × predictors; 0 for those outside).

    Examples
    --------
    >>> matrix = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.0], [0.3, 0.0, 1.0]])
    >>> subset_r_squared(matrix, np.array([[False, False], [True, False], [True, True]]))[0].round(6).tolist()
    [0.0, 0.36, 0.45]
    """
    c, a, q = matrix[0, 1:], matrix[1:, 1:], members.shape[1]
    slopes = np.zeros(members.shape)
    step = max(1, _AT_ONCE // max(q * q, 1))
    for start in range(0, len(members), step):
        inside = members[start : start + step].astype(float)
        left = a * (inside[:, :, None] * inside[:, None, :]) + np.eye(q) * (1 - inside[:, :, None])
        slopes[start : start + step] = np.linalg.solve(left, (inside * c)[:, :, None])[:, :, 0]
    return slopes @ c / matrix[0, 0], slopes


def r_squared_influence(found: Moments, members: Rows, *, parts: Floats) -> Floats:
    """Weighted influence of each respondent on linear combinations of the R² of subsets.

    Parameters
    ----------
    found
        The moments.
    members
        Subsets × predictors.
    parts
        Combinations × subsets; the coefficients.

    Returns
    -------
    numpy.ndarray
        Respondents × combinations.

    Examples
    --------
    >>> y, x = np.array([1.0, 2.0, 4.0, 3.0]), np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> parts = np.ones((1, 1))
    >>> influence = r_squared_influence(moments(y, x, weights=np.ones(4)), np.array([[True]]), parts=parts)
    >>> influence[:, 0].round(4).tolist()
    [0.144, 0.016, -0.08, -0.08]
    """
    values, slopes = subset_r_squared(found.matrix, members)
    residual = np.hstack([np.ones((len(members), 1)), -slopes])
    influence = np.empty((len(found.values), len(parts)))
    for j, coefficients in enumerate(parts):
        gradient = -(residual * coefficients[:, None]).T @ residual
        gradient[0, 0] += coefficients @ (1 - values)
        influence[:, j] = found.share * np.einsum("ia,ia->i", found.values @ gradient, found.values)
    return influence
