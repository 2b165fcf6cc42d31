"""What respondents answered to one question: who was asked, who gave a valid answer, who did not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say, sort_key

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Level = int | float | str | bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """Answers to one question, one entry a respondent.

    Parameters
    ----------
    numbers
        Numbers (NaN where there is no valid answer); for levels, the place of the answer in ``levels``.
    valid
        Who gave a valid answer.
    asked
        Who was asked: a skip rule of the questionnaire is not a missing answer.
    dont_know
        Who answered that they do not know.
    off_scale
        Who was asked and gave an answer that the scale does not have.
    levels
        The answers there are, in order; empty for numbers.
    """

    numbers: Floats
    valid: Rows
    asked: Rows
    dont_know: Rows
    off_scale: Rows
    levels: tuple[Level, ...] = ()

    def among(self, levels: Sequence[Level]) -> Floats:
        """1 for those whose valid answer is one of ``levels``, else 0."""
        places = [place for place, level in enumerate(self.levels) if level in levels]
        return (np.isin(self.numbers, places) & self.valid).astype(float)


def column(survey: Survey, name: str) -> pd.Series:
    """A column of the responses.

    Raises
    ------
    DataError
        If it is not there.
    """
    if name not in survey.responses:
        raise DataError(say("Column {column} is not in the responses: name a column that is.", column=name))
    return survey.responses[name]


def numeric_answers(survey: Survey, name: str) -> Answers:
    """Answers as numbers, don't-know codes excluded.

    Raises
    ------
    DataError
        If the column holds words, of which there is no mean.
    """
    values, codes = column(survey, name), _scale(survey, name)
    if codes:
        return _coded(survey, name, codes)
    if not (pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values)):
        raise DataError(say("Column {column} is not numeric: use proportion for answers in words.", column=name))
    numbers, asked = values.to_numpy(dtype=float, na_value=np.nan), _asked(survey, name)
    valid, none = np.isfinite(numbers) & asked, np.zeros(survey.n, dtype=bool)
    return Answers(
        numbers=np.where(valid, numbers, np.nan), valid=valid, asked=asked, dont_know=none,
        off_scale=np.isinf(numbers) & asked,
    )  # fmt: skip


def level_answers(survey: Survey, name: str) -> Answers:
    """Answers as places on their scale: the questionnaire's, else the categories or values that occur, in order."""
    values, codes = column(survey, name), _scale(survey, name)
    if codes:
        answers = _coded(survey, name, codes)
        places = np.where(answers.valid, np.searchsorted(np.sort(codes), answers.numbers), 0)
        return replace(answers, numbers=np.where(answers.valid, places, np.nan), levels=tuple(sorted(codes)))
    found, levels = ordered_levels(values)
    asked, none = _asked(survey, name), np.zeros(survey.n, dtype=bool)
    valid = (found >= 0) & asked
    return Answers(
        numbers=np.where(valid, found, np.nan), valid=valid, asked=asked, dont_know=none, off_scale=none, levels=levels
    )


def ordered_levels(values: pd.Series) -> tuple[NDArray[np.intp], tuple[Level, ...]]:
    """Place of each value (-1 if missing) among the values that occur: categories in their order, else sorted."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        held = values.cat.remove_unused_categories()
        return held.cat.codes.to_numpy().astype(np.intp), tuple(held.cat.categories)
    codes, uniques = pd.factorize(values)
    found = [value.item() if isinstance(value, np.generic) else value for value in uniques]
    words = any(isinstance(value, str) for value in found)
    order = sorted(range(len(found)), key=lambda i: sort_key(str(found[i])) if words else found[i])
    rank = np.empty(len(found) + 1, dtype=np.intp)
    rank[order] = np.arange(len(found))
    rank[-1] = -1
    return rank[codes], tuple(found[i] for i in order)


def _scale(survey: Survey, name: str) -> tuple[int, ...]:
    """Codes of the questionnaire's answers to a question; empty if it does not know the question or has no codes."""
    questionnaire = survey.questionnaire
    if questionnaire is None or name not in questionnaire.items() or questionnaire.kind(name) != "select_one":
        return ()
    return questionnaire.levels(name)


def _coded(survey: Survey, name: str, codes: tuple[int, ...]) -> Answers:
    """Answers on a scale of the questionnaire."""
    values, asked = column(survey, name), _asked(survey, name)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    on_scale, dont_know = np.isin(numbers, codes), np.isin(numbers, _dont_know(survey, name))
    return Answers(
        numbers=np.where(on_scale & asked, numbers, np.nan), valid=on_scale & asked, asked=asked,
        dont_know=dont_know & asked, off_scale=values.notna().to_numpy() & ~on_scale & ~dont_know & asked,
    )  # fmt: skip


def _dont_know(survey: Survey, name: str) -> tuple[int, ...]:
    return survey.questionnaire.dont_know(name) if survey.questionnaire else ()


def _asked(survey: Survey, name: str) -> Rows:
    """Who was asked, by the questionnaire's skip rule where its column is there."""
    questionnaire = survey.questionnaire
    if questionnaire is None or name not in questionnaire.items():
        return np.ones(survey.n, dtype=bool)
    rule = questionnaire.relevant(name)
    if rule is None or rule[0] not in survey.responses:
        return np.ones(survey.n, dtype=bool)
    gate = pd.to_numeric(survey.responses[rule[0]], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.isin(gate, list(rule[1]))
