"""Drawing a sample from a list: probabilities and who is drawn. The order of the list is part of the method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]


def inclusion_probabilities(size: Floats, n: int) -> Floats:
    r"""Probabilities proportional to size, :math:`\pi_i = n x_i/\sum x`; those that would exceed 1 are certain.

    What certain units leave is divided anew between the others, until none exceeds 1.

    Raises
    ------
    ValueError
        If a size is not positive or there are fewer units than n.

    References
    ----------
    Tillé (2006), Sampling Algorithms, 2.10.

    Examples
    --------
    >>> inclusion_probabilities(np.array([10.0, 1.0, 1.0, 2.0]), 2).tolist()
    [1.0, 0.25, 0.25, 0.5]
    """
    if not (np.isfinite(size) & (size > 0)).all():
        raise ValueError("every size must be a positive number")
    if n > len(size):
        raise ValueError(f"{n} cannot be drawn of {len(size)}")
    certain = np.zeros(len(size), dtype=bool)
    while True:
        rest = np.where(certain, 0.0, size)
        left = n - int(certain.sum())
        probability = np.where(certain, 1.0, left * rest / max(float(rest.sum()), 1e-300))
        over = (probability >= 1 - 1e-12) & ~certain
        if not over.any():
            return probability
        certain |= over


def systematic(probabilities: Floats, start: float) -> Rows:
    """Systematic sample with these probabilities from one random start in 0..1 (Madow 1949); their sum is drawn.

    >>> systematic(np.array([0.5, 0.5, 0.5, 0.5]), 0.3).tolist()
    [False, True, False, True]
    """
    reached = np.cumsum(probabilities)
    reached = np.append(0.0, np.where(np.abs(reached - np.round(reached)) < 1e-9, np.round(reached), reached))
    return np.diff(np.floor(reached + min(start, 1 - 1e-9))) > 0  # a start that rounds to 1 would draw one more


def simple_random(keys: Floats, n: int) -> Rows:
    """The n smallest of random keys.

    >>> simple_random(np.array([0.9, 0.1, 0.5]), 2).tolist()
    [False, True, True]
    """
    chosen = np.zeros(len(keys), dtype=bool)
    chosen[np.argsort(keys, kind="stable")[:n]] = True
    return chosen
