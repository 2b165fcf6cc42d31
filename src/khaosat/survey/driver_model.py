"""What dissatisfaction goes with: one call from a survey to effects, importance, a map and checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from khaosat.domain.survey import Survey
from khaosat.facts.language import number, percent, say
from khaosat.survey.driver_covariates import label
from khaosat.survey.driver_effects import (
    Dissatisfaction,
    covariate_rows,
    dissatisfaction,
    dissatisfied_words,
    effect_rows,
)
from khaosat.survey.driver_result import DriversResult, verdicts
from khaosat.survey.driver_scores import Choice, Detail, score
from khaosat.survey.driver_sides import Side
from khaosat.survey.importance_map import derived_map
from khaosat.survey.importance_shares import ImportanceModel
from khaosat.survey.result import design_notes

_DOUBT = 0.05


def drivers(
    survey: Survey,
    *,
    outcome: str | None = None,
    predictors: Sequence[str] | None = None,
    part: str | None = None,
    detail: Detail = "factors",
    covariates: Sequence[str] | None = None,
    unit: str | None = None,
    dissatisfied: Sequence[float] | None = None,
    smallest: float = 0.01,
    where: str | None = None,
    level: float = 0.95,
    model: ImportanceModel = "linear",
    cross_check: bool = True,
    rng: np.random.Generator | None = None,
) -> DriversResult:
    r"""What goes with dissatisfaction: effects in percentage points, importance, a map of priorities, and checks.

    A cumulative logit model of the answer about satisfaction as a whole on the scores of the factors gives the average
    marginal effect :math:`\overline{\partial P(\text{dissatisfied})/\partial x_j}`; parts of R² (LMG) give importance.

    Parameters
    ----------
    survey
        Answers, design and, unless ``outcome`` and ``predictors`` are given, questionnaire.
    outcome, predictors
        Question about satisfaction as a whole; factors, items or numeric columns. None: the questionnaire's.
    part
        Part of the questionnaire to look at, with its own question as a whole. None: ``service`` where there is one,
        else all factors.
    detail
        ``factors``: the score of a factor is the mean of the items answered; ``items``: every item by itself.
    covariates
        Columns held constant. None: sex and age (``gender``, ``age_group``, ``age``) where they were asked.
    unit
        Column of the unit that served: holds the unit's mean scores constant, so that effects are within units.
    dissatisfied
        Answers that count as dissatisfied, the lowest ones. None: all that do not count as satisfied.
    smallest
        Smallest change of the share dissatisfied per standard deviation of a score that matters.
    where, level
        As in :func:`khaosat.survey.mean`.
    model
        Whose R² is divided, as in :func:`importance`.
    cross_check
        Whether boosted trees are fitted.
    rng
        Source of randomness (None: a fixed seed).

    Returns
    -------
    DriversResult
        One row a predictor; fields ``effects``, ``importance``, ``ipa``, ``cross_check``, ``proportional_odds``,
        ``collinearity``.

    Raises
    ------
    DataError
        If no outcome or usable predictor is found, predictors follow from one another, or they tell the outcome
        without fail.

    Notes
    -----
    Respondents without a view on a factor (not asked, don't know) are not lost: they stand at its mean, with a term of
    their own where they are many. Effects are associations among respondents in one wave: they order questions to look
    into, and prove no cause. With replicate weights, the variance is that of influence values over the replicates.
    Derivations and choices: docs/methods/dong-luc.md.

    References
    ----------
    McCullagh (1980), JRSS B 42, 109-142. Grömping (2006), Journal of Statistical Software 17 (1). Binder (1983),
    International Statistical Review 51, 279-292.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 6, (300, 2)), columns=["polite", "signs"])
    >>> frame["whole"] = np.clip((frame["polite"] + rng.integers(0, 3, 300)) // 1.3, 1, 5)
    >>> found = drivers(Survey(responses=frame), outcome="whole", predictors=["polite", "signs"], cross_check=False)
    >>> found.rows[["variable", "verdict", "rank"]].values.tolist()
    [['polite', 'important', 1], ['signs', 'unclear', 2]]
    """
    choice = Choice(
        outcome=outcome, predictors=predictors, part=part, detail=detail, covariates=covariates, unit=unit, where=where
    )
    scores = score(survey, choice)
    given = tuple(dissatisfied) if dissatisfied is not None else None
    fitted = dissatisfaction(survey, scores, dissatisfied=given, level=level)
    side = Side(survey=survey, scores=scores, fitted=fitted, level=level, model=model, rng=rng)
    parts = side.importance()
    rows = effect_rows(fitted)
    rows = rows.assign(
        verdict=verdicts(rows["per_sd_low"].to_numpy(), rows["per_sd_high"].to_numpy(), smallest=smallest),
        **{name: parts.rows[name] for name in ("share", "share_low", "share_high", "rank", "rank_low", "rank_high")},
    )
    check, said = side.cross_check() if cross_check else (pd.DataFrame(), [])
    vif, collinear = side.collinearity()
    odds, alone = side.proportional_odds()
    notes = [
        *_notes(survey, fitted, rows, smallest=smallest), *scores.notes, *_odds_notes(odds, alone=alone),
        *collinear, *said,
        *design_notes(survey, rows, interval=say("Student's t"), level=level),
    ]  # fmt: skip
    return DriversResult(
        rows=rows, title=say("What goes with dissatisfaction: {outcome}", outcome=label(survey, scores.outcome)),
        notes=tuple(notes), questionnaire=survey.questionnaire, effects=covariate_rows(fitted, rows),
        importance=parts, ipa=derived_map(survey, scores, parts, where=where, level=level), cross_check=check,
        proportional_odds=odds, collinearity=vif,
    )  # fmt: skip


def _notes(survey: Survey, fitted: Dissatisfaction, rows: pd.DataFrame, *, smallest: float) -> Iterator[str]:
    """What is measured, and how to read it."""
    share, _ = fitted.share({})
    yield say(
        "Dissatisfied: {answers} ({share} of the respondents of the model). Effects are mean changes of that share, "
        "other scores alike: they show what goes with dissatisfaction, not what causes it.",
        answers=dissatisfied_words(survey, fitted), share=percent(share),
    )  # fmt: skip
    yield say(
        "Important: the whole interval per standard deviation is beyond {smallest} percentage points; small: all of it "
        "is within; otherwise unclear. These intervals hold for all predictors together.",
        smallest=percent(smallest).removesuffix("%"),
    )
    missing = fitted.frame.n_missing
    if missing:
        yield say(
            "{n} respondents are in the model; {missing} more were asked but did not answer every question of it.",
            n=fitted.frame.n, missing=missing,
        )  # fmt: skip
    if (rows["df"] <= 0).all():
        yield say(
            "The design has too few primary units for a model of {n} terms: no interval and no p-value. Use fewer "
            "terms.",
            n=fitted.x.shape[1],
        )


def _odds_notes(odds: pd.DataFrame, *, alone: bool) -> Iterator[str]:
    """What the test of equal slopes says."""
    if odds.empty:
        return
    p = float(odds["p_value"].iloc[0])
    if not np.isfinite(p):
        yield say(
            "Equal slopes at all thresholds could not be tested: too few primary units, or too few answers at an "
            "end of the scale."
        )
        return
    if p < _DOUBT:
        yield say("The slopes differ between thresholds (p = {p}): one coefficient a term is an average of them.",
                  p=number(p, 3))  # fmt: skip
    else:
        yield say("Slopes at the thresholds do not differ measurably (p = {p}).", p=number(p, 3))
    if alone:
        yield say("That test left out what is held constant: with it, one of the thresholds could not be fitted.")
