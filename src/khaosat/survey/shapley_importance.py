"""Which predictors an outcome goes with most: parts of R², averaged over all orders of the predictors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from khaosat.domain.survey import Survey, names
from khaosat.errors import DataError
from khaosat.facts.language import say
from khaosat.stats.ordinal import fit_ordinal
from khaosat.survey.formula import quoted
from khaosat.survey.importance_result import ImportanceResult
from khaosat.survey.importance_rows import Division, divided
from khaosat.survey.importance_shares import Game, ImportanceModel
from khaosat.survey.model_frame import INTERCEPT, ModelFrame, model_frame
from khaosat.survey.ordinal_model import check_finite, outcome_levels

Floats = NDArray[np.float64]


def importance(
    survey: Survey,
    outcome: str,
    predictors: Sequence[str],
    *,
    model: ImportanceModel = "linear",
    blocks: Mapping[str, Sequence[str]] | None = None,
    always: Sequence[str] = (),
    where: str | None = None,
    level: float = 0.95,
    draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> ImportanceResult:
    r"""Parts of R² that predictors account for (LMG, Shapley values), with standard errors by the design.

    :math:`\phi_j = \sum_{S \not\ni j} \frac{|S|!(p-|S|-1)!}{p!} \{R^2(S \cup j) - R^2(S)\}`: what a predictor adds to
    R², averaged over all orders in which the predictors can be added. The parts are never negative and sum to R².

    Parameters
    ----------
    survey
        Answers and design.
    outcome
        Column to explain.
    predictors
        Columns, or ``C(column)`` for codes that are no numbers. A predictor with levels is one player with all of them.
    model
        ``linear``: R² of the weighted regression; ``ordinal``: McFadden's R² of a cumulative logit model; ``logistic``:
        the same for an outcome with two levels.
    blocks
        Predictors that count as one, as the items of a factor: ``{"access": ["s1_1", "s1_2"]}``. They join as a whole;
        field ``within`` divides a block among its members (Owen). Predictors in no block stand for themselves.
    always
        Predictors in every model (age, sex): the parts are of what is explained beyond them.
    where
        Who it is about; a domain of the whole sample.
    level
        Confidence level.
    draws, rng
        With more than 12 players orders are drawn: number of draws (each twice as many orders as players; None: 100,
        for other than linear models 4) and source of randomness (None: a fixed seed).

    Returns
    -------
    ImportanceResult
        ``variable, estimate, share, se, low, high, df, n, n_missing, share_se, share_low, share_high, rank, rank_low,
        rank_high, mc_se``; fields ``pairs``, ``within``, ``fit``, ``covariance``.

    Raises
    ------
    DataError
        If a column is constant, follows from others, or tells an ordered outcome without fail.

    Notes
    -----
    R² of every subset follows from one weighted moment matrix, so that the influence of a respondent on each part is
    exact. Replicate weights are taken through the whole calculation: linear models of all orders, other models if that
    takes no more than 2,000 fits and every answer occurs in every replicate. Else the variance is that of the influence
    values over the replicates, and a note says so. Intervals are symmetric on the logit scale, so within 0 and 1, and
    count the error of drawing orders.
    Importance is association among the respondents, not effect. Derivations: docs/methods/dong-luc.md.

    References
    ----------
    Lindeman, Merenda and Gold (1980), Introduction to Bivariate and Multivariate Analysis, 119-127. Grömping (2006),
    Journal of Statistical Software 17 (1). Luchman (2015), Organizational Research Methods 18, 143-169. Mogstad,
    Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91, 476-518.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"y": [1, 2, 4, 3, 5, 4], "a": [1, 2, 3, 3, 5, 5], "b": [2, 1, 2, 3, 1, 2]})
    >>> result = importance(Survey(responses=frame), "y", ["a", "b"])
    >>> result.rows[["variable", "estimate", "share"]].round(4).values.tolist()
    [['a', 0.8331, 0.9863], ['b', 0.0116, 0.0137]]
    """
    if model not in get_args(ImportanceModel):
        known = ", ".join(get_args(ImportanceModel))
        raise DataError(say("{name}={value!r} is not known: use {known}.", name="model", value=model, known=known))
    predictors = names(predictors)
    named = _blocks(predictors, blocks or {})
    frame = model_frame(
        survey, formula_of(survey, outcome, [*predictors, *always]), where=where,
        outcome="number" if model == "linear" else "levels",
    )  # fmt: skip
    game = _game(survey, frame, predictors=predictors, blocks=list(named.values()), model=model)
    return divided(Division(
        survey=survey, frame=frame, game=game, names=tuple(named), members={k: list(v) for k, v in named.items()},
        model=model, level=level, draws=draws, rng=rng, outcome=outcome,
    ))  # fmt: skip


def formula_of(survey: Survey, outcome: str, terms: Sequence[str]) -> str:
    """A formula of columns (quoted) and of terms such as ``C(column)``."""
    twice = sorted({term for term in [outcome, *terms] if [outcome, *terms].count(term) > 1})
    if twice or not terms:
        raise DataError(
            say("Name each predictor once and apart from the outcome: {names}.", names=", ".join(twice))
            if twice else say("Name at least one predictor.")
        )  # fmt: skip
    left, *right = [quoted(name) if name in survey.responses else name for name in [outcome, *terms]]
    return f"{left} ~ {' + '.join(right)}"


def _blocks(predictors: Sequence[str], blocks: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Blocks by name in the order of their first predictor, the other predictors as blocks of their own."""
    member = [name for names in blocks.values() for name in names]
    wrong = sorted({name for name in member if name not in predictors or member.count(name) > 1})
    if wrong or not all(blocks.values()):
        raise DataError(
            say("Every member of a block is a predictor and in one block only: look at {names}.",
                names=", ".join(wrong) or ", ".join(block for block, names in blocks.items() if not names))
        )  # fmt: skip
    block_of = {name: block for block, names in blocks.items() for name in names}
    found: dict[str, list[str]] = {}
    for name in predictors:
        found.setdefault(block_of.get(name, name), []).append(name)
    return found


