"""From a formula and a survey to numbers: who is in the model, its outcome and its matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Survey
from khaosat.errors import DataError
from khaosat.facts.language import number, say
from khaosat.stats.glm import dependent_columns
from khaosat.survey.answers import Answers, Level, check_columns, column, level_answers, numeric_answers
from khaosat.survey.cells import Cells, cells_of
from khaosat.survey.formula import Factor, Formula, read_formula

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix:
    """A model matrix.

    Parameters
    ----------
    x
        One row a respondent of the model.
    names
        Names of its columns, as in R.
    terms
        The term that each column belongs to.
    words
        The columns in words, for readers.
    """

    x: Floats
    names: tuple[str, ...]
    terms: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelFrame:
    """Respondents of a model and what they answered.

    Parameters
    ----------
    formula
        As it was read.
    cells
        Who the model is about (one cell).
    answers
        Answers by column, the outcome's under ``""``.
    used
        Who is in the model: about whom it is, with a valid answer to every question of the formula.
    levels
        Levels of the factors that have one coefficient a level, those that the used respondents chose.
    questionnaire
        For the words.
    """

    formula: Formula
    cells: Cells
    answers: Mapping[str, Answers]
    used: Rows
    levels: Mapping[str, tuple[Level, ...]]
    questionnaire: Questionnaire | None = None

    @property
    def n(self) -> int:
        """Respondents in the model."""
        return int(self.used.sum())

    @property
    def n_missing(self) -> int:
        """Respondents whom the model is about and who were asked everything, but did not answer everything."""
        asked = np.logical_and.reduce([answer.asked for answer in self.answers.values()])
        return int((asked & (self.cells.code >= 0) & ~self.used).sum())

    def outcome(self) -> Answers:
        """Answers to the outcome, of everybody."""
        return self.answers[""]

    @property
    def variables(self) -> dict[str, Factor]:
        """What predictions can vary: factors with levels by their text, numbers by their column."""
        found = {}
        for text, factor in self.formula.factors.items():
            if text in self.levels:
                found[text] = factor
            else:
                found.update({name: Factor(text=name, columns=(name,)) for name in factor.columns})
        return found

    def value(self, variable: str) -> Floats:
        """Numbers of a variable, or places of its levels, of the used respondents."""
        if variable in self.levels:
            answer = self.answers[variable]
            place = {level: j for j, level in enumerate(self.levels[variable])}
            known = np.array([place.get(level, -1) for level in answer.levels], dtype=float)
            return np.asarray(known[answer.numbers[self.used].astype(int)], dtype=float)
        return self.answers[variable].numbers[self.used]

    def matrix(self, given: Mapping[str, Floats] | None = None) -> Matrix:
        """The model matrix of the used respondents, or what it would be with other values of some variables."""
        return self._own_matrix if given is None else self._matrix_of(self.own_values | dict(given))

    @cached_property
    def own_values(self) -> dict[str, Floats]:
        """Values of every variable of the used respondents."""
        return {name: self.value(name) for name in self.variables}

    @cached_property
    def _own_matrix(self) -> Matrix:
        return self._matrix_of(self.own_values)

    def _matrix_of(self, values: Mapping[str, Floats]) -> Matrix:
        columns = [(INTERCEPT, INTERCEPT, say("Constant"), np.ones(self.n))] if self.formula.intercept else []
        spanned = {frozenset[str]()} if self.formula.intercept else set()
        for term in self.formula.terms:
            parts = [self._part(factor, term, values, spanned) for factor in term]
            label = ":".join(factor.text for factor in term)
            for pieces in product(*reversed(parts)):  # the first factor varies fastest, as in R
                names, words, numbers = zip(*reversed(pieces), strict=True)
                columns.append((":".join(names), label, " × ".join(words), np.prod(numbers, axis=0)))
            spanned.add(frozenset(factor.text for factor in term))
        rows = np.array([column for *_, column in columns], dtype=float).reshape(len(columns), self.n)
        return Matrix(
            x=rows.T,  # a column's numbers lie side by side: the many sums of a fit run twice as fast
            names=tuple(name for name, *_ in columns), terms=tuple(term for _, term, *_ in columns),
            words=tuple(words for _, _, words, _ in columns),
        )  # fmt: skip

    def slopes(self, given: Mapping[str, Floats] | None = None) -> Floats:
        """The model matrix without its intercept."""
        matrix = self.matrix(given)
        return matrix.x[:, [name != INTERCEPT for name in matrix.names]]

    def _part(
        self, factor: Factor, term: tuple[Factor, ...], values: Mapping[str, Floats], spanned: set[frozenset[str]]
    ) -> list[tuple[str, str, Floats]]:
        """Columns of one factor in a term: a number as it is; levels, less the first if the rest is there already."""
        if factor.text not in self.levels:
            return [(factor.text, self.word(factor), factor.calculate(values))]
        rest = frozenset(other.text for other in term if other.text != factor.text)
        first = 1 if rest in spanned else 0
        spanned.add(rest)
        levels, place = self.levels[factor.text], values[factor.text]
        return [
            (f"{factor.text}{level_name(levels[j])}", self.word(factor, levels[j]), (place == j).astype(float))
            for j in range(first, len(levels))
        ]

    def word(self, factor: Factor, level: Level | None = None) -> str:
        """A factor, or one of its levels, in the words of the questionnaire."""
        name = factor.columns[0]
        known = self.questionnaire is not None and factor.node is None and name in self.questionnaire.items()
        if self.questionnaire is None or not known:
            return factor.text if level is None else f"{factor.text}: {level_name(level)}"
        label = self.questionnaire.label(name)
        return label if level is None else f"{label}: {self.answer_word(name, level)}"

    def answer_word(self, name: str, level: Level) -> str:
        """An answer in the words of the questionnaire."""
        if self.questionnaire is None or name not in self.questionnaire.items() or isinstance(level, str):
            return level_name(level)
        return self.questionnaire.choice_labels(name).get(int(level), level_name(level))


def level_name(level: Level) -> str:
    """A level as it stands in the name of a coefficient: whole numbers without a point."""
    return str(int(level)) if isinstance(level, float) and level == int(level) else str(level)


def model_frame(survey: Survey, text: str, *, where: str | None, outcome: str) -> ModelFrame:
    """Read a formula against a survey.

    Parameters
    ----------
    survey
        Answers and design.
    text
        The formula.
    where
        Who it is about.
    outcome
        What the outcome is: ``number``, ``share`` (0/1 or two answers) or ``levels``.

    Raises
    ------
    DataError
        If the formula names an unknown column, nobody answered everything, a factor has one level, or terms say the
        same twice.
    """
    formula = read_formula(text)
    check_columns(survey, [name for part in (formula.outcome, *formula.factors.values()) for name in part.columns])
    cells = cells_of(survey, where=where)
    answers: dict[str, Answers] = {"": _outcome(survey, formula.outcome, outcome)}
    with_levels = set()
    for name, factor in formula.factors.items():
        if factor.node is None and (factor.levels or is_categorical(survey, factor.columns[0])):
            answers[name] = level_answers(survey, factor.columns[0])
            with_levels.add(name)
        else:
            answers.update({part: numeric_answers(survey, part) for part in factor.columns})
    used = np.logical_and.reduce([cells.code >= 0, *(answer.valid for answer in answers.values())])
    if not used.any():
        raise DataError(say("No respondent answered every question of {formula!r}.", formula=text))
    levels = {}
    for name in with_levels:
        held = np.unique(answers[name].numbers[used]).astype(int)
        levels[name] = tuple(answers[name].levels[j] for j in held)
        if len(held) < 2:
            raise DataError(
                say("{term} has only one value ({value}) among the {n} respondents of the model: leave it out.",
                    term=name, value=level_name(levels[name][0]), n=int(used.sum()))
            )  # fmt: skip
    frame = ModelFrame(
        formula=formula, cells=cells, answers=answers, used=used, levels=levels, questionnaire=survey.questionnaire
    )
    _check(frame)
    return frame


def is_categorical(survey: Survey, name: str) -> bool:
    """Whether a column has one coefficient a level: words, yes/no, and a questionnaire's questions on who one is."""
    questionnaire = survey.questionnaire
    if questionnaire is not None and name in questionnaire.items() and questionnaire.kind(name) == "select_one":
        return name in questionnaire.items("profile")
    values = column(survey, name)
    return pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values)


