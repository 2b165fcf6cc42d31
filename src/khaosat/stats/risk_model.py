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
_RIDGE = 0.005
_STEPS = 64
"""Classes of each column that the trees tell apart; to let them find these, with weights, costs more than they do."""
_FARTHEST = 3.0
UNCHANGED = (0.0, 1.0)
"""A recalibration that changes nothing."""
_PRIOR = (0.25, 0.125)
"""Standard deviations of shift and slope of the log odds in :func:`recalibration`."""
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
    edges
        Of each column, where its classes for the trees begin.
    """

    names: tuple[str, ...]
    numeric: int
    shares: Mapping[str, pd.Series]
    base: float
    centre: Floats
    spread: Floats
    usual: Floats
    edges: tuple[Floats, ...]
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
                parts.append((linear + self.trees.predict_proba(_classes(x, self.edges))[:, 1]) / 2)
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


def fit_risk(
    numbers: pd.DataFrame, texts: pd.DataFrame, *, event: Floats, case: Ints, weight: Floats | None = None
) -> RiskModel:
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
    weight
        How much each row counts in both models; by default alike.

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
    columns += [_log_odds(_crossed(texts[name], event, fold, base))[:, None] for name in used]
    x = np.column_stack(columns)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread < 1e-9, 1.0, spread)
    z = np.clip((x - centre) / spread, -_FARTHEST, _FARTHEST)
    edges = tuple(np.unique(np.quantile(column, np.arange(1, _STEPS) / _STEPS)) for column in x.T)
    logistic = LogisticRegression(C=_RIDGE, max_iter=1000, tol=1e-3)
    trees = HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.05, max_leaf_nodes=10, min_samples_leaf=50,
        l2_regularization=5.0, early_stopping=False, random_state=0,
    )  # fmt: skip
    with threadpool_limits(1):
        logistic.fit(_expand(z), event, sample_weight=weight)
        trees.fit(_classes(x, edges), event, sample_weight=weight)
    return RiskModel(
        names=(*map(str, numbers.columns), *used), numeric=numbers.shape[1], base=base, centre=centre, spread=spread,
        usual=_expand(z).mean(axis=0), edges=edges,
        shares={name: _shares(texts[name], event, base) for name in used}, logistic=logistic, trees=trees,
    )  # fmt: skip


def recalibration(event: Floats, chance: Floats, *, weight: Floats | None = None) -> tuple[float, float]:
    r"""By which log odds of chances are to be shifted and stretched to fit the events: shift and slope.

    :math:`\mathrm{logit}\,p' = a + b\,\mathrm{logit}\,p`, Platt scaling as a posterior mode:
    :math:`a \sim N(0, 1/4^2)`, :math:`b \sim N(1, 1/8^2)`; so few cases change little.

    Parameters
    ----------
    event, chance
        0 or 1, and what was said beforehand.
    weight
        How many cases each row stands for; by default one.

    References
    ----------
    Platt (1999), Advances in Large Margin Classifiers, MIT Press, 61-74. Cox (1958), Biometrika 45, 562-565. Steyerberg
    et al. (2004), Statistics in Medicine 23, 2567-2586: recalibration shrunk by sample size.

    Examples
    --------
    >>> chance = np.repeat([0.2, 0.8], 10_000)
    >>> event = np.tile(np.arange(10_000) < 2_000, 2).astype(float)
    >>> [round(part, 1) for part in recalibration(event, chance)]
    [-1.4, 0.0]
    >>> recalibration(np.empty(0), np.empty(0)) == UNCHANGED
    True
    """
    w = np.ones(len(event)) if weight is None else np.asarray(weight, dtype=float)
    x = np.column_stack([np.ones(len(event)), _log_odds(chance)])
    prior, held = np.array(UNCHANGED), np.diag([1 / spread**2 for spread in _PRIOR])
    found = prior.copy()
    for _ in range(50):  # Newton's steps on a concave log posterior
        p = 1 / (1 + np.exp(-np.clip(x @ found, -30, 30)))
        step = np.linalg.solve((x * (w * p * (1 - p))[:, None]).T @ x + held,
                               x.T @ (w * (event - p)) - held @ (found - prior))  # fmt: skip
        found = found + np.clip(step, -1.0, 1.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    return float(found[0]), float(found[1])


def rescaled(chance: Floats, scaling: tuple[float, float]) -> Floats:
    """Chances by their shifted and stretched log odds; see :func:`recalibration`.

    >>> rescaled(np.array([0.5]), (0.0, 2.0)).tolist()
    [0.5]
    """
    if scaling == UNCHANGED:
        return chance
    return np.asarray(1 / (1 + np.exp(-(scaling[0] + scaling[1] * _log_odds(chance)))))


def _expand(z: Floats) -> Floats:
    return np.column_stack([z, z * z[:, :1], z**2])


def _classes(x: Floats, edges: tuple[Floats, ...]) -> Floats:
    columns = [np.searchsorted(edge, column) for edge, column in zip(edges, x.T, strict=True)]
    return np.column_stack(columns).astype(float)


def _shares(values: pd.Series, event: Floats, base: float) -> pd.Series:
    codes, names = pd.factorize(values)
    some = codes >= 0
    late, n = (np.bincount(codes[some], weights=w, minlength=len(names)) for w in (event[some], np.ones(some.sum())))
    return pd.Series((late + SMOOTH * base) / (n + SMOOTH), index=names)


def _crossed(values: pd.Series, event: Floats, fold: Ints, base: float) -> Floats:
    """Of each row the smoothed share of its value in the other folds."""
    codes, names = pd.factorize(values)
    some, size = codes >= 0, (FOLDS, len(names))
    cell = np.ravel_multi_index((fold[some], codes[some]), size)
    late, n = (np.bincount(cell, weights=w, minlength=size[0] * size[1]).reshape(size)
               for w in (event[some], np.ones(len(cell))))  # fmt: skip
    others = (late.sum(axis=0) - late + SMOOTH * base) / (n.sum(axis=0) - n + SMOOTH)
    found = np.full(len(event), base)
    found[some] = others[fold[some], codes[some]]
    return found


def _coded(values: pd.Series, shares: pd.Series, base: float) -> Floats:
    return np.asarray(values.map(shares).astype("float64").fillna(base), dtype=float)


def _log_odds(p: Floats) -> Floats:
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(p / (1 - p)))
