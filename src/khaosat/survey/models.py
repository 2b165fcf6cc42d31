"""Regression models of survey answers."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.glm import LINKS, Family, GLMFit, GLMLink, fit_glm
from khaosat.stats.separation import separating_direction
from khaosat.survey.model_frame import INTERCEPT, Matrix, ModelFrame, model_frame
from khaosat.survey.model_result import (
    ModelResult,
    coefficient_covariance,
    coefficient_rows,
    model_df,
    model_notes,
    separated,
)
from khaosat.survey.result import design_notes

Floats = NDArray[np.float64]

_CERTAIN = 1e-8
"""A fitted probability this close to 0 or 1 calls for a closer look at whether the estimate is finite."""


def glm(
    survey: Survey,
    formula: str,
    *,
    family: Family = "gaussian",
    link: GLMLink | None = None,
    where: str | None = None,
    level: float = 0.95,
) -> ModelResult:
    r"""Generalized linear model by pseudo-likelihood, with standard errors by the design.

    :math:`\sum_i w_i x_i \mu'(\eta_i)(y_i - \mu_i)/V(\mu_i) = 0`, :math:`\eta_i = x_i'\beta`.

    Parameters
    ----------
    survey
        Answers and design.
    formula
        ``outcome ~ terms`` as in R: ``+``, ``:``, ``*``, ``C(column)`` for a coefficient a level, ``-1``, arithmetic
        in ``I(...)``. Words, yes/no and the questionnaire's questions on who one is have a coefficient a level, in
        the questionnaire's or the Vietnamese order, the first level being what the others are compared with.
    family
        ``gaussian``, ``binomial`` (outcome 0/1, yes/no, or two answers of which the second counts; ``I(q >= 4)``) or
        ``poisson``.
    link
        None: identity, logit, log; for ``binomial`` also ``probit`` and ``cloglog``.
    where
        Who it is about; a domain of the whole sample.
    level
        Confidence level.

    Returns
    -------
    ModelResult
        ``term, estimate, se, low, high, df, n, n_missing, t, p_value``; fields ``covariance`` and ``fit``
        (``deviance, null_deviance, dispersion, df``).

    Notes
    -----
    Degrees of freedom as in R's svyglm: primary units less strata that hold respondents of the model, less the number
    of coefficients without the intercept. Where none is left there is no interval and no p-value. Derivations:
    docs/methods/hoi-quy.md.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292. Lumley (2010), Complex Surveys, ch. 5 and 6.

    Examples
    --------
    >>> survey = Survey(responses=pd.DataFrame({"y": [1, 2, 3, 6, 5], "x": [0, 0, 1, 1, 1]}))
    >>> glm(survey, "y ~ x").rows[["term", "estimate", "se"]].round(4).values.tolist()
    [['(Intercept)', 1.5, 0.3953], ['x', 3.1667, 0.8969]]
    """
    if family not in get_args(Family) or (link is not None and link not in LINKS[family]):
        raise DataError(
            say("family={family!r} with link={link!r} is not known: use {known}.", family=family, link=link,
                known="; ".join(f"{name} ({', '.join(links)})" for name, links in LINKS.items()))
        )  # fmt: skip
    frame = model_frame(survey, formula, where=where, outcome="share" if family == "binomial" else "number")
    matrix, y = frame.matrix(), _outcome(frame, family)
    if not matrix.names:
        raise DataError(say("{formula!r} has neither an intercept nor terms.", formula=formula))

    def fitted(weights: Floats) -> GLMFit:
        return fit_glm(y, matrix.x, weights=weights, family=family, link=link)

    def refit(weights: Floats) -> Floats | None:
        again = fitted(weights)
        return again.coef if again.converged else None

    fit = fitted(survey.arrays.weights[frame.used])
    _check_finite(fit, frame, matrix, y, family)
    variance = coefficient_covariance(survey, fit.influence, frame=frame, refit=refit)
    df = model_df(survey, frame.used, slopes=len(matrix.names) - 1)
    se = np.sqrt(np.diagonal(variance))
    rows = coefficient_rows(matrix.names, estimate=fit.coef, se=se, df=df, frame=frame, level=level)
    notes = [
        say("Model: {family}, link {link}.", family=family, link=link or LINKS[family][0]),
        *_outcome_note(frame, family),
        *model_notes(frame, df=df, n_terms=len(matrix.names)),
        *design_notes(survey, rows, interval=say("Student's t"), level=level),
    ]
    return ModelResult(
        rows=rows, title=say("Model: {formula}", formula=formula), notes=tuple(notes), unit="score",
        questionnaire=survey.questionnaire, covariance=pd.DataFrame(variance, matrix.names, matrix.names),
        words=dict(zip(matrix.names, matrix.words, strict=True)),
        fit=pd.DataFrame({"deviance": [fit.deviance], "null_deviance": fit.null_deviance,
                          "dispersion": fit.dispersion, "df": df, "n": frame.n}),
    )  # fmt: skip


def _outcome(frame: ModelFrame, family: Family) -> Floats:
    """The outcome of the used respondents, if it suits the family and varies."""
    answer, text = frame.outcome(), frame.formula.outcome.text
    y = answer.numbers[frame.used]
    if (y == y[0]).all():
        raise DataError(
            say("{outcome} is the same for all {n} respondents of the model: there is nothing to explain.",
                outcome=text, n=frame.n)
        )  # fmt: skip
    if family == "binomial":
        low, high = float(y.min()), float(y.max())
        zero_one = not answer.levels and (low, high) == (0, 1)
        if not ((y == low) | (y == high)).all() or not (answer.levels or zero_one):
            raise DataError(
                say("{outcome} has more than two answers: say which count, as in I({outcome} >= 4).", outcome=text)
            )
        return np.asarray(y == high, dtype=float)
    if family == "poisson" and (y < 0).any():
        raise DataError(say("{outcome} is negative for some respondents: it is no count.", outcome=text))
    return y


def _outcome_note(frame: ModelFrame, family: Family) -> list[str]:
    """Which of two answers counts as 1."""
    answer = frame.outcome()
    if family != "binomial" or not answer.levels:
        return []
    top = answer.levels[int(answer.numbers[frame.used].max())]
    return [
        say(
            "{outcome}: the model is about the answer {level}.",
            outcome=frame.formula.outcome.text,
            level=frame.answer_word(frame.formula.outcome.columns[0], top),
        )
    ]


def _check_finite(fit: GLMFit, frame: ModelFrame, matrix: Matrix, y: Floats, family: Family) -> None:
    """Refuse a fit whose coefficients are infinite or that did not settle."""
    if family == "binomial":
        certain = ((fit.fitted < _CERTAIN) | (fit.fitted > 1 - _CERTAIN)).any()
        if certain or not fit.converged:
            direction = separating_direction(matrix.x * np.where(y == 1, 1.0, -1.0)[:, None])
            if direction is not None:
                moved = [name for name, d in zip(matrix.names, direction, strict=True) if abs(d) > 1e-6]
                raise separated(frame, [name for name in moved if name != INTERCEPT] or moved)
    if not fit.converged:
        raise DataError(
            say("The model {formula!r} has no finite estimate: look for groups in which the outcome never happens, and "
                "for terms with very large numbers.", formula=frame.formula.text)
        )  # fmt: skip