def _outcome(survey: Survey, outcome: Factor, kind: str) -> Answers:
    """Answers to the outcome; a calculation (``I(q >= 4)``) is calculated from its columns' numbers."""
    if outcome.node is None:
        name = outcome.columns[0]
        if kind == "levels" or (kind == "share" and not _is_zero_one(survey, name)):
            return level_answers(survey, name)
        return numeric_answers(survey, name)
    parts = {name: numeric_answers(survey, name) for name in outcome.columns}
    valid, asked, dont_know, off_scale = (
        combine.reduce([getattr(part, role) for part in parts.values()])
        for role, combine in (("valid", np.logical_and), ("asked", np.logical_and), ("dont_know", np.logical_or),
                              ("off_scale", np.logical_or))
    )  # fmt: skip
    numbers = outcome.calculate({name: part.numbers for name, part in parts.items()})
    _refuse_infinite(outcome.text, numbers[valid])
    return Answers(numbers=numbers, valid=valid, asked=asked, dont_know=dont_know, off_scale=off_scale)


def _is_zero_one(survey: Survey, name: str) -> bool:
    if not pd.api.types.is_numeric_dtype(values := column(survey, name)):  # as truth values are
        return False
    y = values.to_numpy(dtype=float, na_value=np.nan)
    return bool(((y == 0) | (y == 1) | np.isnan(y)).all())


def _refuse_infinite(text: str, numbers: Floats) -> None:
    if bad := int((~np.isfinite(numbers)).sum()):
        raise DataError(
            say("{term} is no finite number for {n} respondents: change it or choose them with where.",
                term=text, n=bad)
        )  # fmt: skip


def _check(frame: ModelFrame) -> None:
    """Refuse a matrix with infinite numbers or with columns that are combinations of others."""
    for text, factor in frame.formula.factors.items():
        if factor.node is not None:
            _refuse_infinite(text, factor.calculate(frame.own_values))
    matrix = frame.matrix()
    constant = [
        name
        for name, values in zip(matrix.names, matrix.x.T, strict=True)
        if name != INTERCEPT and (values == values[0]).all()
    ]
    if constant and frame.n > 1:
        raise DataError(
            say("{term} has only one value ({value}) among the {n} respondents of the model: leave it out.",
                term=", ".join(constant), value=number(float(matrix.x[0, matrix.names.index(constant[0])]), 2),
                n=frame.n)
        )  # fmt: skip
    means = matrix.x.mean(axis=0) * (np.array(matrix.names) != INTERCEPT)  # so that a year of 2026 ± 1 is told from 1
    centred = matrix.x - means if INTERCEPT in matrix.names else matrix.x
    repeated = [matrix.names[j] for j in dependent_columns(centred)]
    if repeated:
        raise DataError(
            say("{terms} follows exactly from the other terms of {formula!r} among the {n} respondents of the model: "
                "leave terms out.", terms=", ".join(repeated), formula=frame.formula.text, n=frame.n)
        )  # fmt: skip
