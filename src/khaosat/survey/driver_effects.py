r"""What goes with being dissatisfied: average marginal effects of scores in a cumulative model, by the design.

With :math:`P_i(\text{dissatisfied}) = F(\theta_c - x_i'\beta)` the effect of a score is the mean slope of that share,
in shares per point of the score, over those who have a view on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.intervals import t_interval
from khaosat.stats.ordinal import OrdinalFit, fit_ordinal
from khaosat.stats.ordinal_shares import lower_share
from khaosat.stats.p_values import holm, t_p_value
from khaosat.survey.driver_scores import Scores
from khaosat.survey.model_frame import INTERCEPT, ModelFrame, level_name, model_frame
from khaosat.survey.model_result import model_covariance, model_df
from khaosat.survey.ordinal_effects import contrasts
from khaosat.survey.ordinal_model import check_finite, outcome_levels
from khaosat.survey.shapley_importance import formula_of

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

_STEP = 1e-4
"""Half the change of a score for its slope, in standard deviations: the error is the square of it."""
_ESTIMATE = ["estimate", "se", "low", "high", "df"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Dissatisfaction:
    """A cumulative model of satisfaction and which of its answers count as dissatisfied.

    Parameters
    ----------
    scores
        What it was made from.
    frame
        Who is in it.
    fit
        The fitted model.
    levels
        Answers that occur.
    df, level
        Degrees of freedom and confidence level.
    cut
        How many of the lowest levels count as dissatisfied.
    """

    scores: Scores
    frame: ModelFrame
    fit: OrdinalFit
    levels: tuple[str, ...]
    df: int
    level: float
    cut: int

    @property
    def survey(self) -> Survey:
        """The survey with scores as columns."""
        return self.scores.survey

    @property
    def x(self) -> Floats:
        """The model matrix."""
        return self.frame.slopes()

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        return tuple(name for name in self.frame.matrix().names if name != INTERCEPT)

    def share(self, given: dict[str, Floats]) -> tuple[float, Floats]:
        """Mean share dissatisfied with other values of some variables, and its influence values."""
        weights = self.survey.arrays.weights[self.frame.used]
        return lower_share(self.frame.slopes(given), self.fit, cut=self.cut, weights=weights)

    def slope(self, name: str) -> tuple[float, Floats]:
        """Mean slope by a score, over those with a view on it, and its influence values."""
        values, about = self.frame.value(name), self.scores.has_view(name)[self.frame.used]
        share = self.survey.arrays.weights[self.frame.used]
        share = share / share.sum()
        half = _STEP * float(values.std())
        (after, moved), (before, was) = (self.share({name: values + step * about}) for step in (half, -half))
        part = float(share @ about)
        slope = (after - before) / (2 * half * part)
        return slope, (moved - was) / (2 * half * part) - slope * share * (about - part) / part


def dissatisfaction(
    survey: Survey, scores: Scores, *, dissatisfied: tuple[float, ...] | None, level: float
) -> Dissatisfaction:
    """Fit the cumulative model of the outcome on scores and covariates.

    Raises
    ------
    DataError
        As :func:`khaosat.survey.ordinal`; and if the answers that count as dissatisfied are not the lowest ones.
    """
    text = formula_of(scores.survey, scores.outcome, [*scores.predictors, *scores.always])
    frame = model_frame(scores.survey, text, where=scores.where, outcome="levels")
    places, levels = outcome_levels(frame)
    x, weights = frame.slopes(), survey.arrays.weights[frame.used]
    names = tuple(name for name in frame.matrix().names if name != INTERCEPT)
    fit = fit_ordinal(places, x, weights=weights)
    check_finite(fit, places, x, frame=frame, terms=(*names, *levels[1:]))
    return Dissatisfaction(
        scores=scores, frame=frame, fit=fit, levels=levels, level=level,
        df=model_df(scores.survey, frame.used, slopes=len(names)),
        cut=_cut(survey, scores.outcome, levels, dissatisfied),
    )  # fmt: skip


def effect_rows(model: Dissatisfaction) -> pd.DataFrame:
    """``variable, estimate, se, low, high, df, n, n_missing, sd, per_sd, per_sd_low, per_sd_high, p_value,
    p_adjusted``, one row a predictor; ``n`` counts those with a view. The intervals per standard deviation hold for all
    predictors together (Bonferroni).
    """
    names, used = model.scores.predictors, model.frame.used
    rows = _rows(model, [model.slope(name) for name in names])
    low, high = t_interval(rows["estimate"], rows["se"], df=model.df, level=1 - (1 - model.level) / len(names))
    sd, n = _spread(model), [int(model.scores.has_view(name)[used].sum()) for name in names]
    return pd.DataFrame({"variable": list(names)} | {name: rows[name] for name in _ESTIMATE}).assign(
        n=n, n_missing=model.frame.n_missing, sd=sd, per_sd=rows["estimate"] * sd, per_sd_low=low * sd,
        per_sd_high=high * sd, p_value=rows["p_value"], p_adjusted=holm(rows["p_value"]),
    )  # fmt: skip


def effect_covariance(model: Dissatisfaction) -> tuple[Floats, Floats]:
    """Effects per standard deviation of the scores, and their covariance."""
    found, sd = [model.slope(name) for name in model.scores.predictors], _spread(model)
    influence = np.column_stack([values for _, values in found]) * sd
    variance = model_covariance(model.survey, influence, used=model.frame.used)
    return np.array([value for value, _ in found]) * sd, variance


def covariate_rows(model: Dissatisfaction, effects: pd.DataFrame) -> pd.DataFrame:
    """Effects of predictors, of having no view on them, and of covariates: ``variable, contrast, estimate, se, low,
    high, df, p_value``. Levels are compared with the first.
    """
    keys, found = [], []
    for name in model.frame.variables:
        if name in model.scores.predictors:
            continue
        ends = np.zeros(model.frame.n), np.ones(model.frame.n)
        mark = any(name in marks for marks in model.scores.marks.values())
        for contrast, low, high, width in [("1 - 0", *ends, 1.0)] if mark else contrasts(model.frame, name):
            (after, moved), (before, was) = (model.share({name: given}) for given in (high, low))
            keys.append((name, contrast))
            found.append(((after - before) / width, (moved - was) / width))
    first = effects[["variable", *_ESTIMATE, "p_value"]]
    first.insert(1, "contrast", "dY/dX")
    if not found:
        return first
    rest = pd.concat([pd.DataFrame(keys, columns=["variable", "contrast"]), _rows(model, found)], axis=1)
    return pd.concat([first, rest], ignore_index=True)


def _rows(model: Dissatisfaction, found: list[tuple[float, Floats]]) -> pd.DataFrame:
    """Estimates with Student's intervals and tests."""
    df, estimate = model.df, np.array([value for value, _ in found])
    influence = np.column_stack([values for _, values in found])
    se = np.sqrt(np.diagonal(model_covariance(model.survey, influence, used=model.frame.used)))
    low, high = t_interval(estimate, se, df=df, level=model.level)
    t = np.divide(estimate, se, where=se > 0, out=np.full(len(se), np.nan))
    return pd.DataFrame(
        {"estimate": estimate, "se": se, "low": low, "high": high, "df": df, "p_value": t_p_value(t, df)}
    )


