"""What a cumulative model says about the share of each level: marginal effects and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.stats.p_values import t_p_value
from khaosat.survey.model_frame import ModelFrame, level_name
from khaosat.survey.model_result import model_covariance
from khaosat.survey.partial_odds import CumulativeFit, shares_of

Floats = NDArray[np.float64]

_STEP = 1e-4
"""Half the change of a number for its slope, in standard deviations: the error is the square of it."""
_QUARTILES = (0.25, 0.5, 0.75)
_FEW_VALUES = 7
"""A number with up to so many values is predicted at each, one with more at its quartiles."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedLevels:
    """A fitted cumulative model, and how certain its consequences should be made."""

    survey: Survey
    frame: ModelFrame
    fit: CumulativeFit
    levels: tuple[str, ...]
    df: int
    level: float

    def shares(self, given: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """Mean share of each level and its influence values, with other values of some variables."""
        weights = self.survey.arrays.weights[self.frame.used]
        return shares_of(self.frame.slopes(given), self.fit, weights=weights)

    def rows(self, keys: dict[str, list[str]], values: list[Floats], influences: list[Floats]) -> pd.DataFrame:
        """Keys repeated for every level, estimates and standard errors."""
        rows = pd.DataFrame({name: np.repeat(column, len(self.levels)) for name, column in keys.items()}, dtype=object)
        variance = model_covariance(
            self.survey, np.hstack([np.zeros((self.frame.n, 0)), *influences]), used=self.frame.used
        )
        estimate = np.concatenate([np.zeros(0), *values])
        return rows.assign(level=list(self.levels) * len(values), estimate=estimate, se=np.sqrt(np.diagonal(variance)))


def marginal_effects(model: FittedLevels) -> pd.DataFrame:
    r"""Average marginal effects on the share of each level.

    For levels the mean of :math:`P_k` if everybody had the level less that if everybody had the first; for a number
    the mean slope, by central differences.
    """
    keys: dict[str, list[str]] = {"variable": [], "contrast": []}
    values, influences = [], []
    for variable in model.frame.variables:
        for contrast, low, high, width in contrasts(model.frame, variable):
            (after, moved), (before, was) = (model.shares({variable: given}) for given in (high, low))
            keys["variable"].append(variable)
            keys["contrast"].append(contrast)
            values.append((after - before) / width)
            influences.append((moved - was) / width)
    rows = model.rows(keys, values, influences)
    low_end, high_end = t_interval(rows["estimate"], rows["se"], df=model.df, level=model.level)
    estimate, se = rows["estimate"].to_numpy(float), rows["se"].to_numpy(float)
    t = np.divide(estimate, se, where=se > 0, out=np.full(len(rows), np.nan))
    return rows.assign(
        low=low_end, high=high_end, df=model.df, n=model.frame.n, n_missing=model.frame.n_missing,
        p_value=t_p_value(t, model.df),
    )  # fmt: skip


def predicted_levels(model: FittedLevels) -> pd.DataFrame:
    """Mean predicted share of each level: as things are, then as if everybody had a value of one variable."""
    frame = model.frame
    keys: dict[str, list[str]] = {"variable": [""], "value": [""]}
    values, influences = ([part] for part in model.shares({}))
    for variable in frame.variables:
        for shown, value in _values(frame, variable, model.survey.arrays.weights[frame.used]):
            share, influence = model.shares({variable: np.full(frame.n, value)})
            keys["variable"].append(variable)
            keys["value"].append(shown)
            values.append(share)
            influences.append(influence)
    rows = model.rows(keys, values, influences)
    low, high = share_interval(rows["estimate"], rows["se"], df=model.df, n=frame.n, level=model.level)
    return rows.assign(low=low, high=high, df=model.df, n=frame.n, n_missing=frame.n_missing)


def contrasts(frame: ModelFrame, variable: str) -> list[tuple[str, Floats, Floats, float]]:
    """Name, values from, values to, and the width of the step."""
    if variable in frame.levels:
        names = [level_name(level) for level in frame.levels[variable]]
        first = np.zeros(frame.n)
        return [(f"{name} - {names[0]}", first, first + j, 1.0) for j, name in enumerate(names) if j]
    values = frame.value(variable)
    half = _STEP * float(values.std())
    return [("dY/dX", values - half, values + half, 2 * half)]


def _values(frame: ModelFrame, variable: str, weights: Floats) -> list[tuple[str, float]]:
    """Values at which to predict, as shown and as numbers."""
    if variable in frame.levels:
        return [(level_name(level), float(j)) for j, level in enumerate(frame.levels[variable])]
    values = np.sort(frame.value(variable))
    distinct = np.unique(values)
    if len(distinct) > _FEW_VALUES:
        below = np.cumsum(weights[np.argsort(frame.value(variable), kind="stable")]) / weights.sum()
        distinct = np.unique(values[np.minimum(np.searchsorted(below, _QUARTILES), len(values) - 1)])
    return [(f"{value:g}", float(value)) for value in distinct]
