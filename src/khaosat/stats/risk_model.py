"""The chance of an event from numbers and categories: a ridge logistic regression and boosted trees, averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMOOTH = 30.0
"""So many rows of the overall share are added to each category."""
FOLDS = 5
_RIDGE = 0.02
_FARTHEST = 3.0
_CHUNK = 100_000


@dataclass(frozen=True, eq=False, kw_only=True)
class RiskModel:
    """A fitted model; made by :func:`fit_risk`.

    Parameters
    ----------
    names
        Columns of the design: the numbers, then the categories.
    shares
        Smoothed share of events of each value of each category.
    base
        Share of events in all.
    centre, spread
        By which columns are standardised for the regression.
    usual
        Mean of the regression's design in the data that it was fitted to.
    """

    names: tuple[str, ...]
    numeric: int
    shares: Mapping[str, pd.Series]
    base: float
    centre: Floats
    spread: Floats
    usual: Floats
    logistic: Any
    trees: Any

    def predict(self, numbers: pd.DataFrame, texts: pd.DataFrame) -> Floats:
        """Chance of the event of each row."""
        from threadpoolctl import threadpool_limits

        parts = []
        for start in range(0, len(numbers), _CHUNK):
            some = slice(start, start + _CHUNK)
            x = self._design(numbers.iloc[some], texts.iloc[some])
            with threadpool_limits(1):
                linear = self.logistic.predict_proba(_expand(self._standard(x)))[:, 1]
                parts.append((linear + self.trees.predict_proba(x)[:, 1]) / 2)
        return np.concatenate(parts) if parts else np.empty(0)

    def contributions(self, numbers: pd.DataFrame, texts: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the log odds of the regression, against the average case."""
        z = self._standard(self._design(numbers, texts))
        added = ((_expand(z) - self.usual) * self.logistic.coef_[0]).reshape(len(z), 3, -1).sum(axis=1)
        return pd.DataFrame(added, columns=list(self.names), index=numbers.index)

    def _design(self, numbers: pd.DataFrame, texts: pd.DataFrame) -> Floats:
        names = list(self.names)
        columns = [numbers[name].to_numpy(float) for name in names[: self.numeric]]
        columns += [_log_odds(_coded(texts[name], self.shares[name], self.base)) for name in names[self.numeric :]]
        return np.column_stack(columns)

    def _standard(self, x: Floats) -> Floats:
        return np.clip((x - self.centre) / self.spread, -_FARTHEST, _FARTHEST)


def fit_risk(numbers: pd.DataFrame, texts: pd.DataFrame, *, event: Floats, case: Ints) -> RiskModel:
    """Fit both models; the first column of ``numbers`` also changes what the others say (interactions).

    ``p = (p_logistic + p_trees) / 2``; a category enters as its smoothed share ``(events + 30 base) / (n + 30)`` as log
    odds, reckoned for each case from the other folds of cases; a missing value, and one not seen before, enters as the
    base: whether something is recorded often depends on how it ended.

    Parameters
    ----------
    numbers, texts
        Finite columns, and categories (missing allowed), row by row.
    event
        0 or 1; both must occur.
    case
        Whom the row is about: rows of one case are kept in one fold.

    References
    ----------
    Micci-Barreca (2001), SIGKDD Explorations 3, 27-32. Friedman (2001), Annals of Statistics 29, 1189-1232.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = pd.DataFrame({"a": rng.normal(size=600)})
    >>> y = (rng.random(600) < 1 / (1 + np.exp(-2 * x["a"]))).to_numpy(float)
    >>> model = fit_risk(x, pd.DataFrame({"b": ["u", "v"] * 300}), event=y, case=np.arange(600))
    >>> low, high = model.predict(pd.DataFrame({"a": [-2.0, 2.0]}), pd.DataFrame({"b": ["u", None]}))
    >>> bool(low < 0.2 < 0.8 < high)
    True
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # limits what is loaded so far: so after scikit-learn

    base = float(event.mean())
    used = [str(name) for name in texts if len(texts[name].dropna().unique()) > 1]
    fold = case % FOLDS
    columns = [numbers.to_numpy(float)]
    for name in used:
        coded = np.full(len(event), base)
        for out in range(FOLDS):
            inside = fold == out
            seen = _shares(texts[name][~inside], event[~inside], base)
            coded[inside] = _coded(texts[name][inside], seen, base)
        columns.append(_log_odds(coded)[:, None])
    x = np.column_stack(columns)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread < 1e-9, 1.0, spread)
    z = np.clip((x - centre) / spread, -_FARTHEST, _FARTHEST)
    logistic = LogisticRegression(C=_RIDGE, max_iter=1000, tol=1e-3)
    trees = HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.05, max_leaf_nodes=6, min_samples_leaf=60, l2_regularization=5.0,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    with threadpool_limits(1):
        logistic.fit(_expand(z), event)
        trees.fit(x, event)
    return RiskModel(
        names=(*map(str, numbers.columns), *used), numeric=numbers.shape[1], base=base, centre=centre, spread=spread,
        usual=_expand(z).mean(axis=0),
        shares={name: _shares(texts[name], event, base) for name in used}, logistic=logistic, trees=trees,
    )  # fmt: skip


def platt_scaling(event: Floats, chance: Floats) -> tuple[float, float]:
    """Shift and slope of the log odds with which chances fit the events best; both kinds of event must occur.

    References
    ----------
    Platt (1999), Advances in Large Margin Classifiers, MIT Press, 61-74. Cox (1958), Biometrika 45, 562-565.

    Examples
    --------
    >>> chance = np.repeat([0.2, 0.8], 100)
    >>> shift, slope = platt_scaling(np.tile(np.arange(100) < 20, 2).astype(float), chance)
    >>> round(shift, 2), round(slope, 2)
    (-1.39, 0.0)
    """
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=1e6, max_iter=1000).fit(_log_odds(chance)[:, None], event)
    return float(found.intercept_[0]), float(found.coef_[0, 0])


def rescaled(chance: Floats, platt: tuple[float, float]) -> Floats:
    """Chances by their shifted and stretched log odds.

    >>> rescaled(np.array([0.5]), (0.0, 2.0)).tolist()
    [0.5]
    """
    if platt == (0.0, 1.0):
        return chance
    return np.asarray(1 / (1 + np.exp(-(platt[0] + platt[1] * _log_odds(chance)))))


def _expand(z: Floats) -> Floats:
    return np.column_stack([z, z * z[:, :1], z**2])


def _shares(values: pd.Series, event: Floats, base: float) -> pd.Series:
    found = pd.Series(event).groupby(values.to_numpy()).agg(["sum", "count"])
    return (found["sum"] + SMOOTH * base) / (found["count"] + SMOOTH)


def _coded(values: pd.Series, shares: pd.Series, base: float) -> Floats:
    return np.asarray(values.map(shares).astype("float64").fillna(base), dtype=float)


def _log_odds(p: Floats) -> Floats:
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(p / (1 - p)))
