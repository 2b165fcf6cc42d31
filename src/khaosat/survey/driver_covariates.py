"""Who people are and where they were served, as terms that a model of satisfaction holds constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.facts.language import say
from khaosat.survey.answers import column, level_answers, numeric_answers, ordered_levels
from khaosat.survey.model_frame import is_categorical, level_name

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

PROFILE = ("gender", "age_group", "age")
"""Questions on who one is that are held constant by default, where they were asked."""
FEW = 10
"""A group of fewer respondents has no coefficient of its own."""


def covariate_columns(
    survey: Survey, names: Sequence[str] | None, *, unit: str | None, rows: Rows, scores: Mapping[str, Floats]
) -> tuple[dict[str, Any], list[str]]:
    """Columns of covariates by name, and notes on them.

    Parameters
    ----------
    survey
        As it was asked.
    names
        Columns; None: those of :data:`PROFILE` that there are.
    unit
        Column of the unit that served; adds the mean score of each respondent's unit.
    rows
        Respondents of the model.
    scores
        Scores by predictor, without gaps.
    """
    chosen = [name for name in PROFILE if name in survey.responses] if names is None else list(names)
    columns: dict[str, Any] = {}
    notes = []
    for name in chosen:
        if is_categorical(survey, name):
            values, joined = _levels(survey, name, rows)
            if joined:
                notes.append(
                    say("{variable}: answers with fewer than {few} respondents are taken together.",
                        variable=label(survey, name), few=FEW)
                )  # fmt: skip
        else:
            values = pd.Series(numeric_answers(survey, name).numbers, index=survey.responses.index)
        if len(values[rows].dropna().unique()) > 1:
            columns[name] = values
        else:
            notes.append(say("{variable}: everybody answered the same; it is left out.", variable=label(survey, name)))
    if columns:
        notes.insert(0, say("Held constant: {names}.", names="; ".join(label(survey, name) for name in columns)))
    if unit is not None:
        columns |= _unit_means(survey, unit, rows=rows, scores=scores)
        notes.append(
            say("Effects are within units ({unit}): the mean scores of each respondent's unit are held constant too.",
                unit=unit)
        )  # fmt: skip
    return columns, notes


def label(survey: Survey, name: str) -> str:
    """A factor or question in the words of the questionnaire."""
    return survey.questionnaire.label(name) if survey.questionnaire else name


def _levels(survey: Survey, name: str, rows: Rows) -> tuple[pd.Series, bool]:
    """Answers as words in the order of the scale, rare ones taken together; no answer is a level of its own."""
    answer = level_answers(survey, name)
    words = [level_name(level) for level in answer.levels]
    place = np.where(answer.valid, np.nan_to_num(answer.numbers), len(words)).astype(int)
    words = [*words, say("not known")]
    held = np.bincount(place[rows], minlength=len(words))
    rare = (held < FEW) & (held > 0)
    if rare.any():
        other = len(words)
        together = other if held[rare].sum() >= FEW else int(held.argmax())
        words = [*words, say("other")]
        place = np.where(rare[place], together, place)
    values = pd.Series(np.array(words)[place], dtype=pd.CategoricalDtype(words), index=survey.responses.index)
    return values, bool(rare.any())


def _unit_means(survey: Survey, unit: str, *, rows: Rows, scores: Mapping[str, Floats]) -> dict[str, Any]:
    """Weighted mean of each score among the respondents of the same unit (those without one are one of their own)."""
    code, units = ordered_levels(column(survey, unit))
    code = np.where(code < 0, len(units), code)
    weight = np.where(rows, survey.arrays.weights, 0.0)
    means: dict[str, Any] = {}
    for name, values in scores.items():
        known = np.isfinite(values)
        size = np.bincount(code[known], weight[known], len(units) + 1)
        total = np.bincount(code[known], (weight * values)[known], len(units) + 1)
        means[f"{name}_{unit}"] = np.divide(total, size, where=size > 0, out=np.full(len(size), np.nan))[code]
    return means
