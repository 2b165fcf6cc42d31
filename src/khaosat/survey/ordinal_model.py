"""Cumulative models of ordered answers, such as satisfaction from 1 to 5."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.stats.ordinal import Hessian, OrdinalFit, infinite_direction
from khaosat.stats.ordinal_links import OrdinalLink
from khaosat.stats.partial_ordinal import PartialFit
from khaosat.survey.model_frame import INTERCEPT, ModelFrame, level_name, model_frame
from khaosat.survey.model_result import (
    ModelResult,
    coefficient_covariance,
    coefficient_rows,
    model_df,
    model_notes,
    separated,
)
from khaosat.survey.ordinal_effects import FittedLevels, marginal_effects, predicted_levels
from khaosat.survey.partial_odds import (
    CumulativeFit,
    Partial,
    check_partial,
    coefficient_names,
    coefficient_words,
    fit_cumulative,
    freed_terms,
    partial_notes,
)
from khaosat.survey.proportional_odds import proportional_odds_test
from khaosat.survey.result import design_notes

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_MOST_LEVELS = 20
_DOUBT = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class OrdinalResult(ModelResult):
    """A cumulative model.

    ``rows``: ``term`` (slopes, one a threshold where they are free, then thresholds as ``1|2``), ``estimate, se, low,
    high, df, n, n_missing, t, p_value``.

    Parameters
    ----------
    marginal_effects
        Average marginal effects on the share of each level: ``variable, contrast, level, estimate, se, low, high, df,
        n, n_missing, p_value``. ``dY/dX`` for numbers, the difference from the first level for levels.
    predicted
        Mean predicted share of each level, ``variable, value, level, estimate, se, low, high, df, n, n_missing``: as
        things are (``variable`` empty), then as if everybody had the value.
    proportional_odds
        Test of equal slopes at all thresholds: ``term`` (empty: all together), ``statistic, df1, df2, p_value``.
    """

    marginal_effects: pd.DataFrame = field(default_factory=pd.DataFrame)
    predicted: pd.DataFrame = field(default_factory=pd.DataFrame)
    proportional_odds: pd.DataFrame = field(default_factory=pd.DataFrame)


def ordinal(
    survey: Survey,
    formula: str,
    *,
    link: OrdinalLink = "logit",
    partial: Partial = None,
    where: str | None = None,
    level: float = 0.95,
    hessian: Hessian = "svyolr",
) -> OrdinalResult:
    r"""Cumulative (proportional-odds) model of ordered answers, with standard errors by the design.

    :math:`P(Y \le k) = F(\theta_k - x'\beta)`: a positive coefficient goes with higher answers.

    Parameters
    ----------
    survey
        Answers and design.
    formula
        ``outcome ~ terms`` as in :func:`glm`; the outcome's levels are in the order of the questionnaire, of the
        categories, or sorted. The thresholds take the place of the intercept.
    link
        ``logit`` (proportional odds), ``probit``, ``cloglog`` or ``loglog``. As in R's svyolr ``cloglog`` is the
        complementary log-log of :math:`P(Y > k)`, :math:`F(q) = \exp(-e^{-q})`; ``loglog`` is that of
        :math:`P(Y \le k)`, :math:`F(q) = 1 - \exp(-e^{q})`, which MASS::polr and ordinal::clm call cloglog.
    partial
        Terms with a slope of their own at each threshold (partial proportional odds), such as ``["access"]``: their
        rows are ``access (1|2)``, ``access (2|3)``. ``auto``: those whose test of equal slopes fails after Holm.
    where
        Who it is about; a domain of the whole sample.
    level
        Confidence level.
    hessian
        ``svyolr``: by differences, as R's svyolr takes it, so that standard errors agree with R's; ``analytic``:
        exact. They differ by up to 0.1 % of the standard error; where by more than 1 %, the exact one is taken and a
        note says so. With free slopes it is always the exact one.

    Returns
    -------
    OrdinalResult
        Rows, and the fields ``marginal_effects``, ``predicted``, ``proportional_odds``, ``covariance``, ``fit``.

    Notes
    -----
    Pseudo-likelihood by Newton's method. Degrees of freedom as in R's svyolr: primary units less strata that hold
    respondents of the model, less the slopes; intervals are Student's (R's ``confint`` takes the normal ones, too
    short with few units). The standard errors of marginal effects and predictions count that the respondents were
    drawn too, not the coefficients alone. Derivations: docs/methods/mo-hinh-thu-bac.md.

    References
    ----------
    McCullagh (1980), JRSS B 42, 109-142. Binder (1983), International Statistical Review 51, 279-292. Brant (1990),
    Biometrics 46, 1171-1178. Peterson and Harrell (1990), JRSS C 39, 205-217.

    Examples
    --------
    >>> answers = pd.DataFrame({"satisfied": [1, 1, 2, 3, 1, 2, 2, 3, 3, 3], "online": [0] * 5 + [1] * 5})
    >>> ordinal(Survey(responses=answers), "satisfied ~ online").rows[["term", "estimate"]].round(4).values.tolist()
    [['online', 2.5849], ['1|2', 0.2328], ['2|3', 2.0322]]
    """
    _check_options(link, hessian)
    frame = model_frame(survey, formula, where=where, outcome="levels")
    _check_intercept(frame)
    y, levels = outcome_levels(frame)
    matrix = frame.matrix()
    names = [name for name in matrix.names if name != INTERCEPT]
    x, weights = frame.slopes(), survey.arrays.weights[frame.used]

    odds = proportional_odds_test(
        survey, frame, y=y, x=x, link=link, df=model_df(survey, frame.used, slopes=len(names))
    )
    freed = freed_terms(frame, odds, partial)
    free = np.array([term in freed for name, term in zip(matrix.names, matrix.terms, strict=True) if name != INTERCEPT])

    def fitted(weights: Floats, hessian: Hessian = "analytic") -> CumulativeFit:
        return fit_cumulative(y, x, free=free, weights=weights, link=link, hessian=hessian)

    def refit(weights: Floats) -> Floats | None:
        again = fitted(weights)
        return again.coef if again.converged else None

    fit = fitted(weights, hessian)
    terms = coefficient_names(names, levels, fit)
    if isinstance(fit, PartialFit):
        check_partial(fit, y, x, frame=frame, terms=terms)
    else:
        check_finite(fit, y, x, frame=frame, terms=terms)
    variance = coefficient_covariance(survey, fit.influence, frame=frame, refit=refit)
    df = model_df(survey, frame.used, slopes=len(terms) - len(levels) + 1)
    se = np.sqrt(np.diagonal(variance))
    rows = coefficient_rows(terms, estimate=fit.coef, se=se, df=df, frame=frame, level=level)
    view = FittedLevels(survey=survey, frame=frame, fit=fit, levels=levels, df=df, level=level)
    notes = [
        say("Cumulative model, link {link}: a positive coefficient goes with higher answers.", link=link),
        *_level_notes(frame, levels, odds, freed=freed),
        *partial_notes(fit, x, freed=freed, odds=odds, partial=partial),
        *_hessian_note(fit, hessian),
        *model_notes(frame, df=df, n_terms=len(terms)),
        *design_notes(survey, rows, interval=say("Student's t"), level=level),
    ]
    return OrdinalResult(
        rows=rows, title=say("Model: {formula}", formula=formula), notes=tuple(notes), unit="score",
        questionnaire=survey.questionnaire, covariance=pd.DataFrame(variance, terms, terms),
        fit=pd.DataFrame({"deviance": [-2 * fit.log_likelihood], "df": df, "n": frame.n}),
        words=coefficient_words(dict(zip(matrix.names, matrix.words, strict=True)), terms),
        marginal_effects=marginal_effects(view), predicted=predicted_levels(view), proportional_odds=odds,
    )  # fmt: skip


def _check_options(link: str, hessian: str) -> None:
    for name, value, known in (("link", link, get_args(OrdinalLink)), ("hessian", hessian, get_args(Hessian))):
        if value not in known:
            raise DataError(
                say("{name}={value!r} is not known: use {known}.", name=name, value=value, known=", ".join(known))
            )


def _check_intercept(frame: ModelFrame) -> None:
    if not frame.formula.intercept:
        raise DataError(
            say("In {formula!r} the thresholds take the place of the intercept: leave -1 out.",
                formula=frame.formula.text)
        )  # fmt: skip


def outcome_levels(frame: ModelFrame) -> tuple[Codes, tuple[str, ...]]:
    """Place of each used respondent's answer among the levels that occur, and their names."""
    answer = frame.outcome()
    held, y = np.unique(answer.numbers[frame.used], return_inverse=True)
    if len(held) < 2:
        raise DataError(
            say("{outcome} is the same for all {n} respondents of the model: there is nothing to explain.",
                outcome=frame.formula.outcome.text, n=frame.n)
        )  # fmt: skip
    if len(held) > _MOST_LEVELS:
        raise DataError(
            say("{outcome} has {n} different answers: a cumulative model is for at most {most}; use glm for numbers.",
                outcome=frame.formula.outcome.text, n=len(held), most=_MOST_LEVELS)
        )  # fmt: skip
    names = [answer.levels[int(place)] for place in held] if answer.levels else held.tolist()
    return y.reshape(-1).astype(np.intp), tuple(level_name(name) for name in names)


