"""What respondents answered to one question: who was asked, who gave a valid answer, who did not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import say, sort_key

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Level = int | float | str | bool

_NARROW = 32
"""Whole numbers that span less than this are compared with each value of the span."""

_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
"""What pandas finds in a column of mixed objects that are all numbers, or missing."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Answered:
    """Who answered one question, one entry a respondent.

    Parameters
    ----------
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

    valid: Rows
    asked: Rows
    dont_know: Rows
    off_scale: Rows
    levels: tuple[Level, ...] = ()

    def places(self, levels: Sequence[Level]) -> list[int]:
        """Where those of ``levels`` that there are stand."""
        return [place for place, level in enumerate(self.levels) if level in levels]


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers(Answered):
    """Answers as ``numbers`` (NaN where none is valid); of a scale, the place of the answer in ``levels``."""

    numbers: Floats

    def among(self, levels: Sequence[Level]) -> Floats:
        """1 for those whose valid answer is one of ``levels``, else 0."""
        return (np.isin(self.numbers, self.places(levels)) & self.valid).astype(float)


@dataclass(frozen=True, eq=False, kw_only=True)
class Places(Answered):
    """Answers as ``place`` in ``levels`` (-1 where none is valid): a byte each, as counting millions wants it."""

    place: NDArray[np.signedinteger]

    def chose(self, levels: Sequence[Level]) -> Rows:
        """Whose valid answer is one of ``levels``."""
        found = np.zeros(len(self.place), dtype=bool)
        for place in self.places(levels):
            found |= self.place == place
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Choices(Answered):
    """Answers to a question that takes several: ``chosen`` says who chose which level (respondents × levels)."""

    chosen: Rows

    def chose(self, levels: Sequence[Level]) -> Rows:
        """Who chose one of ``levels`` or more."""
        return np.asarray(self.chosen[:, self.places(levels)].any(axis=1) & self.valid)


def column(survey: Survey, name: str) -> pd.Series:
    """A column of the responses.

    Raises
    ------
    DataError
        If it is not there.
    """
    check_columns(survey, [name])
    values = survey.responses[name]
    if values.dtype == object and pd.api.types.infer_dtype(values) in _NUMBERS:  # None or NA among numbers
        return pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=values.index)
    return values


def check_columns(survey: Survey, columns: Iterable[str]) -> None:
    """Refuse names of columns that are not there, all of them at once."""
    absent = [name for name in dict.fromkeys(columns) if name not in survey.responses]
    if absent:
        text = "Column {column} is not in the responses: name a column that is."
        raise DataError("\n".join(say(text, column=name) for name in absent))


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
    numeric = pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values)
    numeric = numeric or pd.api.types.infer_dtype(values) == "boolean"  # with None among them
    if not numeric and values.notna().any():
        raise DataError(say("Column {column} is not numeric: use proportion for answers in words.", column=name))
    numbers, asked = values.to_numpy(dtype=float, na_value=np.nan), _asked(survey, name)
    valid, none = np.isfinite(numbers) & asked, np.zeros(survey.n, dtype=bool)
    return Answers(
        numbers=np.where(valid, numbers, np.nan), valid=valid, asked=asked, dont_know=none,
        off_scale=np.isinf(numbers) & asked,
    )  # fmt: skip


def level_answers(survey: Survey, name: str) -> Answers:
    """Answers as places on their scale: the questionnaire's, else the categories or values that occur, in order."""
    given = _places(survey, name)
    return Answers(
        numbers=given.place.astype(float) if given.valid.all() else np.where(given.valid, given.place, np.nan),
        valid=given.valid, asked=given.asked, dont_know=given.dont_know, off_scale=given.off_scale,
        levels=given.levels,
    )  # fmt: skip


def _places(survey: Survey, name: str) -> Places:
    """Places of the answers on their scale."""
    codes = tuple(sorted(_scale(survey, name)))
    if codes:
        answers = _coded(survey, name, codes)
        place = np.where(answers.valid, np.searchsorted(codes, answers.numbers), -1)
        return Places(
            place=place, valid=answers.valid, asked=answers.asked, dont_know=answers.dont_know,
            off_scale=answers.off_scale, levels=codes,
        )  # fmt: skip
    place, levels = _level_places(column(survey, name))
    asked, none = _asked(survey, name), np.zeros(survey.n, dtype=bool)
    if not asked.all():
        place = np.where(asked, place, -1)
    return Places(place=place, valid=place >= 0, asked=asked, dont_know=none, off_scale=none, levels=levels)


def counted_answers(survey: Survey, name: str) -> Places | Choices:
    """Answers to be counted level by level: several a respondent where the questionnaire lets them choose several.

    Codes chosen stand side by side in one text (``"1 3 7"``). Whoever chose none of the answers there are, or only
    that they do not know, gave no valid answer; a code that is no answer is passed over.
    """
    questionnaire = survey.questionnaire
    if questionnaire is None or name not in questionnaire.items() or questionnaire.kind(name) != "select_multiple":
        return _places(survey, name)
    asked, levels = _asked(survey, name), questionnaire.levels(name)
    place, texts = pd.factorize(column(survey, name).astype("string").fillna(""))
    sets = [set(text.removesuffix(".0").replace(",", " ").split()) for text in texts]  # numbers: nobody chose two
    unsure = {str(code) for code in questionnaire.dont_know(name)}
    table = [[*(str(level) in codes for level in levels), bool(codes & unsure), bool(codes)] for codes in sets]
    found = np.array(table, dtype=bool).reshape(-1, len(levels) + 2)[place]
    chosen, valid = found[:, :-2], found[:, :-2].any(axis=1) & asked
    dont_know = found[:, -2] & asked & ~valid
    off_scale = found[:, -1] & asked & ~valid & ~dont_know
    return Choices(
        valid=valid, asked=asked, dont_know=dont_know, off_scale=off_scale, levels=levels, chosen=chosen
    )  # fmt: skip


def ordered_levels(values: pd.Series) -> tuple[NDArray[np.intp], tuple[Level, ...]]:
    """Place of each value (-1 if missing) among the values that occur: categories in their order, else sorted."""
    place, levels = _level_places(values)
    return place.astype(np.intp, copy=False), levels


def _level_places(values: pd.Series) -> tuple[NDArray[np.signedinteger], tuple[Level, ...]]:
    """:func:`ordered_levels` in the narrowest type at hand."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        held = values.cat.remove_unused_categories()
        return np.asarray(held.cat.codes.to_numpy(), dtype=np.int64), tuple(held.cat.categories)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu" and len(values):
        given = values.to_numpy()
        low, high = int(given.min()), int(given.max())
        if high - low < _NARROW:  # a scale: a few comparisons tell what a hash of millions of answers would
            scale = range(low, high + 1)
            if all((given == value).any() for value in scale):
                return (given - given.dtype.type(low)).astype(np.int8, copy=False), tuple(scale)
        if high - low < len(given):  # codes of wards or units: counted, not hashed
            number = (given.astype(np.intp) - low) if low else given.astype(np.intp, copy=False)
            occurs = np.bincount(number) > 0
            return (np.cumsum(occurs) - 1)[number], tuple((np.flatnonzero(occurs) + low).tolist())
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