def _game(
    survey: Survey, frame: ModelFrame, *, predictors: Sequence[str], blocks: list[list[str]], model: ImportanceModel
) -> Game:
    """The outcome and the columns, by player."""
    matrix = frame.matrix()
    terms = np.array([term for name, term in zip(matrix.names, matrix.terms, strict=True) if name != INTERCEPT])
    x = frame.slopes()
    players = np.array([terms == name.replace(" ", "") if name not in survey.responses else terms == name
                        for name in predictors])  # fmt: skip
    if model == "linear":
        y = frame.outcome().numbers[frame.used]
        if (y == y[0]).all():
            raise DataError(
                say("{outcome} is the same for all {n} respondents of the model: there is nothing to explain.",
                    outcome=frame.formula.outcome.text, n=frame.n)
            )  # fmt: skip
    else:
        places, levels = outcome_levels(frame)
        if model == "logistic" and len(levels) != 2:
            raise DataError(
                say("{outcome} has {n} answers: a logistic model has two; use model='ordinal', or I(... >= ...).",
                    outcome=frame.formula.outcome.text, n=len(levels))
            )  # fmt: skip
        y = places.astype(float)
        names = tuple(name for name in matrix.names if name != INTERCEPT)
        fit = fit_ordinal(places, x, weights=survey.arrays.weights[frame.used])
        check_finite(fit, places, x, frame=frame, terms=(*names, *levels[1:]))
    place = {name: j for j, name in enumerate(predictors)}
    return Game(
        y=y, x=x, used=frame.used, players=players, always=np.asarray(~players.any(axis=0), dtype=bool),
        blocks=[[place[name] for name in block] for block in blocks],
    )  # fmt: skip
