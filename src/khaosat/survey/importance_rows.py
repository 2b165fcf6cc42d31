"""From parts of R² to a result: rows, pairs, ranks, and the words for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import number, percent, say
from khaosat.stats.intervals import share_interval, t_interval
from khaosat.stats.p_values import t_p_value
from khaosat.stats.rank_sets import rank_sets
from khaosat.stats.replicates import replicate_covariance
from khaosat.survey.importance_result import ImportanceResult
from khaosat.survey.importance_shares import MOST_EXACT, Game, ImportanceModel, Parts, parts_of_r_squared
from khaosat.survey.model_frame import ModelFrame
from khaosat.survey.model_result import model_df, model_notes
from khaosat.survey.result import design_notes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Division:
    """All that is needed to divide R²: the game, the names of its blocks, and how certain the parts should be made."""

    survey: Survey
    frame: ModelFrame
    game: Game
    names: tuple[str, ...]
    members: Mapping[str, Sequence[str]]
    model: ImportanceModel
    level: float
    outcome: str
    draws: int | None = None
    rng: np.random.Generator | None = None
    questionnaire: Questionnaire | None = None
    said: tuple[str, ...] | None = None
    """What is to be said about who is in the model; None: as of other models."""


def divided(division: Division) -> ImportanceResult:
    """Divide R² and say how sure the parts and their order are."""
    survey, frame, game = division.survey, division.frame, division.game
    rng = division.rng if division.rng is not None else np.random.default_rng(0)
    parts = parts_of_r_squared(survey, game, model=division.model, draws=division.draws, rng=rng)
    if not np.isfinite(parts.estimates).all():
        raise DataError(
            say("The model {formula!r} has no finite estimate: look for groups in which the outcome never happens, and "
                "for terms with very large numbers.", formula=frame.formula.text)
        )  # fmt: skip
    if parts.again is not None and np.isnan(parts.again).any():
        raise DataError(
            say("{n} of {all} replicates have no finite estimate of {formula!r}: some answer or level is too rare in "
                "them.", n=int(np.isnan(parts.again[0]).sum()), all=parts.again.shape[1], formula=frame.formula.text)
        )  # fmt: skip
    df = model_df(survey, frame.used, slopes=game.x.shape[1])
    rows = _rows(parts, division, df=df)
    known = np.full(len(rows), float(df)) if df > 0 else np.full(len(rows), np.inf)
    variance = parts.covariance[:-2, :-2]
    sets = rank_sets(
        rows["estimate"].to_numpy(), variance + np.diag(parts.sampling**2), df=known, level=division.level,
        together=np.ones(len(rows), dtype=bool), rng=np.random.default_rng(0),
    )  # fmt: skip
    low, high = (sets.low, sets.high) if df > 0 else (np.ones_like(sets.low), np.full_like(sets.high, len(rows)))
    rows = rows.assign(rank=sets.rank, rank_low=low, rank_high=high, mc_se=parts.sampling)
    notes = [
        *_notes(parts, division),
        *(model_notes(frame, df=df, n_terms=game.x.shape[1]) if division.said is None else division.said),
        *design_notes(survey, rows, interval=say("symmetric on the logit scale"), level=division.level),
    ]
    questionnaire = division.questionnaire or survey.questionnaire
    label = questionnaire.label(division.outcome) if questionnaire else division.outcome
    return ImportanceResult(
        rows=rows, title=say("What goes with “{outcome}”: parts of R²", outcome=label), notes=tuple(notes),
        questionnaire=questionnaire, pairs=_pairs(rows, variance, df=df, level=division.level),
        within=_within(parts, division, df=df), fit=_fit(parts, division, df=df),
        covariance=pd.DataFrame(variance, division.names, division.names),
    )  # fmt: skip


def _rows(parts: Parts, division: Division, *, df: int) -> pd.DataFrame:
    """Parts and shares with their standard errors and intervals."""
    values, variance = parts.estimates[:-2], parts.covariance[:-2, :-2]
    se, total = np.sqrt(np.diagonal(variance)), values.sum()
    share = values / total if total > 0 else np.full(len(values), np.nan)
    spread = _share_covariance(parts, division.survey)
    share_se = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
    n, frame = division.frame.n, division.frame
    drawn = parts.sampling / total if total > 0 else parts.sampling
    low, high = share_interval(values, np.hypot(se, parts.sampling), df=df, n=n, level=division.level)
    share_low, share_high = share_interval(share, np.hypot(share_se, drawn), df=df, n=n, level=division.level)
    return pd.DataFrame(
        {
            "variable": list(division.names), "estimate": values, "share": share, "se": se, "low": low, "high": high,
            "df": df, "n": n, "n_missing": frame.n_missing, "share_se": share_se, "share_low": share_low,
            "share_high": share_high,
        }
    )  # fmt: skip


def _share_covariance(parts: Parts, survey: Survey) -> Floats:
    """Covariance of the parts over their sum: calculated again in every replicate, or linearised."""
    if parts.again is not None and survey.replication is not None:
        return replicate_covariance(parts.again / parts.again.sum(axis=0), factors=survey.replication.factors)
    return share_covariance(parts.estimates[:-2], parts.covariance[:-2, :-2])


def share_covariance(estimates: Floats, covariance: Floats) -> Floats:
    """Covariance of estimates over their sum, to first order."""
    total = float(estimates.sum())
    if total <= 0:
        return np.full_like(covariance, np.nan)
    slope = (np.eye(len(estimates)) - (estimates / total)[:, None]) / total
    return np.asarray(slope @ covariance @ slope.T, dtype=float)


def _pairs(rows: pd.DataFrame, variance: Floats, *, df: int, level: float) -> pd.DataFrame:
    """Differences between every two predictors, the earlier less the later."""
    first, second = np.triu_indices(len(rows), 1)
    values, names, sampling = (rows[name].to_numpy() for name in ("estimate", "variable", "mc_se"))
    spread = np.diagonal(variance) + sampling**2
    se = np.sqrt(np.maximum(spread[first] + spread[second] - 2 * variance[first, second], 0.0))
    difference = values[first] - values[second]
    low, high = t_interval(difference, se, df=df, level=level)
    t = np.divide(difference, se, where=se > 0, out=np.full(len(se), np.nan))
    p = t_p_value(t, df)
    return pd.DataFrame(
        {
            "variable": names[first], "other": names[second], "estimate": difference, "se": se, "low": low,
            "high": high, "df": df, "p_value": p, "p_greater": np.where(t > 0, 1 - p / 2, p / 2),
        }
    )  # fmt: skip


def _within(parts: Parts, division: Division, *, df: int) -> pd.DataFrame:
    """The division of blocks among their members."""
    if not len(parts.within):
        return pd.DataFrame(columns=["block", "variable", "estimate", "se", "low", "high"])
    pairs = [(block, name) for block, names in division.members.items() for name in names]
    place = [j for block in division.game.blocks for j in block]
    estimate, se = parts.within[place], np.sqrt(np.diagonal(parts.within_covariance))[place]
    low, high = share_interval(estimate, se, df=df, n=division.frame.n, level=division.level)
    rows = pd.DataFrame(pairs, columns=["block", "variable"]).assign(estimate=estimate, se=se, low=low, high=high)
    several = [len(division.members[block]) > 1 for block in rows["block"]]
    return rows[several].reset_index(drop=True)


def _fit(parts: Parts, division: Division, *, df: int) -> pd.DataFrame:
    """R² as a whole."""
    r2, se = parts.estimates[-2], np.sqrt(parts.covariance[-2, -2])
    low, high = share_interval(r2, se, df=df, n=division.frame.n, level=division.level)
    return pd.DataFrame(
        {"model": [division.model], "r2": r2, "se": se, "low": low, "high": high, "r2_always": parts.estimates[-1],
         "df": df, "n": division.frame.n, "n_orders": parts.n_orders}
    )  # fmt: skip


def _notes(parts: Parts, division: Division) -> Iterator[str]:
    """What R² is of, what was always in, and how the parts were found."""
    kind = {
        "linear": say("R² of a linear model"), "ordinal": say("McFadden's R² of a cumulative logit model"),
        "logistic": say("McFadden's R² of a logistic model"),
    }[division.model]  # fmt: skip
    yield say(
        "{kind}: {r2}. A predictor's part is what it adds to it, averaged over all orders of the predictors (LMG, "
        "Shapley). It tells what goes together, not what causes what.",
        kind=kind, r2=percent(float(parts.estimates[-2])),
    )  # fmt: skip
    if division.game.always.any():
        yield say("{r2} of it belongs to what is always in the model; the rest is divided.",
                  r2=percent(float(parts.estimates[-1])))  # fmt: skip
    columns = division.game.x.shape[1]
    if parts.estimates[-2] - parts.estimates[-1] < 2 * columns / division.frame.n:
        yield say("R² is no larger than chance alone would make it: its parts say nothing.")
    if parts.n_orders:
        yield say(
            "More than {most} predictors: {n} orders were drawn; the largest error of that is {error} percentage "
            "points, and the intervals count it.",
            most=MOST_EXACT, n=parts.n_orders, error=number(100 * float(parts.sampling.max()), 2),
        )  # fmt: skip
    if any(len(block) > 1 for block in division.game.blocks) and not division.game.divisible:
        yield say("The blocks are too many or too large to be divided among their members.")
    if division.survey.replication is not None and parts.again is None:
        yield say("Variance over the replicates of the influence values: the models are not fitted again in each.")
    yield say("Ranks a predictor may have: sets that hold for all predictors at once.")
