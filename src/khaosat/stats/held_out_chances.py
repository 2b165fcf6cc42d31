"""Boosted trees on counts, and how two forecasts of chances do on cases they have not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class Skill(NamedTuple):
    """Area under the ROC curve, and mean squared error of the chances (Brier)."""

    auc: float
    brier: float


def boosted_chances(codes: Codes, count: Floats, total: Floats, *, asked: Codes) -> Floats:
    """Chances of cells by boosted trees fitted to others: a cell is its successes and its failures, weighted.

    Parameters
    ----------
    codes, asked
        Levels of the factors (cells × factors), of the cells to learn from and of those asked about; fewer than 255 a
        factor.
    count, total
        Successes and cases of the cells to learn from.

    Notes
    -----
    On one thread: threads that wait for each other on a busy machine take 30 times as long.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # limits what is loaded so far: so after scikit-learn

    x, weight = np.vstack([codes, codes]), np.concatenate([count, total - count])
    y = np.repeat([1, 0], len(count))
    some = weight > 0
    model = HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.08, max_leaf_nodes=15, l2_regularization=1.0, early_stopping=False, random_state=0,
        categorical_features=[bool(levels <= 254) for levels in codes.max(axis=0) + 1],
    )  # fmt: skip
    with threadpool_limits(1):
        model.fit(x[some], y[some], sample_weight=weight[some])
        return np.asarray(model.predict_proba(asked)[:, 1], dtype=float)


def skill(chance: Floats, count: Floats, total: Floats) -> Skill:
    r"""AUC and Brier score of chances of cells; AUC is NaN where all cases are alike.

    AUC is the chance that a success has the higher forecast than a failure, ties counting half.

    Examples
    --------
    >>> skill(np.array([0.2, 0.8]), np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    Skill(auc=0.75, brier=0.19)
    """
    order = np.argsort(chance, kind="stable")
    values, group = np.unique(chance[order], return_inverse=True)
    yes, no = (np.bincount(group.reshape(-1), weights=counts[order]) for counts in (count, total - count))
    below = np.cumsum(no) - no / 2
    pairs = yes.sum() * no.sum()
    brier = float((count * (1 - chance) ** 2 + (total - count) * chance**2).sum() / max(total.sum(), 1e-300))
    return Skill(float(yes @ below / pairs) if pairs else float("nan"), round(brier, 15))
