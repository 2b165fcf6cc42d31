"""Where improvement would pay most: importance of factors or items against how satisfied people are with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.survey.answers import numeric_answers
from khaosat.survey.cells import Estimates, cells_of, freedom, ratio_estimates
from khaosat.survey.covariances import design_covariance
from khaosat.survey.driver_covariates import label
from khaosat.survey.driver_effects import dissatisfaction, effect_covariance
from khaosat.survey.driver_scores import Choice, Detail, Scores, score
from khaosat.survey.driver_sides import Side
from khaosat.survey.importance_result import ImportanceResult
from khaosat.survey.importance_rows import share_covariance
from khaosat.survey.index_nodes import node_of
from khaosat.survey.performance_map import Axis, PerformanceMap, Scale, line_note, map_rows
from khaosat.survey.result import design_notes

Floats = NDArray[np.float64]
ImportanceOf = Literal["share", "effect"]


def importance_performance(
    survey: Survey,
    *,
    outcome: str | None = None,
    predictors: Sequence[str] | None = None,
    part: str | None = None,
    detail: Detail = "factors",
    covariates: Sequence[str] | None = None,
    importance: ImportanceOf = "share",
    stated: Mapping[str, str] | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> PerformanceMap:
    r"""Importance against performance (Martilla and James 1977), with intervals on both axes.

    Parameters
    ----------
    survey, outcome, predictors, part, detail, covariates, where, level
        As in :func:`drivers`.
    importance
        Derived importance: ``share`` of R² (LMG), or ``effect``: by how much the share dissatisfied is lower per
        standard deviation of the score.
    stated
        Columns in which people said how important each factor or item is to them, by its name: ``{"access": "imp_1"}``.
        Importance is then their mean, and only these are on the map.

    Returns
    -------
    PerformanceMap
        One row a factor or item, with its quadrant.

    Notes
    -----
    Performance is the share satisfied as in :func:`khaosat.survey.satisfaction_index`, or the mean score for columns
    that are not in the questionnaire. The lines are the means of the points. Whether a point lies on one side is told
    by the interval of its distance from the mean, which counts that the points share respondents; if it crosses the
    line the point is ``unclear``. Derived importance is association, not effect.

    References
    ----------
    Martilla and James (1977), Journal of Marketing 41 (1), 77-79. Matzler et al. (2004), Industrial Marketing
    Management 33, 271-277.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 6, (400, 2)), columns=["polite", "signs"])
    >>> frame["whole"] = np.clip((frame["polite"] + rng.integers(0, 3, 400)) // 1.3, 1, 5)
    >>> frame["signs"] = np.minimum(frame["signs"] + 1, 5)
    >>> found = importance_performance(Survey(responses=frame), outcome="whole", predictors=["polite", "signs"])
    >>> found.rows[["variable", "quadrant"]].values.tolist()
    [['polite', 'concentrate'], ['signs', 'overkill']]
    """
    if importance not in get_args(ImportanceOf):
        known = ", ".join(get_args(ImportanceOf))
        raise DataError(
            say("{name}={value!r} is not known: use {known}.", name="importance", value=importance, known=known)
        )
    choice = Choice(
        outcome=outcome, predictors=predictors, part=part, detail=detail, covariates=covariates, where=where
    )
    scores = score(survey, choice)
    if stated is not None:
        names = [name for name in scores.predictors if name in stated]
        unknown = sorted(set(stated) - set(scores.predictors))
        if unknown or not names:
            raise DataError(
                say("stated names what is not among the predictors: {names}.", names=", ".join(unknown) or "–")
            )
        scores = replace(scores, predictors=tuple(names))
        answers = [numeric_answers(survey, stated[name]).numbers for name in names]
        axis, _ = _averages(survey, [_score(survey, x, where=where) for x in answers], where=where, level=level)
        return _map(survey, scores, axis, where=where, level=level, said=say("what people say is important to them"))
    fitted = dissatisfaction(survey, scores, dissatisfied=None, level=level)
    if importance == "share":
        side = Side(survey=survey, scores=scores, fitted=fitted, level=level, model="linear", rng=None)
        return derived_map(survey, scores, side.importance(), where=where, level=level)
    estimate, variance = effect_covariance(fitted)
    low, high = t_interval(-estimate, np.sqrt(np.diagonal(variance)), df=fitted.df, level=level)
    axis = Axis(estimates=-estimate, covariance=variance, df=fitted.df, low=low, high=high, scale="points")
    said = say("how much lower the share dissatisfied is per standard deviation of the score")
    return _map(survey, scores, axis, where=where, level=level, said=said)


def derived_map(
    survey: Survey, scores: Scores, parts: ImportanceResult, *, where: str | None, level: float
) -> PerformanceMap:
    """The map with shares of R² as importance."""
    rows = parts.rows
    covariance = share_covariance(rows["estimate"].to_numpy(float), parts.covariance.to_numpy(float))
    axis = Axis(
        estimates=rows["share"].to_numpy(float), covariance=covariance, df=int(rows["df"].iloc[0]),
        low=rows["share_low"].to_numpy(float), high=rows["share_high"].to_numpy(float), scale="share",
    )  # fmt: skip
    return _map(survey, scores, axis, where=where, level=level, said=say("share of R² (LMG)"))


def _map(
    survey: Survey, scores: Scores, importance: Axis, *, where: str | None, level: float, said: str
) -> PerformanceMap:
    """Put performance beside importance."""
    estimates, scale = _performance(survey, scores, where=where)
    performance, counts = _averages(survey, estimates, where=where, level=level, scale=scale)
    rows = map_rows(scores.predictors, importance=importance, performance=performance, level=level)
    rows = rows.assign(df=min(importance.df, performance.df), **counts)
    result = PerformanceMap(
        rows=rows, title=say("Importance and performance: {outcome}", outcome=label(survey, scores.outcome)),
        questionnaire=survey.questionnaire, importance_scale=importance.scale, performance_scale=scale,
    )  # fmt: skip
    what = say("share satisfied") if scale == "share" else say("mean score")
    notes = (
        say("Importance: {importance}; performance: {performance}. Derived importance is association, not effect.",
            importance=said, performance=what),
        line_note(result),
        *scores.notes,
        *design_notes(survey, rows, interval=say("symmetric on the logit scale; distances Student's t"), level=level),
    )  # fmt: skip
    return replace(result, notes=notes)


def _performance(survey: Survey, scores: Scores, *, where: str | None) -> tuple[list[Estimates], Scale]:
    """How satisfied people are: shares as in the index, or mean scores if the questionnaire lacks a predictor."""
    questionnaire = survey.questionnaire
    known = questionnaire.items("satisfaction") + questionnaire.factors if questionnaire is not None else []
    if questionnaire is None or not all(name in known for name in scores.predictors):
        return [_score(survey, scores.raw[name], where=where) for name in scores.predictors], "score"
    cells, pooled = cells_of(survey, where=where), questionnaire.index_rule == "pooled_items"
    nodes = (node_of(survey, cells, name, questionnaire=questionnaire, pooled=pooled) for name in scores.predictors)
    return [node.estimates for node in nodes], "share"


def _score(survey: Survey, values: Floats, *, where: str | None) -> Estimates:
    """Mean of numbers."""
    known = np.isfinite(values)
    return ratio_estimates(
        survey, cells_of(survey, where=where), top=values, bottom=np.ones(survey.n), valid=known,
        asked=np.ones(survey.n, dtype=bool),
    )  # fmt: skip


def _averages(
    survey: Survey, estimates: list[Estimates], *, where: str | None, level: float, scale: Scale = "score"
) -> tuple[Axis, dict[str, list[int]]]:
    """Shares or means as an axis, and how many answered."""
    cells = cells_of(survey, where=where)
    values = np.array([estimate.value[0] for estimate in estimates])
    influence = np.column_stack([estimate.influence for estimate in estimates])
    variance = design_covariance(survey, influence, inside=cells.code >= 0)
    df = int(freedom(survey, cells, domain_df=False)[0])
    n = [int(cells.count(estimate.valid)[0]) for estimate in estimates]
    asked = [int(cells.count(estimate.asked)[0]) for estimate in estimates]
    se = np.sqrt(np.diagonal(variance))
    low, high = share_interval(values, se, df=df, n=n, level=level) if scale == "share" else t_interval(
        values, se, df=df, level=level)  # fmt: skip
    axis = Axis(estimates=values, covariance=variance, df=df, low=low, high=high, scale=scale)
    return axis, {"n": n, "n_missing": [a - b for a, b in zip(asked, n, strict=True)]}
