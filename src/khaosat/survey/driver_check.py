"""Checks on a model of satisfaction: do boosted trees find the same, and do the predictors say the same?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.facts.language import number, percent, say
from khaosat.stats.boosting import HeldOut, held_out_importance
from khaosat.stats.collinearity import inflation
from khaosat.stats.intervals import t_interval
from khaosat.survey.driver_covariates import label
from khaosat.survey.driver_scores import Scores
from khaosat.survey.importance_shares import Game

Floats = NDArray[np.float64]

_MORE = 0.02
"""Trees explain more if their R² in units held out is larger by this."""
_APART = 0.05
"""Shares of importance that differ by less are no disagreement."""
_HIGH_VIF, _HIGH_INDEX = 5.0, 30.0
_FEWEST_UNITS = 4


def boosted_check(
    survey: Survey, scores: Scores, game: Game, *, names: Sequence[str], level: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Importance of each predictor for linear regression and for boosted trees, in primary units held out."""
    units = survey.arrays.units[0][game.used]
    if len(np.unique(units)) < _FEWEST_UNITS:
        return pd.DataFrame(), [say("Too few primary units to hold some out: no check by boosted trees.")]
    groups = [[j for j, column in enumerate(names) if column in (name, *scores.marks[name])]
              for name in scores.predictors]  # fmt: skip
    found = held_out_importance(
        game.y, game.x, groups=groups, weights=survey.arrays.weights[game.used], units=units, rng=rng
    )
    rows = _compared(found, level=level).assign(variable=list(scores.predictors))
    return rows[["variable", *rows.columns.drop("variable")]], [*_check_notes(survey, found, rows)]


def collinearity(
    scores: Scores, game: Game, *, names: Sequence[str], weights: Floats
) -> tuple[pd.DataFrame, list[str]]:
    """Variance inflation of each predictor, and a note."""
    vif, index = inflation(game.x, weights=weights)
    place = [names.index(name) for name in scores.predictors]
    rows = pd.DataFrame({"variable": list(scores.predictors), "vif": vif[place]})
    found = {"vif": number(float(rows["vif"].max()), 1), "index": number(index, 1)}
    if rows["vif"].max() < _HIGH_VIF and index < _HIGH_INDEX:
        return rows, [
            say("Collinearity: largest variance inflation {vif}, condition index {index}; no concern.", **found)
        ]
    return rows, [
        say("Collinearity: largest variance inflation {vif}, condition index {index}. The predictors say much the "
            "same: read them together, not one by one.", **found)
    ]  # fmt: skip


def _compared(found: HeldOut, *, level: float) -> pd.DataFrame:
    """Shares of the loss by model, their ranks and their difference over the folds."""
    shares = {}
    for name, table in (("linear", found.linear), ("boosted", found.boosted)):
        kept = np.maximum(table, 0.0)
        total = kept.sum(axis=1, keepdims=True)
        shares[name] = np.divide(kept, total, where=total > 0, out=np.zeros_like(kept))
    difference = shares["boosted"] - shares["linear"]
    folds = len(difference)
    mean = difference.mean(axis=0)
    low, high = t_interval(mean, difference.std(axis=0, ddof=1) / np.sqrt(folds), df=folds - 1, level=level)
    rows = pd.DataFrame({"linear": shares["linear"].mean(axis=0), "boosted": shares["boosted"].mean(axis=0)})
    for name in ("linear", "boosted"):
        rows[f"rank_{name}"] = rows[name].rank(ascending=False, method="min").astype(int)
    apart = ((low > 0) | (high < 0)) & (np.abs(mean) > _APART)
    return rows.assign(difference=mean, low=low, high=high, agrees=~apart)


def _check_notes(survey: Survey, found: HeldOut, rows: pd.DataFrame) -> Iterator[str]:
    shown = {"boosted": percent(found.r2_boosted), "linear": percent(found.r2_linear)}
    if found.r2_boosted > found.r2_linear + _MORE:
        yield say(
            "Check by boosted trees in primary units held out: they explain {boosted}, the linear model {linear}. "
            "Curves or joint effects matter: the average effects hide something.",
            **shown,
        )
    else:
        yield say(
            "Check by boosted trees in primary units held out: they explain {boosted}, the linear model {linear}, so "
            "no curves or joint effects are missed.",
            **shown,
        )
    apart = [label(survey, name) for name in rows.loc[~rows["agrees"], "variable"]]
    if apart:
        yield say("Boosted trees and the linear model disagree on the weight of: {names}.", names="; ".join(apart))
    else:
        yield say("Boosted trees and the linear model agree on the weight of every predictor.")
