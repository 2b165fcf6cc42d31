"""What boosted trees find in the same predictors: importance of groups of columns for units that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOut:
    """How well an outcome is predicted in units left out, and what each group of columns adds to that.

    Parameters
    ----------
    r2_boosted, r2_linear
        Weighted R² of boosted trees and of the linear regression in the units left out, all folds together.
    boosted, linear
        Loss of R² when a group's columns are shuffled among the respondents of the units left out, by fold (folds ×
        groups).
    """

    r2_boosted: float
    r2_linear: float
    boosted: Floats
    linear: Floats


def held_out_importance(
    y: Floats,
    x: Floats,
    *,
    groups: Sequence[Sequence[int]],
    weights: Floats,
    units: Codes,
    folds: int = 5,
    repeats: int = 2,
    rng: np.random.Generator,
) -> HeldOut:
    """Fit both models without some units, predict these, and shuffle one group of columns at a time.

    Parameters
    ----------
    y, x
        Outcome and columns without gaps.
    groups
        Columns of each group.
    weights
        Sampling weights.
    units
        Primary unit of each respondent; a unit is left out as a whole, or neighbours would tell on one another.
    folds, repeats
        Parts into which the units are dealt, and shuffles of each group.
    rng
        Source of randomness.

    References
    ----------
    Breiman (2001), Machine Learning 45, 5-32. Fisher, Rudin and Dominici (2019), Journal of Machine Learning Research
    20 (177). Roberts et al. (2017), Ecography 40, 913-929.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(400, 2))
    >>> found = held_out_importance(
    ...     x[:, 0] ** 2, x, groups=[[0], [1]], weights=np.ones(400), units=np.arange(400) % 20, rng=rng)
    >>> found.r2_linear < 0.1 < 0.7 < found.r2_boosted, bool(found.boosted[:, 0].min() > found.boosted[:, 1].max())
    (True, True)
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # limits what is loaded so far: so after scikit-learn

    def trees(y: Floats, x: Floats, weights: Floats) -> Callable[[Floats], Floats]:
        model = HistGradientBoostingRegressor(
            max_iter=60, learning_rate=0.15, max_leaf_nodes=8, early_stopping=False, random_state=0
        )
        return cast("Callable[[Floats], Floats]", model.fit(x, y, sample_weight=weights).predict)

    names, unit = np.unique(units, return_inverse=True)
    fold = rng.permutation(np.arange(len(names)) % min(folds, len(names)))[unit.reshape(-1)]
    losses: dict[str, list[Floats]] = {"boosted": [], "linear": []}
    base, spread = {name: np.zeros(0) for name in losses}, np.zeros(0)
    # One thread: the trees are small, and threads that wait for each other on a busy machine take 30 times as long.
    with threadpool_limits(1):
        for number in range(fold.max() + 1):
            out = fold == number
            seen = y[~out], x[~out], weights[~out]
            mixed = [[_shuffled(x[out], columns, rng) for _ in range(repeats)] for columns in groups]
            spread = np.append(spread, _loss(y[out], np.average(seen[0], weights=seen[2]), weights[out]))
            for name, predict in (("boosted", trees(*seen)), ("linear", _regression(*seen))):
                base[name] = np.append(base[name], _loss(y[out], predict(x[out]), weights[out]))
                each = [[_loss(y[out], predict(some), weights[out]) for some in group] for group in mixed]
                losses[name].append(np.mean(each, axis=1))
    worse = {name: (np.array(losses[name]) - base[name][:, None]) / np.maximum(spread, 1e-300)[:, None]
             for name in losses}  # fmt: skip
    r2 = {name: float(1 - base[name].sum() / spread.sum()) for name in losses}
    return HeldOut(
        r2_boosted=r2["boosted"], r2_linear=r2["linear"], boosted=worse["boosted"], linear=worse["linear"]
    )  # fmt: skip


def _regression(y: Floats, x: Floats, weights: Floats) -> Callable[[Floats], Floats]:
    root = np.sqrt(weights)
    columns = np.column_stack([np.ones(len(y)), x])
    coef = np.linalg.lstsq(columns * root[:, None], y * root, rcond=None)[0]
    return lambda values: np.asarray(coef[0] + values @ coef[1:], dtype=float)


def _loss(y: Floats, predicted: Floats | float, weights: Floats) -> float:
    return float(weights @ (y - predicted) ** 2)


def _shuffled(x: Floats, columns: Sequence[int], rng: np.random.Generator) -> Floats:
    """The same rows with a group of columns taken from other rows, together."""
    mixed = x.copy()
    mixed[:, list(columns)] = x[rng.permutation(len(x))][:, list(columns)]
    return mixed