def _spread(model: Dissatisfaction) -> Floats:
    """Standard deviation of each score among those with a view."""
    used, weights = model.frame.used, model.survey.arrays.weights
    sd = []
    for name in model.scores.predictors:
        about = used & model.scores.has_view(name)
        values, w = model.scores.raw[name][about], weights[about]
        sd.append(np.sqrt(np.average((values - np.average(values, weights=w)) ** 2, weights=w)))
    return np.array(sd)


def dissatisfied_words(survey: Survey, model: Dissatisfaction) -> str:
    """The answers that count as dissatisfied, in words."""
    held = model.levels[: model.cut]
    questionnaire = survey.questionnaire
    if questionnaire is None or model.scores.outcome not in questionnaire.items():
        return ", ".join(held)
    words = questionnaire.choice_labels(model.scores.outcome)
    return ", ".join(words.get(int(float(name)), name) for name in held)


def _cut(survey: Survey, outcome: str, levels: tuple[str, ...], given: tuple[float, ...] | None) -> int:
    """How many of the lowest levels count as dissatisfied: as given, else those below the satisfied answers, else the
    lower half with the middle.
    """
    questionnaire = survey.questionnaire
    known = questionnaire is not None and outcome in questionnaire.items()
    satisfied = questionnaire.satisfied(outcome) if questionnaire is not None and known else ()
    if given is not None:
        chosen = {level_name(float(value)) for value in given}
        cut = sum(name in chosen for name in levels)
        if not 0 < cut < len(levels) or not all(name in chosen for name in levels[:cut]):
            raise DataError(
                say("dissatisfied={given} must be the lowest answers of {outcome}, and not all: it has {levels}.",
                    given=list(given), outcome=outcome, levels=", ".join(levels))
            )  # fmt: skip
        return cut
    cut = sum(float(name) < min(satisfied) for name in levels) if satisfied else (len(levels) + 1) // 2
    if not 0 < cut < len(levels):
        raise DataError(
            say("All respondents of the model are on one side of satisfied in {outcome}: there is nothing to explain.",
                outcome=outcome)
        )  # fmt: skip
    return cut