def _level_notes(
    frame: ModelFrame, levels: tuple[str, ...], odds: pd.DataFrame, *, freed: tuple[str, ...]
) -> list[str]:
    answer, notes = frame.outcome(), []
    absent = [level_name(level) for level in answer.levels if level_name(level) not in levels]
    if absent:
        notes.append(
            say("Nobody in the model answered {levels}: the model has no threshold for it.", levels=", ".join(absent))
        )
    if len(levels) > 2 and odds["p_value"].isna().all():
        notes.append(
            say(
                "Equal slopes at all thresholds could not be tested: too few primary units, or too few answers at an "
                "end of the scale."
            )
        )
    elif len(levels) > 2 and not freed and odds["p_value"].iloc[0] < _DOUBT:
        notes.append(
            say("The slopes differ between thresholds (p = {p}): one coefficient a term is an average of them.",
                p=number(float(odds["p_value"].iloc[0]), 3))
        )  # fmt: skip
    return notes


def _hessian_note(fit: CumulativeFit, asked: Hessian) -> list[str]:
    if isinstance(fit, PartialFit) or fit.hessian == asked:
        return []
    return [say("R's svyolr would give other standard errors here, by a step too long for such large numbers.")]


def check_finite(fit: OrdinalFit, y: Codes, x: Floats, *, frame: ModelFrame, terms: tuple[str, ...]) -> None:
    """Refuse a fit whose coefficients are infinite or that did not settle."""
    direction = infinite_direction(y, x, fit=fit)
    if direction is not None:
        moved = [name for name, d in zip(terms, direction, strict=True) if abs(d) > 1e-6]
        raise separated(frame, [name for name in moved if name in terms[: x.shape[1]]] or moved)
    if not fit.converged:
        raise DataError(
            say("The model {formula!r} has no finite estimate: look for groups in which the outcome never happens, and "
                "for terms with very large numbers.", formula=frame.formula.text)
        )  # fmt: skip
