"""Slopes in a panel with unit and period effects, where the explaining variables are themselves noisy shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_RELIABILITY = 0.3
"""Below this most of what moves in an explaining variable is chance, and no correction can be trusted."""


@dataclass(frozen=True, eq=False, kw_only=True)
class NoisySlopes:
    """Slopes, plain and corrected for noise, with standard errors; df by unit; ``reliability`` of each variable."""

    plain: Floats
    plain_se: Floats
    corrected: Floats
    corrected_se: Floats
    df: float
    reliability: Floats


def noisy_slopes(y: Floats, x: Floats, *, noise: Floats, weights: Floats, unit: Ints, period: Ints) -> NoisySlopes:
    r"""Slopes of y on x within units and periods: :math:`(\tilde X^\top W \tilde X - C)^{-1} \tilde X^\top W \tilde y`.

    :math:`\tilde X = MX`, M takes unit and period means off; :math:`C` is diagonal, :math:`C_{kk} = \sum_j v_{jk}
    (M^\top W M)_{jj}` is what noise of variance :math:`v_{jk}` adds to the spread of column k. ``reliability`` is
    :math:`1 - C_{kk}/(\tilde X^\top W \tilde X)_{kk}`.

    Parameters
    ----------
    y, x
        Outcome and explaining variables (cells × variables).
    noise
        Known variances of the errors in x, which are independent.
    weights
        Of cells.
    unit, period
        Codes from 0 on.

    Notes
    -----
    Error in y only widens the interval; error in x pulls the slope towards zero, in differences more than in levels.
    Method of moments (Fuller 1987) rather than SIMEX: exact here, as the variance of a share is known and the model
    linear. Errors are robust to anything within a unit, times G/(G-1); the noise is taken as known. No correction where
    a reliability is below 0.3 or noise would explain all of a combination.

    References
    ----------
    Fuller (1987), Measurement Error Models, 2.2, 3.1. Griliches and Hausman (1986), Journal of Econometrics 31, 93-118.

    Examples
    --------
    >>> unit, period = np.repeat([0, 1, 2], 3), np.tile([0, 1, 2], 3)
    >>> x = np.array([[0.1, 0.2, 0.1, 0.3, 0.1, 0.2, 0.2, 0.2, 0.4]]).T
    >>> y = 0.9 - 0.5 * x[:, 0]
    >>> found = noisy_slopes(y, x, noise=np.zeros((9, 1)), weights=np.ones(9), unit=unit, period=period)
    >>> found.plain.round(6), found.corrected.round(6), found.reliability
    (array([-0.5]), array([-0.5]), array([1.]))
    """
    dummies = np.hstack([np.eye(int(unit.max()) + 1)[unit], np.eye(int(period.max()) + 1)[period]])
    root = np.sqrt(weights)[:, None]
    basis, size, _ = np.linalg.svd(dummies * root, full_matrices=False)
    basis = basis[:, size > 1e-9 * size[0]]
    annihilator = np.eye(len(y)) - basis @ basis.T  # of the variables times the root of their weight
    x_free, y_free = annihilator @ (root * x), annihilator @ (root[:, 0] * y)
    spread, groups = x_free.T @ x_free, len(np.unique(unit))
    nothing = np.full(x.shape[1], np.nan)
    least = 1e-12 * np.maximum(weights @ x**2, 1e-300)
    if (np.diag(spread) <= least).any() or np.linalg.matrix_rank(x_free) < x.shape[1] or groups < 2:
        return NoisySlopes(plain=nothing, plain_se=nothing, corrected=nothing, corrected_se=nothing, df=float("nan"),
                           reliability=nothing)  # fmt: skip
    extra = noise * weights[:, None] * np.diag(annihilator)[:, None]
    reliability = 1 - extra.sum(axis=0) / np.diag(spread)

    def slopes(taken: Floats) -> tuple[Floats, Floats]:
        inverse = np.linalg.inv(spread - np.diag(taken.sum(axis=0)))
        estimate = inverse @ (x_free.T @ y_free)
        score = x_free * (y_free - x_free @ estimate)[:, None] + estimate * taken
        sums = np.zeros((int(unit.max()) + 1, x.shape[1]))
        np.add.at(sums, unit, score @ inverse)
        return estimate, np.sqrt((sums**2).sum(axis=0) * groups / (groups - 1))

    plain = slopes(np.zeros_like(x))
    left = np.linalg.eigvalsh(spread - np.diag(extra.sum(axis=0)))
    trusted = bool((reliability >= LEAST_RELIABILITY).all() and left[0] > 0)
    corrected = slopes(extra) if trusted else (nothing, nothing)
    return NoisySlopes(plain=plain[0], plain_se=plain[1], corrected=corrected[0], corrected_se=corrected[1],
                       df=float(groups - 1), reliability=reliability)  # fmt: skip
