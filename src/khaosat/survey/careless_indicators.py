"""Signs of careless answers, respondent by respondent, as a survey and its questionnaire allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts import term
from khaosat.facts.language import number, say
from khaosat.stats.careless import (
    answer_strings,
    even_odd,
    flat_blocks,
    item_pairs,
    mahalanobis,
    pair_consistency,
    response_variability,
)
from khaosat.stats.near_duplicates import best_matches
from khaosat.survey.answers import column, numeric_answers
from khaosat.survey.quality import STRAIGHT_LINE_ITEMS

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Items = Sequence[str] | Mapping[str, Sequence[str]]

_BLOCK_ITEMS = 3
"""Valid answers that a block must have before one answer to all of them counts as a straight line."""
_BLOCKS = 3
"""Blocks that must be told before all of them being straight lines means anything."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Indicators:
    """What was found.

    Parameters
    ----------
    values
        Indicators as they are called in the literature, one row a respondent.
    measures
        What is held against the thresholds: NaN where an indicator cannot be told. Only indicators that the survey
        allows have a column.
    notes
        Why others have none.
    """

    values: pd.DataFrame
    measures: pd.DataFrame
    notes: tuple[str, ...]


def careless_indicators(
    survey: Survey, scales: Mapping[str, Sequence[str]], *, items: Sequence[str], interviewer: str | None,
    duration: str | None,
) -> Indicators:  # fmt: skip
    """Every indicator that the survey allows.

    Parameters
    ----------
    survey
        Answers.
    scales
        Items of each block, in the order asked.
    items
        All items, in the order asked.
    interviewer, duration
        Columns with the interviewer and with how long the interview took.
    """
    answers = [numeric_answers(survey, name) for name in items]
    x, asked, valid, unknown = (
        np.column_stack([getattr(answer, role) for answer in answers])
        for role in ("numbers", "asked", "valid", "dont_know")
    )
    places = [[list(items).index(name) for name in names] for names in scales.values()]
    n_asked, n_valid = asked.sum(axis=1), valid.sum(axis=1)
    enough = n_valid >= min(STRAIGHT_LINE_ITEMS, len(items))
    values = {
        "blank": _share((asked & ~valid & ~unknown).sum(axis=1), n_asked),
        "dont_know": _share(unknown.sum(axis=1), n_asked),
    }
    flat, blocks = flat_blocks(x, places, fewest=_BLOCK_ITEMS)
    values["straightline"] = _share(flat, blocks)
    values["longstring"], values["avgstr"] = answer_strings(x, asked=asked)
    values["irv"] = response_variability(x)
    measures = {
        **{name: values[name] for name in ("blank", "dont_know")},
        "straightline": np.where(blocks >= _BLOCKS, values["straightline"], np.nan),
        "longstring": np.where(enough, _share(values["longstring"], n_valid), np.nan),
        "irv": np.where(enough, values["irv"], np.nan),
    }
    notes: list[str] = []
    if not (blocks >= _BLOCKS).any():
        notes.append(
            say("Straight lines are told from {blocks} blocks of at least {items} answers on; nobody gave so many.",
                blocks=_BLOCKS, items=_BLOCK_ITEMS)
        )  # fmt: skip
    _consistency(x, np.asarray(asked.all(axis=0)), places, values, measures, notes)
    if interviewer is not None:
        values["match"], straight = _matches(survey, items, interviewer), measures["irv"] == 0
        measures["match"] = np.where(straight, np.nan, values["match"])  # one answer to all is told already
    if duration is not None:
        values["duration"] = minutes = _duration(survey, duration)
        measures["duration"] = minutes / np.nanmedian(minutes) if not np.isnan(minutes).all() else minutes
    index = survey.responses.index
    told = {name: np.where(survey.responding, measure, np.nan) for name, measure in measures.items()}
    return Indicators(
        values=pd.DataFrame(values, index=index), measures=pd.DataFrame(told, index=index), notes=tuple(notes)
    )


def _consistency(
    x: Floats, everybody: Rows, scales: list[list[int]], values: dict[str, Floats], measures: dict[str, Floats],
    notes: list[str],
) -> None:  # fmt: skip
    """Distance and consistency over the items that everybody was asked and that not all answer alike."""
    spread = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in x.T], dtype=bool)
    shared = x[:, everybody & spread]
    values["mahad"], values["mahad_p"] = mahalanobis(shared)
    if np.isnan(values["mahad_p"]).all():
        notes.append(say("Mahalanobis distance: too few respondents, or items that follow from each other."))
    else:
        measures["mahad"] = values["mahad_p"]
    for name, critical in (("psychsyn", 0.6), ("psychant", -0.6)):
        pairs = item_pairs(shared, critical=critical)
        values[name], _ = pair_consistency(shared, pairs)
        if np.isnan(values[name]).all():
            notes.append(
                say("{indicator}: {n} pairs of items have a correlation beyond {r}, too few to tell.",
                    indicator=term(name), n=int(pairs.sum()), r=number(critical, 1))
            )  # fmt: skip
        else:
            measures[name] = values[name]
    values["evenodd"] = even_odd(x, scales)
    if np.isnan(values["evenodd"]).all():
        notes.append(say("Even-odd consistency needs at least two blocks of two items or more."))
    else:
        measures["evenodd"] = values["evenodd"]


def _matches(survey: Survey, items: Sequence[str], interviewer: str) -> Floats:
    """Largest share of same answers with another respondent of the interviewer.

    Over all closed questions that are not about who one is: an interviewer who makes answers up copies these, and
    writes the other ones in from the list of people.
    """
    names, questionnaire = list(items), survey.questionnaire
    if questionnaire is not None:
        about = set(questionnaire.items("profile"))
        closed = [n for n in questionnaire.items() if n not in about and questionnaire.kind(n).startswith("select")]
        names = [name for name in closed if name in survey.responses] or names
    codes = np.column_stack([pd.factorize(survey.responses[name])[0] for name in names]).astype(np.intp)
    group = np.asarray(pd.factorize(column(survey, interviewer))[0], dtype=np.intp)
    return best_matches(codes, group, fewest=min(STRAIGHT_LINE_ITEMS, len(names)))[0]


def _duration(survey: Survey, name: str) -> Floats:
    """How long interviews took; NaN where it is not above zero."""
    given = column(survey, name)
    if pd.api.types.is_timedelta64_dtype(given):
        given = given.dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(given) or pd.api.types.is_bool_dtype(given):
        raise DataError(say("Column {column} holds no durations: give minutes, or a time difference.", column=name))
    taken = given.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(taken) & (taken > 0), taken, np.nan)


def _share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    top, below = part.astype(float), whole.astype(float)
    return np.asarray(np.divide(top, below, where=below > 0, out=np.full(len(below), np.nan)), dtype=float)
