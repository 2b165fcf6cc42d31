"""Ranks of weighted values in the population they stand for, and the scores of rank tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def rank_scores(values: ArrayLike, weights: ArrayLike, *, median: bool = False) -> Floats:
    r"""Scores whose design-based group means a rank test compares.

    The estimated rank in the population of a value is the sum of the weights of smaller values and half of its own;
    equal values share the mean of theirs. As a part of the whole, :math:`r_i \in (0, 1)`, it is the score of
    Wilcoxon's and Kruskal's tests; that of the median test is :math:`1(r_i > 1/2)`.

    Parameters
    ----------
    values, weights
        One entry a respondent.
    median
        Scores of the median test.

    References
    ----------
    Lumley and Scott (2013), Biometrika 100, 831-842.

    Examples
    --------
    >>> rank_scores([3, 1, 2, 2], [1, 1, 1, 1]).tolist()
    [0.875, 0.125, 0.5, 0.5]
    """
    x, w = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    if len(x) == 0:
        return np.zeros(0)
    order = np.argsort(x, kind="stable")
    middle = np.cumsum(w[order]) - w[order] / 2
    tie = np.cumsum(np.append(False, np.diff(x[order]) > 0))
    shared = np.bincount(tie, middle) / np.bincount(tie)
    ranks = np.empty(len(x))
    ranks[order] = shared[tie] / w.sum()
    return (ranks > 0.5).astype(float) if median else ranks
